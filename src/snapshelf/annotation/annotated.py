"""`AnnotatedPicture`: what every item of a picture is, or why that cannot be told."""

from dataclasses import dataclass

from snapshelf.annotation.pictures import PictureToAnnotate
from snapshelf.features.attribute_predictor import PredictedAttribute
from snapshelf.locating.region import Region
from snapshelf.shelf.result import FoundItem

__all__ = ["AnnotatedItem", "AnnotatedPicture"]


@dataclass(frozen=True, slots=True)
class AnnotatedItem:
    """An item in a picture.

    Attributes:
        region: Where it is.
        attributes: Likeliest values, of each attribute the likeliest first; None where they were
            not asked for.
        found: The products that it may be; None where they were not asked for.
    """

    region: Region
    attributes: tuple[PredictedAttribute, ...] | None = None
    found: FoundItem | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """What became of a picture.

    Attributes:
        picture: Which one.
        items: Its items, the most confident first; empty if it could not be read.
        error: Why it could not be read, "" where it could.
    """

    picture: PictureToAnnotate
    items: tuple[AnnotatedItem, ...]
    error: str = ""
