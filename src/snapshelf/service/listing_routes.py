"""Browsing the shelf, page by page."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Query

from snapshelf.catalog.product import Product
from snapshelf.service.access import needs_read
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.product_pictures import address_of_picture
from snapshelf.service.team_answers import ListAnswer
from snapshelf.shelf.as_json import product_json
from snapshelf.store.filters import parse_filter
from snapshelf.store.words import fold_words

__all__ = ["listed_product", "listing_routes"]

MOST_CURSOR = 1_400


def listing_routes(parts: Parts) -> APIRouter:
    """Make the route.

    Args:
        parts: Of the service.
    """
    router = APIRouter(prefix="/v1", tags=["products"])
    store = parts.shelf.store

    @router.get(
        "/products",
        summary="Browse the shelf",
        dependencies=[needs_read],
        responses={200: {"model": ListAnswer}, **problems()},
    )
    def browse(
        after: Annotated[
            str | None,
            Query(
                min_length=1,
                max_length=MOST_CURSOR,
                description="`next` of the answer before; without, the first products.",
                examples=["U0tVLTAwNDI"],
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=100, description="Most products.")] = 24,
        filter: Annotated[  # noqa: A002 - the parameter's name
            str | None,
            Query(
                min_length=1,
                max_length=4000,
                description="Only products that pass it.",
                examples=["brand=Acme,price<80"],
            ),
        ] = None,
        text: Annotated[
            str | None,
            Query(
                max_length=200,
                description="Only products with each of these words in ID, title, brand or "
                "category, in any case, parts of words too.",
                examples=["red boot"],
            ),
        ] = None,
    ) -> Any:
        """Give products in the order of their IDs, and where to go on.

        Who follows `next` sees every product that stays on the shelf once, whatever else is stored
        and deleted meanwhile.
        """
        where = None if filter is None else parse_filter(filter)
        words = fold_words(text or "")
        begins = "" if after is None else _read(after)
        products = store.listed(after=begins, limit=limit + 1, where=where, words=words)
        shown, more = products[:limit], len(products) > limit
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
        raise ProblemError(
            "invalid", "after: is none that `next` of an answer has given; leave it out to begin"
        ) from None
