"""`TextReranker`: what packs say, on top of what their key points do."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.remembering_reranker import Finding
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.matching.word_similarity import compare_words
from snapshelf.media.picture import RGB
from snapshelf.text.text_reader import WordReader
from snapshelf.text.words import words_from_bytes, words_to_bytes

__all__ = ["TextReranker", "split_description"]

SHOWN = 12
"""Shared words given as evidence, at most."""

HEADER = struct.Struct("<4sI")
MAGIC = b"TXT1"


@dataclass(frozen=True, slots=True)
class TextReranker:
    """Adds to a candidate's similarity what its text says.

    Attributes:
        verified: Compares key points first. Its fusion has the weight of the text.
        reader: Reads pictures.
    """

    verified: VerifiedReranker
    reader: WordReader

    @property
    def depth(self) -> int:
        """How many candidates are looked at."""
        return self.verified.depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of what decides a description."""
        parts = f"text {self.reader.fingerprint} {self.verified.fingerprint}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Read a picture, and find its key points.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: The side that it comes from.
        """
        words = words_to_bytes(self.reader.read(picture))
        header = HEADER.pack(MAGIC, len(words))
        return header + words + self.verified.describe(picture, domain)

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> list[Reranked]:
        """Compare texts, and add what they say to what the key points do.

        Args:
            query: Description of the query.
            candidates: Those without a description have no text.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        said, own = split_description(query)
        words: list[Sequence[str]] = []
        plain: list[Candidate] = []
        for candidate in candidates:
            if candidate.description is None:
                words.append(())
                plain.append(candidate)
            else:
                says, rest = split_description(candidate.description)
                words.append(says)
                plain.append(replace(candidate, description=rest))
        judged = self.verified.rerank(own, plain)
        return [
            Reranked(
                one.similarity + self.verified.fusion.text * shared.similarity,
                {
                    **one.evidence,
                    "text": round(shared.similarity, 3),
                    "words": list(shared.words[:SHOWN]),
                },
            )
            for one, shared in zip(judged, compare_words(said, words), strict=True)
        ]

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        """Look closely at the key points of each candidate, as `VerifiedReranker.compare` does.

        Args:
            query: Description of the query.
            candidates: Descriptions.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        own, *others = (split_description(data)[1] for data in (query, *candidates))
        return self.verified.compare(own, others)

    def text_similarities(self, query: bytes, candidates: Sequence[bytes]) -> NDArray[np.float64]:
        """Compare the texts of a whole shortlist.

        Args:
            query: Description of the query.
            candidates: Descriptions, K of them.

        Returns:
            (K,) float64, at least 0.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        said, *words = (split_description(data)[0] for data in (query, *candidates))
        return np.array([each.similarity for each in compare_words(said, words)], np.float64)


def split_description(data: bytes) -> tuple[tuple[str, ...], bytes]:
    """Give the words of a description, and the part of it that tells the key points.

    Raises:
        ModelError: If it is no description of a `TextReranker`.
    """
    if len(data) >= HEADER.size:
        magic, length = HEADER.unpack_from(data)
        end = HEADER.size + length
        if magic == MAGIC and len(data) >= end:
            return words_from_bytes(data[HEADER.size : end]), data[end:]
    raise ModelError(
        f"expected words as this version keeps them, got {len(data)} other bytes: "
        "index the shelf again"
    )
