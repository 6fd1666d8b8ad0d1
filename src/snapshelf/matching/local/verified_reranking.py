"""Re-ranking by verified key points: a few matrix products, then geometry, then colours.

The strongest key points of every candidate are matched first, at a twelfth of the cost of matching
all, and only the candidates with the most such matches are looked at closely. What finds the key
points and matches them closely is injected: SIFT, or networks (`learned_matching`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.matching.local.colour_agreement import chroma_of, colour_agreement
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.keypoint_matching import Matches, match_keypoints
from snapshelf.matching.local.keypoint_method import SIFT, KeypointMethod
from snapshelf.matching.local.local_description import LocalDescription
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verification import verify_matches
from snapshelf.matching.remembering_reranker import Finding
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB

__all__ = ["Agreement", "VerifiedReranker", "compare_keypoints", "leave_to_look_at"]

SHOWN = 60
"""Verified points given as evidence, at most."""

UNIT = 512.0
"""Longer side of a picture as geometry sees it: estimators expect numbers the size of pixels."""

QUERY_CHROMA, SHOP_CHROMA = 192, 64
"""Longer sides of the colours that are compared: of a gallery picture as little as does."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What a query and a candidate have in common.

    Attributes:
        matches: How many key points are matched.
        points: (K, 4) float32, of the K verified ones: x and y in pixels of the query, then of the
            candidate.
        colour: Whether the colours fit where the points do, in [-1, 1]; 0 without points.
    """

    matches: int
    points: NDArray[np.float32]
    colour: float = 0.0

    @property
    def inliers(self) -> int:
        """How many matches are verified."""
        return len(self.points)


NO_POINTS = np.empty((0, 4), np.float32)


class VerifiedReranker:
    """Adds to a candidate's similarity what its verified key points say.

    Args:
        settings: Of the key points.
        fusion: How much they say.
        depth: Candidates that are looked at, at least 1.
        method: What finds the key points, and matches them.

    Raises:
        ValueError: If `depth` is below 1.
    """

    def __init__(
        self,
        settings: LocalSettings,
        fusion: Fusion,
        *,
        depth: int = 100,
        method: KeypointMethod = SIFT,
    ) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self.settings = settings
        self.fusion = fusion
        self.depth = depth
        self.method = method

    @property
    def fingerprint(self) -> str:
        """Hex digest of what decides a gallery picture's description."""
        settings = self.settings
        parts = (
            f"{self.method.finding} {settings.shop_side} {settings.shop_most} "
            f"{settings.contrast!r}, chroma {SHOP_CHROMA}"
        )
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    @property
    def comparison(self) -> str:
        """Hex digest of what decides a description, of both sides, and a comparison of two."""
        parts = {name: value for name, value in asdict(self.settings).items() if name != "verified"}
        what = f"{self.method.matching} {parts}, chroma {QUERY_CHROMA} {SHOP_CHROMA}"
        return hashlib.blake2b(what.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Find a picture's key points, and keep its colours.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: Queries and gallery pictures have sizes and a number of points of their own.
        """
        settings, street = self.settings, domain is Domain.STREET
        keypoints = self.method.find(
            picture,
            side=settings.query_side if street else settings.shop_side,
            most=settings.query_most if street else settings.shop_most,
            contrast=settings.contrast,
        )
        chroma = chroma_of(picture, QUERY_CHROMA if street else SHOP_CHROMA)
        return LocalDescription(keypoints, chroma).to_bytes()

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> list[Reranked]:
        """Compare key points and colours, and put them together with the embeddings' similarities.

        Args:
            query: Description of the query.
            candidates: Those without a description have no inliers.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        compared = compare_keypoints(
            query,
            [candidate.description for candidate in candidates],
            self.settings,
            self.method,
        )
        return self._fuse(
            [candidate.similarity for candidate in candidates],
            [(each.inliers, each.colour) if each else (0, 0.0) for each in compared],
            [_evidence(each) if each else {} for each in compared],
        )

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        """Look closely at each candidate.

        Args:
            query: Description of the query.
            candidates: Descriptions.

        Returns:
            For each the number of matches among the strongest key points; of all matches; of those
            that are verified; and whether the colours fit there.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        own = LocalDescription.from_bytes(query)
        others = [LocalDescription.from_bytes(candidate) for candidate in candidates]
        first = _first_matches(own, others, self.settings)
        agreed = _agree(own, others, self.settings, self.method)
        return [
            (number, agreement.matches, agreement.inliers, agreement.colour)
            for number, agreement in zip(first, agreed, strict=True)
        ]

    def judge(
        self, similarities: Sequence[float], findings: Sequence[Finding | None]
    ) -> list[Reranked]:
        """Put what is known of a shortlist's pairs together with the similarities.

        Args:
            similarities: Of the embeddings.
            findings: Of `compare`, None of a candidate without a description.
        """
        known = leave_to_look_at(findings, self.settings)
        evidence = [
            {"matches": int(found[1]), "inliers": int(found[2]), "colour": round(found[3], 3)}
            if found
            else {}
            for found in known
        ]
        said = [(found[2], found[3]) if found else (0, 0.0) for found in known]
        return self._fuse(similarities, said, evidence)

    def _fuse(
        self,
        similarities: Sequence[float],
        said: Sequence[tuple[float, float]],
        evidence: Sequence[Mapping[str, Any]],
    ) -> list[Reranked]:
        """Put similarities together with the number of verified points and the colours of each."""
        fused = self.fusion.similarity(
            np.array(similarities, np.float64),
            np.array([inliers for inliers, _ in said], np.int64),
            np.array([colour for _, colour in said], np.float64),
        )
        return [Reranked(float(each), own) for each, own in zip(fused, evidence, strict=True)]


def leave_to_look_at(
    findings: Sequence[Finding | None], settings: LocalSettings
) -> list[Finding | None]:
    """Leave of a shortlist what `compare_keypoints` looks at closely.

    Args:
        findings: As `VerifiedReranker.compare` gives them, of a whole shortlist; None of a
            candidate without a description.
        settings: How many candidates are looked at.

    Returns:
        The same findings, None for the others.
    """
    first = {number: int(found[0]) for number, found in enumerate(findings) if found}
    chosen = _most(first, settings.verified)
    return [found if number in chosen else None for number, found in enumerate(findings)]


def compare_keypoints(
    query: bytes,
    candidates: Sequence[bytes | None],
    settings: LocalSettings,
    method: KeypointMethod,
) -> list[Agreement | None]:
    """Match and verify a query's key points with those of each candidate, and compare colours.

    Args:
        query: Description of the query.
        candidates: Descriptions, None where there is none, in the order of the shortlist.
        settings: How.
        method: What has found the key points, and matches them.

    Returns:
        One for each candidate, None for those that are not looked at: all but the
        `LocalSettings.verified` ones that have the most matches among the strongest key points, the
        shortlist's first of equals.

    Raises:
        ModelError: If a description cannot be read.
    """
    own = LocalDescription.from_bytes(query)
    places = [number for number, data in enumerate(candidates) if data is not None]
    others = [LocalDescription.from_bytes(candidates[place] or b"") for place in places]
    first = _first_matches(own, others, settings)
    chosen = _most(dict(enumerate(first)), settings.verified)
    compared: list[Agreement | None] = [None] * len(candidates)
    for number, agreement in zip(
        chosen, _agree(own, [others[number] for number in chosen], settings, method), strict=True
    ):
        compared[places[number]] = agreement
    return compared


def _first_matches(
    own: LocalDescription, others: Sequence[LocalDescription], settings: LocalSettings
) -> list[int]:
    """Count the matches of the strongest key points with each of the others."""
    matched = match_keypoints(
        own.keypoints.descriptors[: settings.query_first],
        [other.keypoints.descriptors[: settings.shop_first] for other in others],
        ratio=settings.ratio,
        mutual=settings.mutual,
    )
    return [len(matches) for matches in matched]


def _most(counts: Mapping[int, int], number: int) -> list[int]:
    """Give the candidates with the largest counts, the first of equal ones."""
    return sorted(counts, key=lambda candidate: -counts[candidate])[:number]


def _agree(
    own: LocalDescription,
    others: Sequence[LocalDescription],
    settings: LocalSettings,
    method: KeypointMethod,
) -> list[Agreement]:
    """Match all key points with each of the others, verify them, and compare the colours."""
    matched = method.match(own.keypoints, [other.keypoints for other in others], settings)
    return [
        _verified(own, other, matches, settings)
        for other, matches in zip(others, matched, strict=True)
    ]


def _verified(
    own: LocalDescription, other: LocalDescription, matches: Matches, settings: LocalSettings
) -> Agreement:
    """Find the matches that agree on a mapping, and compare the colours under it."""
    here, there = own.keypoints, other.keypoints
    points = np.concatenate([here.points[matches.query], there.points[matches.candidate]], axis=1)
    units = np.repeat([1 / max(here.size), 1 / max(there.size)], 2).astype(np.float32)
    scaled = points * units * np.float32(UNIT)
    verified = verify_matches(
        scaled[:, :2],
        scaled[:, 2:],
        model=settings.model,
        threshold=settings.threshold * UNIT,
    )
    if verified.mapping is None:
        return Agreement(len(matches), NO_POINTS)
    to_unit, from_unit = np.diag([1 / UNIT, 1 / UNIT, 1]), np.diag([UNIT, UNIT, 1])
    colour = colour_agreement(
        own.chroma,
        other.chroma,
        to_unit @ verified.mapping @ from_unit,
        scaled[verified.inliers, 2:] / np.float32(UNIT),
    )
    return Agreement(len(matches), points[verified.inliers], colour)


def _evidence(agreement: Agreement) -> Mapping[str, Any]:
    """Tell how many match, and where the first verified points are."""
    points = [[round(float(value), 1) for value in row] for row in agreement.points[:SHOWN]]
    return {
        "matches": agreement.matches,
        "inliers": agreement.inliers,
        "colour": round(agreement.colour, 3),
        "points": points,
    }
