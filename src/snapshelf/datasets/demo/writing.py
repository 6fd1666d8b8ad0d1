"""Writing a demo shop to a folder: pictures in parallel, taken up again where it was cut off."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from snapshelf.datasets.demo.assortment import design_of
from snapshelf.datasets.demo.camera import encoded
from snapshelf.datasets.demo.copywriting import product_id, product_of, shop_pictures
from snapshelf.datasets.demo.feed import feed_text
from snapshelf.datasets.demo.plan import Plan
from snapshelf.datasets.demo.shop import COMPLETE, STREET, DemoShop
from snapshelf.datasets.demo.street import Photo, take
from snapshelf.datasets.demo.studio import studio_picture
from snapshelf.errors import DatasetError
from snapshelf.parallel import ordered_map

__all__ = ["write_demo_shop"]

_VERSION = 1
_JOURNAL = "unfinished.jsonl"


def write_demo_shop(
    folder: Path,
    *,
    products: int = 300,
    seed: int = 7,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DemoShop:
    """Generate a shop: its feed, its shop pictures and street photos of its products.

    A folder that is complete with the same parameters is left as it is; one that was cut off is
    finished; a demo shop with other parameters is made anew. The same parameters give the same
    bytes with the same versions of NumPy, OpenCV and Pillow, whatever the number of workers.

    Args:
        folder: Made if it does not exist; empty, or a demo shop.
        products: Number of products in the feed, at least 1.
        seed: Of all chance, not negative.
        workers: Number of threads, by default one for each processor.
        progress: Called with the number of products done and in all.

    Returns:
        The shop.

    Raises:
        ValueError: If `products`, `seed` or `workers` is out of its range.
        DatasetError: If the folder holds something else, or cannot be written.
    """
    if products < 1 or seed < 0:
        raise ValueError(
            f"products must be at least 1 and seed at least 0, got products={products}, seed={seed}"
        )
    workers = workers if workers is not None else os.cpu_count() or 1
    plan = Plan(products, seed)
    parameters = {"version": _VERSION, "products": products, "seed": seed}
    folder = Path(folder)
    try:
        _write(folder, plan, parameters, workers, progress)
    except OSError as problem:
        raise DatasetError(
            f"the demo shop cannot be written to {folder}: {problem.strerror or problem}; "
            "free some space or give another folder"
        ) from problem
    return DemoShop(folder)


def _write(
    folder: Path,
    plan: Plan,
    parameters: dict[str, int],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    if _parameters_of(folder / COMPLETE) == parameters:
        return
    done = _prepare(folder, parameters)
    photos: dict[int, list[Photo]] = {}
    for photo in plan.photos():
        photos.setdefault(photo.products[0] if len(photo.products) == 1 else -1, []).append(photo)
    several = photos.pop(-1, [])
    jobs = [(number, photos[number]) for number in range(plan.products + plan.strangers)]
    jobs += [(-1, [photo]) for photo in several]
    lines: dict[str, dict[str, Any]] = {}
    with (folder / _JOURNAL).open("a", encoding="utf-8") as journal:
        results = ordered_map(
            lambda job: _pictures(folder, plan, job[0], job[1], done),
            jobs,
            workers=workers,
            ahead=2 * workers,
        )
        for count, found in enumerate(results, 1):
            for line in found:
                if line["picture"] not in done:
                    journal.write(json.dumps(line) + "\n")
                lines[line["picture"]] = line
            journal.flush()
            if progress is not None:
                progress(count, len(jobs))
    products = [product_of(plan.seed, number) for number in range(plan.products)]
    _replace(folder / "feed.csv", feed_text(products).encode())
    street = [line for name, line in lines.items() if name.startswith("street/")]
    street.sort(key=lambda line: str(line["picture"]))
    _replace(folder / STREET, "".join(json.dumps(line) + "\n" for line in street).encode())
    counts = {
        "shop_pictures": sum(len(product.images) for product in products),
        "street_photos": len(street),
        "strangers": plan.strangers,
    }
    _replace(folder / COMPLETE, (json.dumps({**parameters, **counts}, indent=2) + "\n").encode())
    (folder / _JOURNAL).unlink()


def _prepare(folder: Path, parameters: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Make the folder ready; the lines of the pictures that an earlier run has finished."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / _JOURNAL
    done: dict[str, dict[str, Any]] = {}
    if journal.exists() and _parameters_of(journal) == parameters:
        for text in journal.read_text(encoding="utf-8").splitlines()[1:]:
            try:
                line = json.loads(text)
            except ValueError:
                break
            if (folder / line["picture"]).is_file():
                done[line["picture"]] = line
    else:
        ours = (folder / COMPLETE).exists() or journal.exists()
        if not ours and any(folder.iterdir()):
            raise DatasetError(
                f"{folder} holds files that are not of a demo shop; give an empty or a new folder"
            )
        for name in (COMPLETE, STREET, "feed.csv"):
            (folder / name).unlink(missing_ok=True)
        for pattern in ("shop/SKU-*.jpg", "street/photo-*.jpg"):
            for picture in folder.glob(pattern):
                picture.unlink()
    # Written whole again, so that a line cut short by a crash is not built upon.
    text = "".join(json.dumps(line) + "\n" for line in (parameters, *done.values()))
    _replace(journal, text.encode())
    for name in ("shop", "street"):
        (folder / name).mkdir(exist_ok=True)
    return done


def _parameters_of(file: Path) -> dict[str, int] | None:
    """The parameters that a demo shop's marker or journal starts with, None without any."""
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text if file.name == COMPLETE else text.split("\n", 1)[0])
        return {name: int(found[name]) for name in ("version", "products", "seed")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _pictures(
    folder: Path, plan: Plan, number: int, photos: list[Photo], done: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Make a product's pictures that are not done; a line for each of its pictures."""
    lines = []
    if 0 <= number < plan.products:
        for view, name in enumerate(shop_pictures(number), 1):
            if name not in done:
                rng = np.random.default_rng([plan.seed, 4, number, view])
                picture = studio_picture(design_of(plan.seed, number), view, rng)
                _replace(folder / name, encoded(picture, 90))
            lines.append({"picture": name})
    for photo in photos:
        name = f"street/photo-{photo.number:07d}.jpg"
        lines.append(done[name] if name in done else _street_photo(folder, name, photo, plan))
    return lines


def _street_photo(folder: Path, name: str, photo: Photo, plan: Plan) -> dict[str, Any]:
    taken = take(photo, plan.seed)
    rng = np.random.default_rng([plan.seed, 7, photo.number])
    _replace(folder / name, encoded(taken.picture, int(rng.integers(75, 91))))
    return {
        "picture": name,
        "items": [
            {"product_id": product_id(number), "box": [int(edge) for edge in box]}
            for number, box in zip(photo.products, taken.boxes, strict=True)
        ],
        "difficulty": photo.difficulty,
        "scene": taken.scene,
        "in_catalogue": all(number < plan.products for number in photo.products),
    }


def _replace(file: Path, data: bytes) -> None:
    """Write a file so that it is never seen half written."""
    unfinished = file.with_name(file.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(file)
