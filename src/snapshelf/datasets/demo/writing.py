"""Writing a demo shop to a folder: pictures in parallel, taken up again where it was cut off."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from snapshelf.datasets.demo.copywriting import product_of
from snapshelf.datasets.demo.crew import Crew
from snapshelf.datasets.demo.feed import feed_text
from snapshelf.datasets.demo.pictures import make_pictures, replace
from snapshelf.datasets.demo.plan import Plan
from snapshelf.datasets.demo.shop import COMPLETE, STREET, DemoShop
from snapshelf.errors import DatasetError
from snapshelf.parallel import ordered_map

__all__ = ["write_demo_shop"]

_VERSION = 1
_JOURNAL = "unfinished.jsonl"
_WORTH_A_PROCESS = 8

_Line = dict[str, Any]


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
        workers: Number of processes, by default one for each processor; small shops take fewer.
        progress: Called with the number of batches done and in all; one is about a product.

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
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
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
    with (folder / _JOURNAL).open("a", encoding="utf-8") as journal:
        for count, lines in enumerate(_made(folder, plan, done, workers), 1):
            journal.writelines(json.dumps(line) + "\n" for line in lines)
            journal.flush()
            done.update((line["picture"], line) for line in lines)
            if progress is not None:
                progress(count, plan.batches)
    products = [product_of(plan.seed, number) for number in range(plan.products)]
    replace(folder / "feed.csv", feed_text(products).encode())
    street = [line for name, line in sorted(done.items()) if name.startswith("street/")]
    replace(folder / STREET, "".join(json.dumps(line) + "\n" for line in street).encode())
    counts = {
        "shop_pictures": sum(len(product.images) for product in products),
        "street_photos": len(street),
        "strangers": plan.strangers,
    }
    replace(folder / COMPLETE, (json.dumps({**parameters, **counts}, indent=2) + "\n").encode())
    (folder / _JOURNAL).unlink()


def _made(folder: Path, plan: Plan, done: dict[str, _Line], workers: int) -> Iterator[list[_Line]]:
    """Make every batch, in order; the lines of the pictures that each had to make."""
    before = frozenset(done)
    workers = min(workers, 1 + plan.batches // _WORTH_A_PROCESS)
    if workers == 1:
        for number in range(plan.batches):
            yield make_pictures(folder, plan, number, before)
        return
    with Crew(folder.resolve(), plan, workers) as crew:

        def make(number: int) -> list[_Line]:
            ours = [name for name in plan.names(number) if name in before]
            return crew.make(number, ours)

        yield from ordered_map(make, range(plan.batches), workers=workers, ahead=4 * workers)


def _prepare(folder: Path, parameters: dict[str, int]) -> dict[str, _Line]:
    """Make the folder ready; the lines of the pictures that an earlier run has finished."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / _JOURNAL
    done: dict[str, _Line] = {}
    if journal.exists() and _parameters_of(journal) == parameters:
        for text in journal.read_text(encoding="utf-8").splitlines()[1:]:
            try:
                line = json.loads(text)
                name = str(line["picture"])
            except (ValueError, TypeError, KeyError):
                break
            if (folder / name).is_file():
                done[name] = line
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
    replace(journal, text.encode())
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
