"""`WholeIfPlain`: product shots on a plain background stay whole, other pictures are located in."""

import hashlib
from dataclasses import dataclass

from snapshelf.locating.locator import Locator
from snapshelf.locating.plain_border import has_plain_border
from snapshelf.locating.region import Region
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.media.picture import RGB

__all__ = ["WholeIfPlain"]


@dataclass(frozen=True, slots=True)
class WholeIfPlain:
    """A `Locator` that decides for each picture, by its border, whether there is anything to find.

    Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
    Section III, keeps the pictures of the online domain whole, for their white background. Here a
    picture is judged by what it shows, not by where it comes from: a shop has street photos too,
    and users send product shots.

    Attributes:
        inner: Locates in pictures without a plain border.
    """

    inner: Locator

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides which regions come out."""
        identity = f"whole if plain, else {self.inner.fingerprint}"
        return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Give the whole picture if its border is plain, else what the inner locator finds.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        located = WholePicture() if has_plain_border(picture) else self.inner
        return located.locate(picture)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give the inner locator's: who asks for a part of a product shot shall have it.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
        """
        return self.inner.candidates(picture)
