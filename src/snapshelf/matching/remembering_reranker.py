"""`RememberingReranker`: pictures described once and pairs compared once, over many systems.

The rows of a paper's tables differ in what finds the shortlist; what a query and a candidate have
in common is the same in all of them.
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import Protocol

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.reranker import Candidate, Reranked, Reranker
from snapshelf.media.picture import RGB
from snapshelf.remembered import Remembered

__all__ = ["Finding", "PairReranker", "RememberingReranker"]

Finding = tuple[float, ...]
"""What a query and a candidate have in common, as numbers; which they are, the re-ranker knows."""


class PairReranker(Reranker, Protocol):
    """A re-ranker in two steps: a costly one for each pair, and one for the whole shortlist."""

    @property
    def comparison(self) -> str:
        """Hex digest of everything that decides `describe`, of both sides, and `compare`."""
        ...

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> Sequence[Finding]:
        """Compare a query with candidates, each by itself.

        Args:
            query: Description of the query.
            candidates: Descriptions.

        Raises:
            ModelError: If a description is not of this re-ranker's making.
        """
        ...

    def judge(
        self, similarities: Sequence[float], findings: Sequence[Finding | None]
    ) -> Sequence[Reranked]:
        """Make of a shortlist's findings what `rerank` would have made of its descriptions.

        Args:
            similarities: Of the embeddings, one for each candidate.
            findings: Of `compare`, in the same order; None of a candidate without a description.
        """
        ...


class RememberingReranker:
    """A re-ranker that gives what another gives, with less evidence, and remembers it.

    Its descriptions are keys: those of the other one are kept in the file.

    Args:
        reranker: Describes and compares what is not there yet.
        remembered: Where everything is kept. Re-rankers that compare differently may share it.
    """

    def __init__(self, reranker: PairReranker, remembered: Remembered) -> None:
        self._reranker = reranker
        self._remembered = remembered

    @property
    def depth(self) -> int:
        """How many candidates are looked at."""
        return self._reranker.depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of what decides a description."""
        parts = f"remembered {self._reranker.comparison}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Give the key of a picture's description, which is made if it is not there.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: The side that it comes from.
        """
        what = f"{self._reranker.comparison} {domain} {picture.shape}"
        digest = hashlib.blake2b(what.encode(), digest_size=16)
        digest.update(picture.tobytes())
        key = digest.digest()
        if key not in self._remembered:
            self._remembered.put({key: self._reranker.describe(picture, domain)})
        return key

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> Sequence[Reranked]:
        """Compare with those candidates that the query has not been compared with, and judge.

        Args:
            query: As `describe` gave it.
            candidates: Those without a description have nothing in common with anything.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        present = [each.description for each in candidates if each.description is not None]
        found = iter(self.compare(query, present))
        return self._reranker.judge(
            [each.similarity for each in candidates],
            [None if each.description is None else next(found) for each in candidates],
        )

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        """Compare a query with candidates, but for those that it has been compared with.

        Args:
            query: As `describe` gave it.
            candidates: Likewise.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        # Two keys of 16 bytes are no key of one picture.
        pairs = {query + candidate: candidate for candidate in candidates}
        known = self._remembered.get(list(pairs))
        unknown = [candidate for pair, candidate in pairs.items() if pair not in known]
        if unknown:
            own, *descriptions = self._descriptions([query, *unknown])
            found = self._reranker.compare(own, descriptions)
            new = {
                query + candidate: struct.pack(f"<{len(finding)}d", *finding)
                for candidate, finding in zip(unknown, found, strict=True)
            }
            self._remembered.put(new)
            known |= new
        values = [known[query + candidate] for candidate in candidates]
        return [struct.unpack(f"<{len(value) // 8}d", value) for value in values]

    def _descriptions(self, keys: Sequence[bytes]) -> list[bytes]:
        found = self._remembered.get(keys)
        if missing := [key for key in keys if key not in found]:
            raise ModelError(
                f"expected keys of descriptions that are remembered, got {len(missing)} others"
            )
        return [found[key] for key in keys]
