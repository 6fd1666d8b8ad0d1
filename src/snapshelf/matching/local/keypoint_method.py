"""`KeypointMethod`: what finds key points and matches them closely; SIFT, unless told otherwise."""

from collections.abc import Sequence
from typing import Protocol

from snapshelf.matching.local.keypoint_features import KeypointFeatures, find_keypoints
from snapshelf.matching.local.keypoint_matching import Matches, match_keypoints
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.media.picture import RGB

__all__ = ["SIFT", "KeypointMethod", "SiftMethod"]


class KeypointMethod(Protocol):
    """Finds the key points of a picture, and matches those of two."""

    @property
    def finding(self) -> str:
        """What decides the key points of a picture, beside the settings."""
        ...

    @property
    def matching(self) -> str:
        """What decides key points and their matches, beside the settings."""
        ...

    def find(self, picture: RGB, *, side: int, most: int, contrast: float) -> KeypointFeatures:
        """Find the strongest key points of a picture; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], from 1 x 1.
            side: The picture is scaled until its longer side has so many pixels.
            most: Key points at most.
            contrast: As in `LocalSettings`; only SIFT has a use for it.

        Returns:
            The key points, the strongest first; descriptors that are nearer are more alike.
        """
        ...

    def match(
        self,
        query: KeypointFeatures,
        candidates: Sequence[KeypointFeatures],
        settings: LocalSettings,
    ) -> list[Matches]:
        """Match all key points of a query with those of each candidate.

        Args:
            query: As `find` gives them; any number.
            candidates: Likewise.
            settings: How near matched key points must be.
        """
        ...


class SiftMethod:
    """RootSIFT, matched by descriptors that are each other's nearest."""

    finding = "rootsift"
    matching = "rootsift"

    def find(self, picture: RGB, *, side: int, most: int, contrast: float) -> KeypointFeatures:
        """Do what `find_keypoints` does."""
        return find_keypoints(picture, side=side, most=most, contrast=contrast)

    def match(
        self,
        query: KeypointFeatures,
        candidates: Sequence[KeypointFeatures],
        settings: LocalSettings,
    ) -> list[Matches]:
        """Do what `match_keypoints` does."""
        return match_keypoints(
            query.descriptors,
            [candidate.descriptors for candidate in candidates],
            ratio=settings.ratio,
            mutual=settings.mutual,
        )


SIFT = SiftMethod()
