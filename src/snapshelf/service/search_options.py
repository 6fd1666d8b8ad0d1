"""What a search can be asked for, in the address, a form or JSON."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = ["DetectBody", "SearchBody", "SearchOptions"]

MOST_CHOSEN = 20


def _numbers(count: int) -> BeforeValidator:
    """Read numbers between commas, as addresses and forms have them."""

    def split(value: Any) -> Any:
        if isinstance(value, str):
            parts = value.split(",")
            if len(parts) == count:
                value = [float(part) for part in parts]
            else:
                raise ValueError(f"expected {count} numbers between commas")
        numbers = [each for each in value if isinstance(each, int | float)]
        if any(abs(each) > 1e9 or not math.isfinite(each) for each in numbers):
            raise ValueError("expected pixels of the picture")
        return value

    return BeforeValidator(split)


Box = Annotated[tuple[float, float, float, float], _numbers(4)]
Point = Annotated[tuple[float, float], _numbers(2)]


class SearchOptions(BaseModel):
    """What to search for, and how much to give.

    Attributes:
        top: Largest number of matches for each item.
        filter: Only products that pass it, as on the command line.
        by_category: Largest number of matches of each category, given beside the ranking.
        boxes: Items that the user chose, in pixels of the picture as it stands upright.
        points: Points on items that the user chose.
        in_catalogue: Confidence of its best match from which an item is in the catalogue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    top: int = Field(20, ge=1, le=100, description="Largest number of matches for each item.")
    filter: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None = Field(
        None,
        description="Only products that pass it; conditions between commas, values between bars.",
        examples=["category=Apparel > Shoes,price<80"],
    )
    by_category: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Give the best of each category too, this many of each at most.",
    )
    boxes: tuple[Box, ...] = Field(
        (),
        max_length=MOST_CHOSEN,
        description="Items that the user chose: x0, y0, x1, y1 in pixels of the upright picture.",
        examples=[[[10, 20, 200, 300]]],
    )
    points: tuple[Point, ...] = Field(
        (),
        max_length=MOST_CHOSEN,
        description="Points on items that the user chose: x, y in pixels.",
        examples=[[[120, 80]]],
    )
    in_catalogue: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Confidence of its best match from which an item is taken for sold here; "
        "without, the one that the system was fitted with.",
    )


class PictureBody(BaseModel):
    """A picture as JSON: base64, or where it is.

    Attributes:
        picture: The file's bytes as base64.
        url: Where it is; only if the service fetches pictures.
    """

    model_config = ConfigDict(extra="forbid")

    picture: str | None = Field(
        None,
        description="The picture file as base64.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    url: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        None,
        description="An http(s) address, instead of `picture`; only where the service was started "
        "with `--fetch-urls`.",
    )


class DetectBody(PictureBody):
    """The body of a detection as JSON."""


class SearchBody(PictureBody, SearchOptions):
    """The body of a search as JSON."""
