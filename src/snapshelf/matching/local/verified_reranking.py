"""Re-ranking by verified key points: a few matrix products, then geometry, then colours."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.matching.local.colour_agreement import chroma_of, colour_agreement
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.keypoint_features import find_keypoints
from snapshelf.matching.local.keypoint_matching import Matches, match_keypoints
from snapshelf.matching.local.local_description import LocalDescription
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verification import MODELS, verify_matches
from snapshelf.matching.remembering_reranker import Finding
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB

__all__ = ["Agreement", "VerifiedReranker", "compare_keypoints", "leave_unverified"]

SHOWN = 60
"""Verified points given as evidence, at most."""

ALL = 65535
"""Verify every candidate, of shortlists of any length that can be re-ranked."""

UNIT = 512.0
"""Longer side of a picture as geometry sees it: estimators expect numbers the size of pixels."""

QUERY_CHROMA, SHOP_CHROMA = 192, 64
"""Longer sides of the colours that are compared: of a gallery picture as little as does."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What a query and a candidate have in common.

    Attributes:
        matches: How many are matched.
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


NOTHING = Agreement(0, np.empty((0, 4), np.float32))
NO_FINDING: Finding = (0.0, 0.0, 0.0)


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
        parts = (
            f"rootsift {settings.shop_side} {settings.shop_most} {settings.contrast!r}, "
            f"chroma {SHOP_CHROMA}"
        )
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    @property
    def comparison(self) -> str:
        """Hex digest of what decides a description, of both sides, and a comparison of two."""
        parts = {name: value for name, value in asdict(self.settings).items() if name != "verified"}
        what = f"rootsift {parts}, chroma {QUERY_CHROMA} {SHOP_CHROMA}"
        return hashlib.blake2b(what.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Find a picture's key points, and keep its colours.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: Queries and gallery pictures have sizes and a number of points of their own.
        """
        settings, street = self.settings, domain is Domain.STREET
        keypoints = find_keypoints(
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
            query, [candidate.description for candidate in candidates], self.settings
        )
        return self._fuse(
            [candidate.similarity for candidate in candidates],
            [(agreement.matches, agreement.inliers, agreement.colour) for agreement in compared],
            [_evidence(agreement) for agreement in compared],
        )

    def compare(self, query: bytes, candidates: Sequence[bytes]) -> list[Finding]:
        """Compare with each candidate, and verify however few matches.

        Args:
            query: Description of the query.
            candidates: Descriptions.

        Returns:
            For each the number of matches, how many of them are verified, and whether the colours
            fit there.

        Raises:
            ModelError: If a description is not of `describe`'s making.
        """
        compared = compare_keypoints(query, candidates, replace(self.settings, verified=ALL))
        return [(agreement.matches, agreement.inliers, agreement.colour) for agreement in compared]

    def judge(
        self, similarities: Sequence[float], findings: Sequence[Finding | None]
    ) -> list[Reranked]:
        """Put what is known of a shortlist's pairs together with the similarities.

        Args:
            similarities: Of the embeddings.
            findings: Of `compare`, None of a candidate without a description.
        """
        known = leave_unverified([found or NO_FINDING for found in findings], self.settings)
        evidence = [
            {"matches": int(matches), "inliers": int(inliers), "colour": round(colour, 3)}
            for matches, inliers, colour in known
        ]
        return self._fuse(similarities, known, evidence)

    def _fuse(
        self,
        similarities: Sequence[float],
        findings: Sequence[Finding],
        evidence: Sequence[Mapping[str, Any]],
    ) -> list[Reranked]:
        fused = self.fusion.similarity(
            np.array(similarities, np.float64),
            np.array([inliers for _, inliers, _ in findings], np.int64),
            np.array([colour for _, _, colour in findings], np.float64),
        )
        return [Reranked(float(each), own) for each, own in zip(fused, evidence, strict=True)]


def leave_unverified(findings: Sequence[Finding], settings: LocalSettings) -> list[Finding]:
    """Leave out what is verified of a shortlist's candidates with few matches.

    Args:
        findings: As `VerifiedReranker.compare` gives them, of a whole shortlist.
        settings: How many candidates are verified.

    Returns:
        The same findings, but only those that `compare_keypoints` verifies have inliers.
    """
    chosen = _to_verify([int(matches) for matches, _, _ in findings], settings)
    return [
        found if number in chosen else (found[0], 0.0, 0.0) for number, found in enumerate(findings)
    ]


def compare_keypoints(
    query: bytes, candidates: Sequence[bytes | None], settings: LocalSettings
) -> list[Agreement]:
    """Match and verify a query's key points with those of each candidate, and compare colours.

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
    own = LocalDescription.from_bytes(query)
    present = [number for number, data in enumerate(candidates) if data is not None]
    others = [LocalDescription.from_bytes(candidates[number] or b"") for number in present]
    matched = match_keypoints(
        own.keypoints.descriptors,
        [other.keypoints.descriptors for other in others],
        ratio=settings.ratio,
        mutual=settings.mutual,
    )
    chosen = _to_verify([len(matches) for matches in matched], settings)
    compared = [NOTHING] * len(candidates)
    for number, (place, other, matches) in enumerate(zip(present, others, matched, strict=True)):
        if number in chosen:
            compared[place] = _verified(own, other, matches, settings)
        else:
            compared[place] = Agreement(len(matches), NOTHING.points)
    return compared


def _to_verify(matches: Sequence[int], settings: LocalSettings) -> set[int]:
    """Choose the candidates whose matches are verified, by number."""
    most_first = sorted(range(len(matches)), key=lambda number: -matches[number])
    return {
        number
        for number in most_first[: settings.verified]
        if matches[number] > MODELS[settings.model]
    }


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
        return Agreement(len(matches), NOTHING.points)
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
