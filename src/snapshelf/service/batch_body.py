"""Many products at once: each is understood by itself, so that one costs nothing of the rest."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError

from snapshelf.catalog.limits import MAX_ID
from snapshelf.service.product_body import EXAMPLE, Id, ProductOfBatch
from snapshelf.service.validation import listed

__all__ = ["BatchBody", "RefusedItem"]

MOST_AT_ONCE = 100

ID: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """What stands in a batch and is no product, or no ID.

    Attributes:
        id: As it was given, "" if it was no text.
        problems: What is wrong with it.
    """

    id: str
    problems: tuple[str, ...]


def _product(given: Any) -> ProductOfBatch | RefusedItem:
    try:
        return ProductOfBatch.model_validate(given)
    except ValidationError as error:
        return _refused(given.get("id") if isinstance(given, dict) else "", error)


def _id(given: Any) -> str | RefusedItem:
    try:
        return ID.validate_python(given)
    except ValidationError as error:
        return _refused(given, error, at="id")


def _refused(name: Any, error: ValidationError, at: str = "") -> RefusedItem:
    errors = listed(error.errors(include_input=False), at=at, known=ProductOfBatch.model_fields)
    shown = name[:MAX_ID] if isinstance(name, str) else ""
    told = (": ".join(filter(None, (each["where"], each["what"]))) for each in errors)
    return RefusedItem(shown, tuple(told))


class BatchBody(BaseModel):
    """Products to store, and products to delete."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"products": [{"id": "SKU-0042", **EXAMPLE}], "delete": ["SKU-0007"]}]
        },
    )

    products: list[
        Annotated[
            ProductOfBatch | RefusedItem,
            PlainValidator(_product, json_schema_input_type=ProductOfBatch),
        ]
    ] = Field(
        default_factory=list,
        max_length=MOST_AT_ONCE,
        description="To store; what is wrong with one is told in its place of the answer.",
    )
    delete: list[Annotated[str | RefusedItem, PlainValidator(_id, json_schema_input_type=Id)]] = (
        Field(default_factory=list, max_length=MOST_AT_ONCE, description="IDs; deleted after that.")
    )
