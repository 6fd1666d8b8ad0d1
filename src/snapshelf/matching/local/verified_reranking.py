"""Re-ranking by verified key points: the shortlist in a few matrix products, then geometry."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.keypoint_features import KeypointFeatures, find_keypoints
from snapshelf.matching.local.keypoint_matching import Matches, match_keypoints
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verification import MODELS, verify_matches
from snapshelf.matching.remembering_reranker import Finding
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB

__all__ = ["Agreement", "VerifiedReranker", "compare_keypoints"]

SHOWN = 60
"""Verified points given as evidence, at most."""

ALL = 65535
"""Verify every candidate, of shortlists of any length that can be re-ranked."""

UNIT = 512.0
"""Longer side of a picture as geometry sees it: estimators expect numbers the size of pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What a query's and a candidate's key points have in common.

    Attributes:
        matches: How many are matched.
        points: (K, 4) float32, of the K verified ones: x and y in pixels of the query, then of the
            candidate.
    """

    matches: int
    points: NDArray[np.float32]

    @property
    def inliers(self) -> int:
        """How many matches are verified."""
        return len(self.points)


NOTHING = Agreement(0, np.empty((0, 4), np.float32))


class VerifiedReranker:
    """Adds to a candidate's similarity what its verified key points say.

    Args:
        settings: Of the key points.
        fusion: How much they say.
        depth: Candidates that are looked at, at least 1.

    Raises:
        ValueError: If `depth` is below 1.
    """

    def __init__(self, settings: LocalSettings, fusion: Fusion, *, depth: int = 100) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self.settings = settings
        self.fusion = fusion
        self.depth = depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of what decides a gallery picture's description."""
        settings = self.settings
        parts = f"rootsift {settings.shop_side} {settings.shop_most} {settings.contrast!r}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    @property
    def comparison(self) -> str:
        """Hex digest of what decides a description, of both sides, and a comparison of two."""
        parts = {name: value for name, value in asdict(self.settings).items() if name != "verified"}
        return hashlib.blake2b(f"rootsift {parts}".encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Find a picture's key points.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: Queries and gallery pictures have a size and a number of points of their own.
        """
        settings, street = self.settings, domain is Domain.STREET
        return find_keypoints(
            picture,
            side=settings.query_side if street else settings.shop_side,
            most=settings.query_most if street else settings.shop_most,
            contrast=settings.contrast,
        ).to_bytes()

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> list[Reranked]:
        """Compare key points, and put them together with the embeddings' similarities.

        Args:
            query: Description of the query.
            candidates: Those without a description have no inliers.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        compared = compare_keypoints(
            query, [candidate.description for candidate in candidates], self.settings
        )
        return self._fuse(
            [candidate.similarity for candidate in candidates],
            [agreement.inliers for agreement in compared],
            [_evidence(agreement) for agreement in compared],
        )

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        """Compare key points with each candidate, and verify however few matches.

        Args:
            query: Description of the query.
            candidates: Descriptions.

        Returns:
            For each the number of matches, and how many of them are verified.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        compared = compare_keypoints(query, candidates, replace(self.settings, verified=ALL))
        return [(agreement.matches, agreement.inliers) for agreement in compared]

    def judge(self, similarities: Sequence[float], findings: Sequence[Finding]) -> list[Reranked]:
        """Put what is known of all pairs of a shortlist together with the similarities.

        Args:
            similarities: Of the embeddings.
            findings: Of `compare`; only the verified points of those with the most matches count,
                as in `rerank`.
        """
        matches = [int(each) for each, _ in findings]
        chosen = _to_verify(matches, self.settings)
        inliers = [
            int(each) if number in chosen else 0 for number, (_, each) in enumerate(findings)
        ]
        evidence = [
            {"matches": own, "inliers": verified}
            for own, verified in zip(matches, inliers, strict=True)
        ]
        return self._fuse(similarities, inliers, evidence)

    def _fuse(
        self,
        similarities: Sequence[float],
        inliers: Sequence[int],
        evidence: Sequence[Mapping[str, Any]],
    ) -> list[Reranked]:
        fused = self.fusion.similarity(np.array(similarities), np.array(inliers, np.int64))
        return [Reranked(float(each), own) for each, own in zip(fused, evidence, strict=True)]


def compare_keypoints(
    query: bytes, candidates: Sequence[bytes | None], settings: LocalSettings
) -> list[Agreement]:
    """Match and verify a query's key points with those of each candidate.

    Args:
        query: Description of the query.
        candidates: Descriptions; None has nothing in common with anything.
        settings: How.

    Returns:
        One for each candidate. Only the `LocalSettings.verified` candidates with the most matches
        have verified points.

    Raises:
        ModelError: If a description cannot be read.
    """
    own = KeypointFeatures.from_bytes(query)
    present = [number for number, data in enumerate(candidates) if data is not None]
    others = [KeypointFeatures.from_bytes(candidates[number] or b"") for number in present]
    matched = match_keypoints(
        own.descriptors,
        [other.descriptors for other in others],
        ratio=settings.ratio,
        mutual=settings.mutual,
    )
    chosen = _to_verify([len(matches) for matches in matched], settings)
    compared = [NOTHING] * len(candidates)
    for number, (place, other, matches) in enumerate(zip(present, others, matched, strict=True)):
        points = (
            _verified_points(own, other, matches, settings) if number in chosen else NOTHING.points
        )
        compared[place] = Agreement(len(matches), points)
    return compared


def _to_verify(matches: Sequence[int], settings: LocalSettings) -> set[int]:
    """Choose the candidates whose matches are verified, by number."""
    most_first = sorted(range(len(matches)), key=lambda number: -matches[number])
    return {
        number
        for number in most_first[: settings.verified]
        if matches[number] > MODELS[settings.model]
    }


def _verified_points(
    own: KeypointFeatures, other: KeypointFeatures, matches: Matches, settings: LocalSettings
) -> NDArray[np.float32]:
    """Give the places of the matches that agree on a mapping, (K, 4)."""
    here, there = own.points[matches.query], other.points[matches.candidate]
    verified = verify_matches(
        here * np.float32(UNIT / max(own.size)),
        there * np.float32(UNIT / max(other.size)),
        model=settings.model,
        threshold=settings.threshold * UNIT,
    )
    return np.concatenate([here, there], axis=1)[verified.inliers]


def _evidence(agreement: Agreement) -> Mapping[str, Any]:
    """Tell how many match, and where the first verified points are."""
    points = [[round(float(value), 1) for value in row] for row in agreement.points[:SHOWN]]
    return {"matches": agreement.matches, "inliers": agreement.inliers, "points": points}
