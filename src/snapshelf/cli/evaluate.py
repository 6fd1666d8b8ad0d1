"""``snapshelf evaluate``: how well a system finds the right products of a data set."""

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.console import print_json, printer, progress, tell
from snapshelf.cli.output_file import JSON, PAGE, check_output

if TYPE_CHECKING:
    from snapshelf.evaluation import Evaluation

__all__ = ["evaluate"]


class Products(StrEnum):
    """Which queries take part, by whether training may use their products."""

    ALL = "all"
    SEEN = "seen"
    UNSEEN = "unseen"


def evaluate(
    data: Annotated[
        str,
        typer.Option(
            help="NAME:DIR: the data set and its folder; or one of clips, as clips:NAME:DIR."
        ),
    ],
    system: Annotated[str, typer.Option(help="Name or folder of the system.")] = "standard",
    split: Annotated[str, typer.Option(help="Which of the data set's queries.")] = "test",
    products: Annotated[
        Products, typer.Option(help="Only queries of products (un)seen in training.")
    ] = Products.ALL,
    json: Annotated[
        Path | None, typer.Option(help="Write the figures as JSON; - for standard output.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a report with pictures of hits and misses.")
    ] = None,
) -> None:
    """Measure how well a system finds the right products of a data set."""
    from snapshelf.datasets import Incomplete, open_dataset
    from snapshelf.datasets.clips.registry import is_of_clips, open_clip_dataset
    from snapshelf.evaluation import evaluate as run
    from snapshelf.evaluation.report import write_report
    from snapshelf.systems import System

    if json is not None and str(json) != "-":
        check_output(json, "--json", begins=JSON)
    if html is not None:
        check_output(html, "--html", begins=PAGE)
    dataset = open_clip_dataset(data) if is_of_clips(data) else open_dataset(data)
    if isinstance(dataset, Incomplete) and dataset.missing:
        tell(f"missing pictures of {dataset.name}, left out: {dataset.missing}")
    loaded = System.load(system)
    with progress(counted=True) as bar:
        names = ("gallery", "queries", *(() if loaded.reranker is None else ("rerank",)))
        steps = {step: bar.add_task(step, total=None) for step in names}

        def show(step: str, done: int, total: int) -> None:
            bar.update(steps[step], completed=done, total=total)

        evaluation = run(loaded, dataset, split=split, products=products.value, progress=show)
    if html is not None:
        write_report(evaluation, dataset, html)
        tell(f"wrote {html}")
    if json is None:
        _print(evaluation)
    elif str(json) == "-":
        print_json(evaluation.to_json())
    else:
        json.write_text(json_module.dumps(evaluation.to_json(), indent=2) + "\n", encoding="utf-8")
        tell(f"wrote {json}")


def _print(evaluation: "Evaluation") -> None:
    from rich.table import Table

    console = printer()
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{evaluation.system} on {evaluation.data}, {evaluation.split}")
    table.add_column("queries", justify="right")
    for name in evaluation.metrics:
        table.add_column(name, justify="right")

    def row(name: str, queries: float, metrics: dict[str, float]) -> None:
        figures = [
            f"{value:.1f}" if key.endswith("rank") else f"{value:.3f}"
            for key, value in metrics.items()
        ]
        table.add_row(name, f"{queries:.0f}", *figures)

    row(evaluation.products, evaluation.queries, dict(evaluation.metrics))
    for name, figures in evaluation.per_category.items():
        metrics = {key: figures[key] for key in evaluation.metrics}
        row(name, figures["queries"], metrics)
    console.print(table)
    seconds = ", ".join(f"{step} {took:.1f} s" for step, took in evaluation.seconds.items())
    console.print(f"gallery of {evaluation.gallery} products; {seconds}")
