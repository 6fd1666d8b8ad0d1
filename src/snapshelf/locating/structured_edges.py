"""Edges by a structured forest that a user brings along.

Dollar, Zitnick: Structured Forests for Fast Edge Detection, ICCV 2013, through OpenCV contrib. Its
documentation names the published file, ``model.yml.gz``.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from snapshelf.errors import ModelError
from snapshelf.locating.edge_map import EdgeMap
from snapshelf.media.picture import RGB

__all__ = ["LEAST_SIDE", "StructuredEdges"]

LEAST_SIDE = 32
"""Pixels: the forest looks at patches of this size."""

OPTIONS = (
    "stride",
    "shrinkNumber",
    "patchSize",
    "patchInnerSize",
    "numberOfGradientOrientations",
    "selfsimilarityGridSize",
    "numberOfTrees",
    "numberOfTreesToEvaluate",
)
TREES = ("childs", "featureIds", "thresholds")

REACH, BORDER, CONSERVATIVE = 2, 0, 1.0
"""Of the thinning, as OpenCV has it by default."""


class StructuredEdges:
    """A structured forest.

    Args:
        file: In OpenCV's format. OpenCV trusts what the trees say, so take it from somebody you
            trust.

    Raises:
        ModelError: If it cannot be read, or is no structured forest.
    """

    def __init__(self, file: Path) -> None:
        _check_forest(file)
        self._forest: Any = cv2.ximgproc.createStructuredEdgeDetection(str(file))

    def edges(self, picture: RGB) -> EdgeMap:
        """Find the edges of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], each side at least 32.
        """
        found = self._forest.detectEdges(picture.astype(np.float32) / 255)
        orientation = self._forest.computeOrientation(found)
        strength = self._forest.edgesNms(
            found, orientation, r=REACH, s=BORDER, m=CONSERVATIVE, isParallel=True
        )
        return EdgeMap(np.clip(strength, 0, 1), orientation)


def _check_forest(file: Path) -> None:
    """Refuse what OpenCV would divide by zero with, or read past its end of."""
    if not file.is_file():
        raise ModelError(f"{file} is no file: expected a structured forest of OpenCV, model.yml.gz")
    try:
        storage = cv2.FileStorage(str(file), cv2.FILE_STORAGE_READ)
        opened = storage.isOpened()
    except (cv2.error, SystemError) as error:
        raise ModelError(f"{file} cannot be read as a structured forest: {error}") from error
    if not opened:
        raise ModelError(f"{file} cannot be read as a structured forest")
    try:
        options = storage.getNode("options")
        for name in OPTIONS:
            node = options.getNode(name) if options.isMap() else options
            if not node.isInt() or not node.real() >= 1:
                raise ModelError(f"{file} is no structured forest: {name} must be at least 1")
        trees = int(options.getNode("numberOfTrees").real())
        for name in TREES:
            node = storage.getNode(name)
            if not node.isSeq() or node.size() != trees:
                raise ModelError(f"{file} is no structured forest: expected {trees} {name}")
    finally:
        storage.release()
