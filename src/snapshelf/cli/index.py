"""``snapshelf index``: a feed into a shelf."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.console import EXIT_SKIPPED, EXIT_USAGE, fail, print_json, progress, tell
from snapshelf.cli.output_file import JSON, check_output

if TYPE_CHECKING:
    from snapshelf.catalog import Catalog, IngestionReport
    from snapshelf.shelf import UpdateReport

__all__ = ["index"]

SHOWN_PROBLEMS = 20


def index(
    feed: Annotated[Path, typer.Argument(help="A product feed's file, or a folder of pictures.")],
    shelf: Annotated[
        str, typer.Option(help="The shelf's folder or milvus://HOST:PORT/NAME; made if missing.")
    ],
    system: Annotated[
        str | None,
        typer.Option(help="Name or folder of the system (default: the shelf's, else standard)"),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(help="The feed's format, if it is not recognised.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=COLUMN: the feed's column for a field, such as id=sku."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="The feed's text encoding, if it is not UTF-8.")
    ] = None,
    currency: Annotated[
        str, typer.Option(help="Currency of prices that name none, such as EUR.")
    ] = "",
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Look at every picture again, also unchanged ones.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch pictures from private addresses too.")
    ] = False,
    problems: Annotated[
        Path | None, typer.Option(help="Write everything that was skipped as JSON Lines.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    ray: Annotated[
        str | None,
        typer.Option(help="Embed on a Ray cluster: HOST:PORT, auto, or local for one made here."),
    ] = None,
    ray_workers: Annotated[
        int | None, typer.Option(min=1, help="Workers (default: as many as there is room for).")
    ] = None,
    ray_cpus: Annotated[int, typer.Option(min=1, help="Processors of each worker.")] = 1,
    ray_gpus: Annotated[
        float | None,
        typer.Option(min=0, help="GPUs of each worker, such as 0.5 (default: 1 if there are any)."),
    ] = None,
    cost_per_hour: Annotated[
        float | None, typer.Option(min=0, help="What the whole cluster costs, in any currency.")
    ] = None,
) -> None:
    """Create a shelf from a feed, or bring it up to date.

    Ends with 0 if everything was indexed, 3 if something was skipped, 1 on an error.
    """
    from snapshelf.catalog import Catalog, IngestionReport
    from snapshelf.cli.fetching import open_fetcher
    from snapshelf.cli.ray_options import RaySettings, spread_over
    from snapshelf.shelf import Shelf, UpdateReport
    from snapshelf.shelf.shelf import system_for

    _check_name(feed)
    if ray is None and (ray_workers, ray_cpus, ray_gpus, cost_per_hour) != (None, 1, None, None):
        fail("--ray-workers, --ray-cpus, --ray-gpus and --cost-per-hour go with --ray", EXIT_USAGE)
    try:
        catalog = Catalog.open(
            feed, format=format, columns=_columns(column), encoding=encoding, currency=currency
        )
    except ValueError as error:
        fail(str(error), EXIT_USAGE)
    if problems is not None:
        check_output(problems, "--problems", begins=JSON, inputs=[feed])
    chosen = system_for(shelf, system)
    with ExitStack() as stack:
        log = stack.enter_context(problems.open("w", encoding="utf-8")) if problems else None
        report = IngestionReport(log)
        fetcher = stack.enter_context(open_fetcher(allow_private=allow_private, recheck=recheck))
        bar = stack.enter_context(progress(counted=False))
        task = bar.add_task(f"indexing {feed.name}", total=None)

        def show(counts: UpdateReport) -> None:
            done = counts.changed + counts.unchanged
            bar.update(task, description=f"indexing {feed.name}: {done:,} products")

        spread = None
        if ray is not None:
            settings = RaySettings(ray, ray_workers, ray_cpus, ray_gpus)
            embedder = spread_over(
                settings, catalog, chosen, allow_private=allow_private, recheck=recheck
            )
            spread = stack.enter_context(embedder)
        opened = Shelf.build(
            catalog,
            shelf,
            chosen,
            fetcher=fetcher,
            recheck=recheck,
            on_problem=report.add,
            on_progress=show,
            embedder=spread,
        )
        throughput = None if spread is None else spread.throughput(cost_per_hour)
    with opened:
        counts = opened.count()
    updated = opened.updated
    assert updated is not None
    if json:
        found = {"products": counts.products, "pictures": counts.pictures}
        kept = report.to_json()
        skipped = {"reasons": kept["reasons"], "problems": kept["problems"]}
        cluster = {} if throughput is None else {"ray": throughput.to_json()}
        print_json({"feed": str(feed), **asdict(updated), "shelf": found, **skipped, **cluster})
    else:
        _print(catalog, updated, report)
        if throughput is not None:
            tell(throughput.to_text())
        tell(f"{shelf} holds {counts.products:,} products with {counts.pictures:,} pictures")
    if updated.stopped:
        fail(f"{updated.stopped}; what stands before that is indexed, and nothing was removed")
    if not updated.is_clean:
        raise typer.Exit(EXIT_SKIPPED)


def _check_name(feed: Path) -> None:
    """Refuse a path that a shelf cannot remember: it is text there."""
    try:
        str(feed.absolute()).encode()
    except UnicodeEncodeError:
        fail(f"{feed} holds bytes that are no UTF-8 text; rename it", EXIT_USAGE)


def _columns(pairs: list[str] | None) -> dict[str, str]:
    columns = {}
    for pair in pairs or []:
        field, equals, name = pair.partition("=")
        if not equals:
            fail(f"--column: expected FIELD=COLUMN, such as id=sku, got {pair!r}", EXIT_USAGE)
        if field.strip() in columns:
            fail(f"--column: the field {field.strip()} is given twice", EXIT_USAGE)
        columns[field.strip()] = name.strip()
    return columns


def _print(catalog: "Catalog", updated: "UpdateReport", report: "IngestionReport") -> None:
    tell(
        f"{catalog.path.name} ({catalog.format}): {updated.read:,} products read, "
        f"{updated.changed:,} stored, {updated.unchanged:,} unchanged, "
        f"{updated.removed:,} removed; {updated.pictures_embedded:,} pictures embedded, "
        f"{updated.pictures_reused:,} reused; {updated.seconds:.1f} s"
    )
    if updated.not_removed and not updated.stopped:
        tell(f"nothing was removed from the shelf, since {updated.not_removed}")
    if updated.skipped or updated.parts_skipped:
        tell(
            f"skipped {updated.skipped:,} products, and {updated.parts_skipped:,} pictures or "
            "fields of others:"
        )
    for problem in report.problems[:SHOWN_PROBLEMS]:
        where = f"line {problem.line}" if problem.line else "feed"
        about = f" ({problem.product_id})" if problem.product_id else ""
        tell(f"  {where}, {problem.field}{about}: {problem.reason}")
    more = updated.skipped + updated.parts_skipped - SHOWN_PROBLEMS
    if more > 0:
        tell(f"  and {more:,} more; --problems FILE writes all of them")
