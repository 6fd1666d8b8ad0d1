"""Products: looking at them, and changing them."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from snapshelf.service.access import needs_picture, needs_read, needs_write
from snapshelf.service.answers import BatchAnswer, ChangedProduct, ProductAnswer, SimilarAnswer
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.batch_body import BatchBody, RefusedItem
from snapshelf.service.failures import note_failure
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.product_body import ProductBody
from snapshelf.service.product_changes import Changed
from snapshelf.service.product_pictures import address_of_picture, is_url, picture_address
from snapshelf.service.request_record import request_id_of
from snapshelf.shelf.as_json import product_json
from snapshelf.shelf.similar import find_similar
from snapshelf.store.filters import parse_filter

__all__ = ["product_routes"]

PLURAL = {"image": "images"}
"""Fields that requests call otherwise than feeds do."""

ProductId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=256,
        description="The shop's own ID of the product.",
        examples=["SKU-0042"],
    ),
]


def product_routes(parts: Parts) -> APIRouter:
    """Make the routes. An ID may hold slashes, so the longer addresses stand first.

    Args:
        parts: Of the service.
    """
    router = APIRouter(route_class=ApiRoute, prefix="/v1", tags=["products"])
    store = parts.shelf.store

    @router.get(
        "/products/{product_id:path}/similar",
        summary="Find the products that look like one",
        dependencies=[needs_read],
        responses={200: {"model": SimilarAnswer}, **problems("not-found")},
    )
    def similar(
        product_id: ProductId,
        top: Annotated[int, Query(ge=1, le=100, description="Largest number of matches.")] = 20,
        filter: Annotated[  # noqa: A002 - the parameter's name
            str | None,
            Query(
                min_length=1,
                max_length=4000,
                description="Only products that pass it.",
                examples=["brand=Acme"],
            ),
        ] = None,
    ) -> Any:
        """Give the products whose pictures look most like the product's first one."""
        where = None if filter is None else parse_filter(filter)
        found = find_similar(store, product_id, top=top, where=where)
        if found is None:
            raise _unknown(product_id)
        return JsonAnswer(
            {
                "matches": [
                    {
                        "rank": match.rank,
                        "product": product_json(match.product, match.image),
                        "similarity": match.similarity,
                        "picture": address_of_picture(match.product, match.image),
                    }
                    for match in found
                ]
            }
        )

    @router.get(
        "/products/{product_id:path}/images/{number}",
        summary="Show a picture of a product",
        dependencies=[needs_picture],
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}}, "description": "The picture, made smaller."},
            307: {"description": "The picture is elsewhere on the web."},
            **problems("not-found", "picture-refused", "busy"),
        },
    )
    async def image(
        request: Request,
        product_id: ProductId,
        number: Annotated[int, Path(ge=0, le=99, description="From 0, the main one.")],
        side: Annotated[int, Query(ge=16, le=1024, description="Longest side, pixels.")] = 400,
        fetch: Annotated[
            bool, Query(description="Fetch a picture that is elsewhere, rather than lead to it.")
        ] = False,
    ) -> Response:
        """Show a picture that lies in the feed's folder; lead to one that does not, or fetch it.

        The header `Picture-Size` has the width and height, in pixels, that it had before.
        """
        loop = asyncio.get_running_loop()
        product = (await loop.run_in_executor(parts.pool, store.products, [product_id])).get(
            product_id
        )
        if product is None:
            raise _unknown(product_id)
        if number >= len(product.images):
            raise ProblemError(
                "not-found",
                f"the product {product_id[:100]!r} has no picture {number}; its pictures are "
                f"numbered from 0 to {len(product.images) - 1}",
            )
        source = product.images[number]
        kept = {"Cache-Control": "private, max-age=300"}
        if "pass" in request.query_params:
            # It was asked for by another page, which shows it in its own way.
            kept["Cross-Origin-Resource-Policy"] = "cross-origin"
        if not is_url(source):
            small = await parts.pictures.read(source, side)
        elif fetch:
            small = await parts.pictures.fetch(source, side)
        else:
            return RedirectResponse(source, 307, kept)
        kept["Picture-Size"] = f"{small.size[0]}, {small.size[1]}"
        return Response(small.jpeg, media_type="image/jpeg", headers=kept)

    @router.get(
        "/products/{product_id:path}",
        summary="Look at a product",
        dependencies=[needs_read],
        responses={200: {"model": ProductAnswer}, **problems("not-found")},
    )
    def get(product_id: ProductId) -> Any:
        """Give everything that the shelf holds of a product."""
        product = store.products([product_id]).get(product_id)
        if product is None:
            raise _unknown(product_id)
        shown = product_json(product, product.images[0])
        del shown["image"]
        return JsonAnswer(
            {
                **shown,
                "description": product.description,
                "availability": product.availability,
                "images": [
                    {"source": source, "href": picture_address(product_id, number)}
                    for number, source in enumerate(product.images)
                ],
                "attributes": dict(product.attributes),
            }
        )

    @router.put(
        "/products/{product_id:path}",
        summary="Store a product",
        dependencies=[needs_write],
        responses={
            200: {"model": ChangedProduct, "description": "It was there before."},
            201: {"model": ChangedProduct, "description": "It is new."},
            # An ID with a line break is no address.
            **problems("not-found", "wrong-type", "busy", "timed-out"),
        },
    )
    async def put(product_id: ProductId, body: ProductBody) -> Any:
        """Store a product, in place of what the shelf has of it; searches find it at once.

        A feed remains the truth: `snapshelf index` removes what the feed does not have.
        """
        (changed,) = await parts.changes.put([(product_id, body)])
        if changed.status == "refused":
            raise _refused(changed)
        return JsonAnswer(_written(changed), 201 if changed.status == "created" else 200)

    @router.delete(
        "/products/{product_id:path}",
        summary="Delete a product",
        dependencies=[needs_write],
        responses={200: {"model": ChangedProduct}, **problems("not-found", "busy", "timed-out")},
    )
    async def delete(product_id: ProductId) -> Any:
        """Delete a product; searches do not find it any more."""
        (changed,) = await parts.changes.delete([product_id])
        if changed.status == "not_found":
            raise _unknown(product_id, "there is nothing to delete")
        return JsonAnswer(_written(changed))

    @router.post(
        "/products:batch",
        summary="Store and delete many products",
        dependencies=[needs_write],
        responses={200: {"model": BatchAnswer}, **problems("wrong-type", "busy", "timed-out")},
    )
    async def batch(request: Request, body: BatchBody) -> Any:
        """Store and delete products, at most 100 of each, and tell of each what became of it.

        What is refused keeps nothing from the rest. First all are stored, then all are deleted; if
        that fails when some are stored already, those to delete are told to have `failed`.
        """
        changed = await parts.changes.put([(each.id, each) for each in body.products])
        try:
            changed += await parts.changes.delete(body.delete)
        except Exception as error:
            if not changed:
                raise
            problem = note_failure(error, parts.measures, request_id_of(request.scope))
            changed += [_failed(each, problem) for each in body.delete]
        return JsonAnswer({"items": [_written(each) for each in changed]})

    return router


def _written(changed: Changed) -> dict[str, Any]:
    return {**asdict(changed), "problems": list(changed.problems)}


def _failed(name: str | RefusedItem, problem: ProblemError) -> Changed:
    if isinstance(name, RefusedItem):
        return Changed(name.id, "refused", name.problems)
    return Changed(name, "failed", (problem.detail,))


def _refused(changed: Changed) -> ProblemError:
    """Tell why a product was refused, by the field of the request that each problem is about."""
    errors = []
    for each in changed.problems:
        field, _, what = each.partition(": ")
        where = "path.product_id" if field == "id" else f"body.{PLURAL.get(field, field)}"
        errors.append({"where": where, "what": what})
    told = "; ".join(f"{each['where']}: {each['what']}" for each in errors)
    return ProblemError("invalid", told, errors=errors)


def _unknown(
    product_id: str, so: str = "GET /v1/products lists those that there are"
) -> ProblemError:
    return ProblemError(
        "not-found",
        f"the shelf has no product {product_id[:100]!r}; IDs are compared letter by letter, and "
        f"{so}",
    )
