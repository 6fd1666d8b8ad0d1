"""``snapshelf demo``: the main job from end to end on a generated shop."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from snapshelf.cli.console import progress, tell

__all__ = ["demo"]

SHOWN_PHOTOS = 12


def demo(
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
    products: Annotated[int, typer.Option(min=14, max=5000, help="Size of the shop.")] = 300,
    system: Annotated[
        str, typer.Option(help="Name or folder of the system that indexes the shop.")
    ] = "standard",
    seed: Annotated[int, typer.Option(help="Another seed makes another shop.")] = 7,
) -> None:
    """Generate a shop, index it, search street photos in it and write a report."""
    from snapshelf.catalog import Catalog
    from snapshelf.cli.search import write_page
    from snapshelf.datasets.demo import write_demo_shop
    from snapshelf.evaluation import evaluate
    from snapshelf.evaluation.report import write_report
    from snapshelf.shelf import Shelf
    from snapshelf.systems import System

    folder.mkdir(parents=True, exist_ok=True)
    with progress(counted=True) as bar:
        task = bar.add_task("drawing the shop", total=None)
        shop = write_demo_shop(
            folder / "shop",
            products=products,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    tell(f"the shop: {len(shop.products())} products in {shop.root / 'feed.csv'}")

    loaded = System.load(system)
    place = folder / f"shelf-{loaded.fingerprint[:8]}"
    catalog = Catalog.open(shop.root / "feed.csv")
    with Shelf.build(catalog, place, loaded) as shelf:
        assert shelf.updated is not None
        tell(
            f"indexed into {place}: {shelf.updated.changed} stored, "
            f"{shelf.updated.unchanged} unchanged, {shelf.updated.seconds:.1f} s"
        )
        queries = shop.queries("test")
        photos = [query.picture for query in queries[:: max(1, len(queries) // SHOWN_PHOTOS)]]
        photos = photos[:SHOWN_PHOTOS]
        results = [(photo, shelf.search(photo, top=8)) for photo in photos]
        page = folder / "search.html"
        write_page(page, shelf, results, where=str(place))
    evaluation = evaluate(loaded, shop, split="test")
    report = folder / "evaluation.html"
    write_report(evaluation, shop, report)
    metrics = evaluation.metrics
    tell(
        f"{evaluation.queries} street photos searched: the right product is first for "
        f"{metrics['top1']:.0%}, among the first 5 for {metrics['top5']:.0%}, among the first "
        f"20 for {metrics['top20']:.0%}"
    )
    tell(f"evaluation: {report.resolve()}")
    tell("search results, to be opened in a browser:")
    typer.echo(page.resolve())
    tell(f"the shop's page: {_command()} serve --shelf {place}, then open http://127.0.0.1:8000")


def _command() -> str:
    """Give what starts this program again: its name, or where it is if no shell finds it."""
    started = Path(sys.argv[0])
    if shutil.which("snapshelf") or started.name != "snapshelf":
        return "snapshelf"
    here = Path.cwd()
    return str(started.relative_to(here) if started.is_relative_to(here) else started)
