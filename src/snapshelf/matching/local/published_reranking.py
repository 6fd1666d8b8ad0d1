"""Re-ranking by SIFT as it was published: pair by pair, by the number of matches.

Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval, sections 3.1.1 and 3.4.2.
It is what `VerifiedReranker` is measured against, and what the paper's tables are made with.
"""

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.matching.local.keypoint_features import KeypointFeatures, find_keypoints
from snapshelf.matching.remembering_reranker import Finding
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB

__all__ = ["PublishedReranker", "flann_matches"]

RATIO = 0.8
"""Of the nearest distance to the second nearest; above, a match is rejected."""

TREES, CHECKS = 5, 50
"""FLANN's randomised k-d trees, and the leaves that a search looks at."""

FLANN_KDTREE = 1


class PublishedReranker:
    """Counts the matches of SIFT descriptors that FLANN finds.

    The similarity is the number of matches and, below 1, how near they are: the paper considers
    "the distances between matched descriptors to avoid tie problems" and does not say how, so it is
    ``1 / (1 + mean distance)`` here. FLANN's trees are random: a few matches may differ from
    run to run.

    Args:
        depth: Candidates that are looked at; 100 in the paper.

    Raises:
        ValueError: If `depth` is below 1.
    """

    def __init__(self, depth: int = 100) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self.depth = depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of what a description is."""
        return hashlib.blake2b(b"sift, own size, all", digest_size=16).hexdigest()

    @property
    def comparison(self) -> str:
        """Hex digest of what decides a description and a comparison."""
        parts = f"{self.fingerprint} flann {TREES} {CHECKS} {RATIO}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:  # noqa: ARG002
        """Find all key points of a picture at its own size.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: Makes no difference.
        """
        return find_keypoints(picture, side=None, root=False).to_bytes()

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> list[Reranked]:
        """Match with one candidate after the other.

        Args:
            query: Description of the query.
            candidates: Those without a description have no match.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        present = [each.description for each in candidates if each.description is not None]
        found = iter(self.compare(query, present))
        findings = [None if each.description is None else next(found) for each in candidates]
        return self.judge([each.similarity for each in candidates], findings)

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        """Match with one candidate after the other.

        Args:
            query: Description of the query.
            candidates: Descriptions.

        Returns:
            For each the number of matches, and the mean distance of their descriptors, 0 of none.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        own = KeypointFeatures.from_bytes(query)
        found: list[Finding] = []
        for candidate in candidates:
            distances = flann_matches(own, KeypointFeatures.from_bytes(candidate))
            found.append((len(distances), float(np.mean(distances)) if distances else 0.0))
        return found

    def judge(
        self,
        similarities: Sequence[float],  # noqa: ARG002
        findings: Sequence[Finding | None],
    ) -> list[Reranked]:
        """Order candidates by the number of matches, and equal ones by their distance.

        Args:
            similarities: Of the embeddings; they make no difference.
            findings: Of `compare`, None of a candidate without a description.
        """
        return [
            Reranked(matches + 1 / (1 + distance) if matches else 0.0, {"matches": int(matches)})
            for matches, distance in (found or (0.0, 0.0) for found in findings)
        ]


def flann_matches(query: KeypointFeatures, candidate: KeypointFeatures) -> list[float]:
    """Match a query's key points with a candidate's by FLANN and the ratio test.

    Args:
        query: Of the query.
        candidate: With fewer than two key points it has no match: there is no second nearest.

    Returns:
        The distance of each match's descriptors.
    """
    if not len(query) or len(candidate) < 2:
        return []
    matcher = cv2.FlannBasedMatcher({"algorithm": FLANN_KDTREE, "trees": TREES}, {"checks": CHECKS})
    pairs = matcher.knnMatch(
        query.descriptors.astype(np.float32), candidate.descriptors.astype(np.float32), k=2
    )
    return [
        float(pair[0].distance)
        for pair in pairs
        if len(pair) == 2 and pair[0].distance <= RATIO * pair[1].distance
    ]
