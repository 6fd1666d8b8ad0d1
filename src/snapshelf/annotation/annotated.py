"""`AnnotatedPicture`: the attributes of every item of a picture, or why there are none."""

from dataclasses import dataclass

from snapshelf.annotation.pictures import PictureToAnnotate
from snapshelf.features.attribute_predictor import PredictedAttribute
from snapshelf.locating.region import Region

__all__ = ["AnnotatedItem", "AnnotatedPicture"]


@dataclass(frozen=True, slots=True)
class AnnotatedItem:
    """An item in a picture.

    Attributes:
        region: Where it is.
        attributes: Likeliest values, of each attribute the likeliest first.
    """

    region: Region
    attributes: tuple[PredictedAttribute, ...]


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
