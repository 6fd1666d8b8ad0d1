"""`RankedProposals`: the items of a picture are its best proposals.

picture ──► proposals with their objectness ──► objectness network, deformable part model of each
        ──► RankSVM ──► non-maximum suppression ──► regions

Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
Section III-B-1. The paper takes the best proposal; here it is as many as a photo may have items.
"""

import hashlib
import json
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxed_picture import BoxedPicture
from snapshelf.locating.boxes import Boxes, iou
from snapshelf.locating.proposal_confidence import ProposalConfidence
from snapshelf.locating.proposal_ranking import ProposalRanking, RankingSettings, fit_ranking
from snapshelf.locating.proposals import Proposals, Proposer
from snapshelf.locating.region import Region
from snapshelf.locating.suppression import suppress
from snapshelf.media.picture import RGB

__all__ = ["RankedProposals", "proposal_features", "train_ranking"]


class RankedProposals:
    """A `Locator` that ranks proposals. The whole picture is one of them, and may be the best.

    Args:
        proposer: Makes the proposals.
        confidences: What looks at them besides, in the order of the ranking's weights.
        ranking: Its first weight is that of the objectness, then one for each of `confidences`.
        most: Regions of a picture at most, at least 1.
        overlap: In [0, 1]. Of proposals whose IoU is larger only the best becomes a region.
        least: In [0, 1]. Regions behind the first are dropped where their confidence is lower.

    Raises:
        ValueError: If the weights and the confidences do not go together, or a number is out of
            range.
    """

    def __init__(
        self,
        proposer: Proposer,
        confidences: Sequence[ProposalConfidence] = (),
        ranking: ProposalRanking = ProposalRanking((1.0,)),  # noqa: B008
        *,
        most: int = 5,
        overlap: float = 0.5,
        least: float = 0.0,
    ) -> None:
        if len(ranking.weights) != 1 + len(confidences):
            raise ValueError(
                f"ranking must have {1 + len(confidences)} weights, for the objectness and "
                f"{len(confidences)} confidences, got {len(ranking.weights)}"
            )
        if most < 1:
            raise ValueError(f"most must be at least 1, got {most}")
        if not 0 <= overlap <= 1 or not 0 <= least <= 1:
            raise ValueError(f"overlap and least must be in [0, 1], got {overlap} and {least}")
        self.proposer = proposer
        self.confidences = tuple(confidences)
        self.ranking = ranking
        self.most = most
        self.overlap = overlap
        self.least = least

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides which regions come out."""
        parts = [
            self.proposer.fingerprint,
            [confidence.fingerprint for confidence in self.confidences],
            self.ranking.to_dict(),
            [self.most, self.overlap, self.least],
        ]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Find the regions of a picture that may hold an item, most confident first.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            At least one region; confidence is the probability that it covers an item.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        boxes, quality = self._ranked(picture)
        chosen = suppress(boxes, quality, overlap=self.overlap, most=self.most)
        first, *others = self._regions(boxes[chosen], quality[chosen])
        return first, *(region for region in others if region.confidence >= self.least)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give every proposal, however many cover one thing, most confident first.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            A region for each proposal, the whole picture among them.

        Raises:
            ValueError: As `locate`.
        """
        boxes, quality = self._ranked(picture)
        order = np.argsort(-quality, kind="stable")
        return self._regions(boxes[order], quality[order])

    def _ranked(self, picture: RGB) -> tuple[Boxes, NDArray[np.float32]]:
        proposals = self.proposer.propose(picture)
        features = proposal_features(picture, proposals, self.confidences)
        return proposals.boxes, self.ranking.quality(features)

    def _regions(self, boxes: Boxes, quality: NDArray[np.float32]) -> tuple[Region, ...]:
        curve = self.ranking.calibration
        return tuple(
            Region((x0, y0, x1, y1), confidence=curve.confidence(value))
            for (x0, y0, x1, y1), value in zip(boxes.tolist(), quality.tolist(), strict=True)
        )


def proposal_features(
    picture: RGB, proposals: Proposals, confidences: Sequence[ProposalConfidence]
) -> NDArray[np.float32]:
    """Give ``h`` of each proposal (Algorithm 1, line 6): its objectness, then every confidence.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        proposals: Of that picture.
        confidences: What looks at them.

    Returns:
        (P, 1 + K) float32.

    Raises:
        ValueError: If a confidence is not finite or there is not one for each proposal.
    """
    columns = [proposals.objectness]
    for confidence in confidences:
        values = confidence.confidences(picture, proposals.boxes)
        if values.shape != (len(proposals),) or not np.isfinite(values).all():
            raise ValueError(
                f"{type(confidence).__name__} must give {len(proposals)} finite confidences, "
                f"got shape {values.shape}"
            )
        columns.append(values)
    return np.stack(columns, axis=1).astype(np.float32)


def train_ranking(
    pictures: Sequence[BoxedPicture],
    proposer: Proposer,
    confidences: Sequence[ProposalConfidence],
    settings: RankingSettings | None = None,
    *,
    tell: Callable[[str], None] = lambda _line: None,
) -> ProposalRanking:
    """Learn the weights of confidences on boxed pictures (Algorithm 1).

    A picture with several objects gives a proposal the IoU with that which it covers best.

    Args:
        pictures: Those without boxes are passed over.
        proposer: Makes the proposals.
        confidences: What looks at them.
        settings: None for the default.
        tell: Called with a line on what has been done.

    Raises:
        ValueError: If no picture has boxes, or no two proposals differ in IoU.
        PictureError: If a picture cannot be read.
        ModelError: If scikit-learn is not installed.
    """
    features, overlaps = [], []
    for picture in pictures:
        if not len(picture.boxes):
            continue
        pixels = picture.read()
        proposals = proposer.propose(pixels)
        features.append(proposal_features(pixels, proposals, confidences))
        overlaps.append(iou(proposals.boxes, picture.boxes).max(axis=1))
    if not features:
        raise ValueError("pictures must have boxes, got none")
    ranking = fit_ranking(features, overlaps, settings)
    tell(f"weights {[round(weight, 3) for weight in ranking.weights]} of {len(features)} pictures")
    return ranking
