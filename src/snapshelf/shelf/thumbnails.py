"""Small copies of a shelf's pictures, for pages."""

from dataclasses import dataclass

from snapshelf.errors import PictureError
from snapshelf.media.decode import decode_picture
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.source import PictureSource

__all__ = ["Thumbnail", "Thumbnails"]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small copy of a picture.

    Attributes:
        jpeg: The bytes of its file.
        size: (width, height) in pixels of the picture that it is a copy of; None where that is
            not known.
    """

    jpeg: bytes
    size: tuple[int, int] | None = None


class Thumbnails:
    """Makes small JPEGs of a shelf's pictures, each once.

    Args:
        source: Reads the pictures as the feed names them.
        longest_side: Of a thumbnail, in pixels.
    """

    def __init__(self, source: PictureSource, *, longest_side: int = 320) -> None:
        self._source = source
        self._longest_side = longest_side
        self._made: dict[str, Thumbnail | None] = {}

    def __call__(self, image: str) -> Thumbnail | None:
        """Give the thumbnail of an image, None where it cannot be read (any more)."""
        if image not in self._made:
            try:
                self._made[image] = self.small(self._source.read(image))
            except PictureError:
                self._made[image] = None
        return self._made[image]

    def small(self, data: bytes) -> Thumbnail:
        """Make the thumbnail of a picture's bytes.

        Raises:
            PictureError: If they are no picture.
        """
        picture = decode_picture(data)
        height, width = picture.shape[:2]
        return Thumbnail(encode_jpeg(picture, longest_side=self._longest_side), (width, height))
