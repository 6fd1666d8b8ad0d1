"""Pictures of products, as the service shows them."""

from urllib.parse import quote

from snapshelf.media.decode import decode_picture
from snapshelf.media.encode import encode_jpeg
from snapshelf.service.parts import Parts
from snapshelf.shelf.changing import picture_source

__all__ = ["is_url", "picture_address", "small_jpeg"]


def is_url(source: str) -> bool:
    """Whether a feed names a picture by its address."""
    return source.lower().startswith(("http://", "https://"))


def picture_address(product_id: str, number: int) -> str:
    """Give where the service shows a picture of a product.

    Example:
        >>> picture_address("A/1 b", 0)
        '/v1/products/A%2F1%20b/images/0'
    """
    return f"/v1/products/{quote(product_id, safe='', errors='replace')}/images/{number}"


def small_jpeg(parts: Parts, source: str, longest_side: int) -> bytes:
    """Read a picture of the feed's folder and make it smaller.

    What is shown has been decoded and written anew, so whatever else its file holds stays behind.

    Args:
        parts: Of the service.
        source: The picture as the feed names it, no URL.
        longest_side: In pixels.

    Returns:
        A JPEG file.

    Raises:
        PictureError: If it cannot be read.
    """
    assert parts.shelf.place is not None
    limits = parts.settings.limits
    reader = picture_source(
        parts.shelf.store.properties.get("root"), parts.shelf.place, limits=limits
    )
    return encode_jpeg(decode_picture(reader.read(source), limits), longest_side=longest_side)
