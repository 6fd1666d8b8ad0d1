"""Pictures in: reading, fetching and decoding them within bounds."""

from snapshelf.media.content import content_hash
from snapshelf.media.decode import decode_picture
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.fetcher import Fetcher
from snapshelf.media.limits import Limits
from snapshelf.media.picture import RGB
from snapshelf.media.source import PictureSource

__all__ = [
    "RGB",
    "Fetcher",
    "Limits",
    "PictureSource",
    "content_hash",
    "decode_picture",
    "encode_jpeg",
]
