"""What goes to a worker and comes back: small, and complete by itself."""

from dataclasses import dataclass

from snapshelf.errors import PictureError

__all__ = ["PictureJob", "ReadPicture"]


@dataclass(frozen=True, slots=True)
class PictureJob:
    """A picture that a worker reads or embeds.

    Attributes:
        image: As the feed names it.
        product_id: Whose picture it is.
        content: Hex digest that it had when it was read; "" before that.
    """

    image: str
    product_id: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """What a worker tells of a picture that it has read.

    Attributes:
        content: Hex digest of what decides its embedding; "" where it could not be read.
        error: Why it could not.
    """

    content: str
    error: PictureError | None = None
