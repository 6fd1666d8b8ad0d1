"""The pictures of one batch of the plan, made and written."""

from collections.abc import Container
from pathlib import Path
from typing import Any

import numpy as np

from snapshelf.datasets.demo.assortment import design_of
from snapshelf.datasets.demo.camera import encoded
from snapshelf.datasets.demo.copywriting import product_id, shop_pictures
from snapshelf.datasets.demo.plan import Plan
from snapshelf.datasets.demo.street import Photo, take
from snapshelf.datasets.demo.studio import studio_picture

__all__ = ["make_pictures", "replace"]


def make_pictures(
    folder: Path, plan: Plan, number: int, done: Container[str]
) -> list[dict[str, Any]]:
    """Make the pictures of a batch.

    Args:
        folder: The demo shop's; its folders "shop" and "street" exist.
        plan: What the shop consists of.
        number: Of the batch.
        done: Pictures that are there already, by their names relative to the folder.

    Returns:
        A line for each picture made: its name, and for a street photo also what is in it.

    Raises:
        OSError: If a picture cannot be written.
    """
    product, photos = plan.batch(number)
    lines: list[dict[str, Any]] = []
    for view, name in enumerate(shop_pictures(product) if product is not None else (), 1):
        if product is not None and name not in done:
            rng = np.random.default_rng([plan.seed, 4, product, view])
            picture = studio_picture(design_of(plan.seed, product), view, rng)
            replace(folder / name, encoded(picture, 90))
            lines.append({"picture": name})
    lines += [_street_photo(folder, photo, plan) for photo in photos if photo.name not in done]
    return lines


def _street_photo(folder: Path, photo: Photo, plan: Plan) -> dict[str, Any]:
    taken = take(photo, plan.seed)
    rng = np.random.default_rng([plan.seed, 7, photo.number])
    replace(folder / photo.name, encoded(taken.picture, int(rng.integers(75, 91))))
    return {
        "picture": photo.name,
        "items": [
            {"product_id": product_id(number), "box": [int(edge) for edge in box]}
            for number, box in zip(photo.products, taken.boxes, strict=True)
        ],
        "difficulty": photo.difficulty,
        "scene": taken.scene,
        "in_catalogue": all(number < plan.products for number in photo.products),
    }


def replace(file: Path, data: bytes) -> None:
    """Write a file so that it is never seen half written."""
    unfinished = file.with_name(file.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(file)
