"""`DetectorLocator`: the items of a picture are what a detector finds."""

import hashlib
import json

import numpy as np

from snapshelf.features.computing import current
from snapshelf.locating.boxes import as_boxes
from snapshelf.locating.detector import Detector, detect
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.locating.region import Region
from snapshelf.locating.suppression import suppress
from snapshelf.media.picture import RGB

__all__ = ["DetectorLocator"]


class DetectorLocator:
    """A `Locator` by Faster or Fast R-CNN, which tells classes too.

    Args:
        detector: As `build_detector` makes it, trained; put into evaluation mode.
        settings: That it was built with.
        most: Regions of a picture at most, at least 1.
        overlap: In [0, 1]. Of regions whose IoU is larger only the best is an item, whatever their
            classes.
        least: In [0, 1]. What is less likely is no item; the whole picture counts as so likely.
        device: A torch device; None for what `computing` tells.

    Raises:
        ValueError: If a number is out of range.
    """

    def __init__(
        self,
        detector: Detector,
        settings: DetectorSettings,
        *,
        most: int = 5,
        overlap: float = 0.5,
        least: float = 0.3,
        device: str | None = None,
    ) -> None:
        if most < 1:
            raise ValueError(f"most must be at least 1, got {most}")
        if not 0 <= overlap <= 1 or not 0 <= least <= 1:
            raise ValueError(f"overlap and least must be in [0, 1], got {overlap} and {least}")
        device = current().device if device is None else device
        self.detector = detector.eval().to(device)
        self.settings = settings
        self.most = most
        self.overlap = overlap
        self.least = least
        self._device = device
        digest = hashlib.blake2b(digest_size=16)
        numbers = [settings.to_dict(), most, overlap, least]
        digest.update(json.dumps(numbers, sort_keys=True).encode())
        for name, tensor in sorted(detector.state_dict().items()):
            digest.update(name.encode() + tensor.cpu().numpy().tobytes())
        self._fingerprint = digest.hexdigest()

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides which regions come out."""
        return self._fingerprint

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Find the items of a picture, most confident first.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            At least one region: where nothing is likely enough, the whole picture.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        found = [region for region in self._detect(picture) if region.confidence >= self.least]
        if not found:
            return (self._whole(picture),)
        chosen = suppress(
            as_boxes([region.box for region in found]),
            np.array([region.confidence for region in found]),
            overlap=self.overlap,
            most=self.most,
        )
        return tuple(found[index] for index in chosen)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give all that the detector finds, and the whole picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Raises:
            ValueError: As `locate`.
        """
        every = (*self._detect(picture), self._whole(picture))
        return tuple(sorted(every, key=lambda region: -region.confidence))

    def _detect(self, picture: RGB) -> tuple[Region, ...]:
        return detect(self.detector, picture, self.settings, device=self._device)

    def _whole(self, picture: RGB) -> Region:
        height, width = picture.shape[:2]
        return Region((0.0, 0.0, float(width), float(height)), confidence=self.least)
