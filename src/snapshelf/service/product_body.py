"""A product as requests give it: understood just as a feed's row is."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.catalog.building import ProductBuilder
from snapshelf.catalog.columns import PRODUCT_FIELDS
from snapshelf.catalog.limits import MAX_ATTRIBUTES, MAX_DESCRIPTION, MAX_ID, MAX_IMAGES, MAX_TEXT
from snapshelf.catalog.product import Product
from snapshelf.catalog.row import Row, Value

__all__ = ["EXAMPLE", "Id", "ProductBody", "ProductOfBatch", "understand"]

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]

EXAMPLE: dict[str, Any] = {
    "title": "Canvas sneaker, red",
    "category": "Apparel > Shoes",
    "brand": "Acme",
    "price": "49.90 EUR",
    "url": "https://shop.example/SKU-0042",
    "images": ["https://shop.example/SKU-0042.jpg"],
    "attributes": {"colour": "red"},
}


NO_SEGMENT = frozenset({".", ".."})
"""IDs that are no part of an address, however they are coded: browsers take them out of it."""


class ProductBody(BaseModel):
    """A product without its ID; the words and formats are those of product feeds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    title: Text = ""
    description: Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION)] = ""
    category: Text = Field("", description="From the widest to the narrowest, divided by `>`.")
    brand: Text = ""
    price: Text = Field("", description='With its currency, such as "49.90 EUR".')
    availability: Text = Field("", description='Such as "in stock".')
    url: Annotated[str, StringConstraints(max_length=2048)] = ""
    images: list[Annotated[str, StringConstraints(min_length=1, max_length=2048)]] = Field(
        min_length=1,
        max_length=MAX_IMAGES,
        description="http(s) addresses, or paths in the feed's folder; the first is the main one.",
    )
    attributes: dict[Text, Text] = Field(default_factory=dict, max_length=MAX_ATTRIBUTES)


class ProductOfBatch(ProductBody):
    """A product with its ID."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "SKU-0042", **EXAMPLE}]})

    id: Id


def understand(product_id: str, body: ProductBody) -> tuple[Product | None, Sequence[str]]:
    """Understand a product.

    Args:
        product_id: Its ID.
        body: The rest.

    Returns:
        The product, None if it is refused; and what is wrong, which for a product is what was
        left out of it.
    """
    if product_id.strip() in NO_SEGMENT:
        return None, ["id: is '.' or '..', which no address can hold; give it another one"]
    taken = sorted(set(body.attributes) & set(PRODUCT_FIELDS))
    if taken:
        return None, [f"attributes: {taken[0]!r} is a field of its own, not an attribute"]
    given = body.model_dump(include={*PRODUCT_FIELDS} - {"id"})
    fields: dict[str, Value] = {**body.attributes, "id": product_id, **given}
    columns = {name: (name,) for name in PRODUCT_FIELDS}
    builder = ProductBuilder(columns, currency="", encoding="utf-8")
    product, problems = builder.build(Row(1, fields))
    return product, [f"{problem.field}: {problem.reason}" for problem in problems]
