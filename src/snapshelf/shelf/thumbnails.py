"""Small copies of a shelf's pictures, for pages."""

from snapshelf.errors import PictureError
from snapshelf.media.decode import decode_picture
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.source import PictureSource

__all__ = ["Thumbnails"]


class Thumbnails:
    """Makes small JPEGs of a shelf's pictures, each once.

    Args:
        source: Reads the pictures as the feed names them.
        longest_side: Of a thumbnail, in pixels.
    """

    def __init__(self, source: PictureSource, *, longest_side: int = 320) -> None:
        self._source = source
        self._longest_side = longest_side
        self._made: dict[str, bytes | None] = {}

    def __call__(self, image: str) -> bytes | None:
        """Give the JPEG of an image, None where it cannot be read (any more)."""
        if image not in self._made:
            try:
                self._made[image] = self.small(self._source.read(image))
            except PictureError:
                self._made[image] = None
        return self._made[image]

    def small(self, data: bytes) -> bytes:
        """Make the JPEG of a picture's bytes.

        Raises:
            PictureError: If they are no picture.
        """
        return encode_jpeg(decode_picture(data), longest_side=self._longest_side)
