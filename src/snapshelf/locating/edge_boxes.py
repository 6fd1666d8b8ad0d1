"""`EdgeBoxes`: boxes that many edges lie in and few lead out of.

Zitnick, Dollar: Edge Boxes: Locating Object Proposals from Edges, ECCV 2014, through OpenCV
contrib.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.weights import file_digest
from snapshelf.locating.boxes import (
    Boxes,
    as_boxes,
    clip_boxes,
    empty_boxes,
    picture_box,
    scale_boxes,
)
from snapshelf.locating.edge_map import EdgeMap, colour_edges
from snapshelf.locating.proposals import Proposals
from snapshelf.locating.structured_edges import LEAST_SIDE, StructuredEdges
from snapshelf.media.picture import RGB

__all__ = ["EdgeBoxes", "EdgeBoxesSettings", "whole_picture_score"]

WEAKEST = 0.1
"""Weaker edges are not looked at (OpenCV's default)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeBoxesSettings:
    """How boxes are proposed; the defaults had the best recall of the garments of street photos.

    Attributes:
        count: Proposals at most, the whole picture not counted (the paper's P).
        longest: Pixels. A picture with a longer side is scaled down first.
        sigma: Pixels that the picture is smoothed by before its edges are found.
        contrast: The change of colour of an edge of half the strength, see `colour_edges`.
        step: In (0, 1): the IoU of neighbouring windows that are tried (the authors' alpha).
        overlap: In (0, 1): of proposals whose IoU is larger only the best is given (beta).
        size_bias: At least 1: the larger, the smaller the boxes (kappa; 1.5 by the authors).
        least_side: Pixels of the scaled picture: the root of the smallest box's area.
        aspect: Of a box's sides at most, at least 1.
    """

    count: int = 100
    longest: int = 600
    sigma: float = 2.0
    contrast: float = 30.0
    step: float = 0.65
    overlap: float = 0.5
    size_bias: float = 1.35
    least_side: float = 16.0
    aspect: float = 3.0

    def __post_init__(self) -> None:
        """Refuse settings that propose nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if self.count < 1:
            raise ValueError(f"count must be at least 1, got {self.count}")
        if not LEAST_SIDE <= self.longest <= 4000:
            raise ValueError(f"longest must be in [{LEAST_SIDE}, 4000] pixels, got {self.longest}")
        for name in ("sigma", "contrast"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("step", "overlap"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be in (0, 1), got {getattr(self, name)}")
        for name in ("size_bias", "aspect"):
            if not 1 <= getattr(self, name) < 100:
                raise ValueError(f"{name} must be in [1, 100), got {getattr(self, name)}")
        if not 4 <= self.least_side < float("inf"):
            raise ValueError(f"least_side must be at least 4 pixels, got {self.least_side}")


class EdgeBoxes:
    """A `Proposer` by the edges of a picture.

    Args:
        settings: None for the default.
        forest: A file of a structured forest to find edges with; None for the gradients of colour,
            which need no file.

    Attributes:
        settings: As given, or the default.
        forest: As given.

    Raises:
        ModelError: If the forest cannot be used.
    """

    def __init__(
        self, settings: EdgeBoxesSettings | None = None, *, forest: Path | None = None
    ) -> None:
        self.settings = settings or EdgeBoxesSettings()
        self.forest = forest
        self._forest = None if forest is None else StructuredEdges(forest)
        identity = [asdict(self.settings), None if forest is None else file_digest(forest)]
        self._digest = hashlib.blake2b(json.dumps(identity).encode(), digest_size=16)

    @property
    def fingerprint(self) -> str:
        """Hex digest of the settings and the forest."""
        return self._digest.hexdigest()

    def propose(self, picture: RGB) -> Proposals:
        """Propose boxes and the whole picture, which is scored by the same formula.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255]; grey ones have three equal channels.

        Returns:
            At most `count` + 1 proposals. Objectness is ``s / (1 + s)`` of EdgeBoxes' score s. Of a
            picture without edges, or of fewer than 32 pixels on a side once it is scaled, it is
            the whole picture alone.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            raise ValueError(f"picture must be (H, W, 3) with pixels, got {picture.shape}")
        if picture.dtype != np.uint8:
            raise ValueError(f"picture must be uint8, got {picture.dtype}")
        whole = picture_box(picture.shape)
        small = self._scaled(picture)
        if min(small.shape[:2]) < LEAST_SIDE:
            return Proposals(whole, np.zeros(1, np.float32))
        edges = self._edges(small)
        boxes, scores = self._search(edges)
        boxes = clip_boxes(scale_boxes(boxes, small.shape, picture.shape), picture.shape)
        boxes = np.concatenate([boxes, whole])
        every = np.append(scores, whole_picture_score(edges, self.settings.size_bias))
        order = np.argsort(-every, kind="stable")
        objectness: NDArray[np.float32] = (every / (1 + every)).astype(np.float32)
        return Proposals(boxes[order], objectness[order])

    def _scaled(self, picture: RGB) -> RGB:
        scale = self.settings.longest / max(picture.shape[:2])
        if scale >= 1:
            return picture
        height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return small.astype(np.uint8, copy=False)

    def _edges(self, picture: RGB) -> EdgeMap:
        if self._forest is not None:
            return self._forest.edges(picture)
        return colour_edges(picture, sigma=self.settings.sigma, contrast=self.settings.contrast)

    def _search(self, edges: EdgeMap) -> tuple[Boxes, NDArray[np.float64]]:
        # A searcher for each picture: it holds what it works on, and so is not safe in threads.
        searcher: Any = cv2.ximgproc.createEdgeBoxes(
            alpha=self.settings.step,
            beta=self.settings.overlap,
            maxBoxes=self.settings.count,
            edgeMinMag=WEAKEST,
            maxAspectRatio=self.settings.aspect,
            minBoxArea=self.settings.least_side**2,
            kappa=self.settings.size_bias,
        )
        found, scores = searcher.getBoundingBoxes(edges.strength, edges.orientation)
        # Of no boxes OpenCV gives no array of scores.
        if not len(found):
            return empty_boxes(), np.empty(0)
        corners = as_boxes(found)
        # OpenCV counts from 1, as the authors' Matlab does, and leaves out the last pixel.
        boxes = np.concatenate([corners[:, :2] - 1, corners[:, :2] + corners[:, 2:]], axis=1)
        return boxes, np.ravel(scores).astype(np.float64)


def whole_picture_score(edges: EdgeMap, size_bias: float) -> float:
    """Score the box of the whole picture, which EdgeBoxes leaves out.

    No edge leads out of it, so it is ``sum m / (w / 2 + h / 2) ** kappa`` over the edges that do
    not lie in its middle, half as wide and high (Eq. 3 and 4 of the paper).

    Args:
        edges: Of the picture.
        size_bias: The exponent kappa.
    """
    height, width = edges.strength.shape
    strong = np.where(edges.strength > WEAKEST, edges.strength, 0)
    middle = strong[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]
    outside = float(strong[1:-1, 1:-1].sum(dtype=np.float64) - middle.sum(dtype=np.float64))
    norm: float = float(height // 2 + width // 2) ** size_bias
    return max(outside, 0.0) / norm
