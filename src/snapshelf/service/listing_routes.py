"""Browsing the shelf, page by page."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.catalog.product import Product
from snapshelf.service.access import needs_read
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.product_pictures import address_of_picture
from snapshelf.service.team_answers import ListAnswer
from snapshelf.service.validation import refused
from snapshelf.shelf.as_json import product_json
from snapshelf.store.filters import parse_filter
from snapshelf.store.words import fold_words

__all__ = ["listed_product", "listing_routes"]

MOST_CURSOR = 1_400


class ListQuery(BaseModel):
    """Which products, and how many of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Annotated[str, StringConstraints(min_length=1, max_length=MOST_CURSOR)] | None = Field(
        None,
        description="`next` of the answer before; without, the first products.",
        examples=["U0tVLTAwNDI"],
    )
    limit: int = Field(24, ge=1, le=100, description="Most products.")
    filter: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None = Field(
        None, description="Only products that pass it.", examples=["brand=Acme,price<80"]
    )
    text: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None,
        description="Only products with each of these words in ID, title, brand or category, in "
        "any case, parts of words too.",
        examples=["red boot"],
    )


def listing_routes(parts: Parts) -> APIRouter:
    """Make the route.

    Args:
        parts: Of the service.
    """
    router = APIRouter(route_class=ApiRoute, prefix="/v1", tags=["products"])
    store = parts.shelf.store

    @router.get(
        "/products",
        summary="Browse the shelf",
        dependencies=[needs_read],
        responses={200: {"model": ListAnswer}, **problems()},
    )
    def browse(asked: Annotated[ListQuery, Query()]) -> Any:
        """Give products in the order of their IDs, and where to go on.

        Who follows `next` sees every product that stays on the shelf once, whatever else is stored
        and deleted meanwhile.
        """
        where = None if asked.filter is None else parse_filter(asked.filter)
        words = fold_words(asked.text or "")
        begins = "" if asked.after is None else _read(asked.after)
        products = store.listed(after=begins, limit=asked.limit + 1, where=where, words=words)
        shown, more = products[: asked.limit], len(products) > asked.limit
        return JsonAnswer(
            {
                "products": [listed_product(each, each.images[0]) for each in shown],
                "next": _cursor(shown[-1].id) if more else None,
                "total": None if words else store.count(where).products,
            }
        )

    return router


def listed_product(product: Product, image: str) -> dict[str, Any]:
    """Write a product with where one of its pictures is shown.

    Args:
        product: As the shelf holds it.
        image: The picture that is meant, one of its own.
    """
    return {
        **product_json(product, image),
        "picture": address_of_picture(product, image),
        "pictures": len(product.images),
    }


def _cursor(product_id: str) -> str:
    return base64.urlsafe_b64encode(product_id.encode("utf-8", "replace")).decode().rstrip("=")


def _read(cursor: str) -> str:
    try:
        whole = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(whole.encode("ascii"), b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise refused(
            "query.after", "is none that `next` of an answer has given; leave it out to begin"
        ) from None
