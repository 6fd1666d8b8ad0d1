"""The options of ``snapshelf index`` that spread the work over a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from snapshelf.cli.console import EXIT_USAGE, fail, tell
from snapshelf.cli.fetching import cache_folder

if TYPE_CHECKING:
    from snapshelf.catalog import Catalog
    from snapshelf.cluster.ray_embedder import RayEmbedder
    from snapshelf.systems import System

__all__ = ["RaySettings", "spread_over"]


@dataclass(frozen=True, slots=True)
class RaySettings:
    """As given on the command line; see ``snapshelf index --help``."""

    address: str
    workers: int | None
    cpus: int
    gpus: float | None


@contextmanager
def spread_over(
    settings: RaySettings,
    catalog: "Catalog",
    system: "System",
    *,
    allow_private: bool,
    recheck: bool,
) -> "Iterator[RayEmbedder]":
    """Give what embeds a catalogue's pictures on a cluster.

    Args:
        settings: Of the cluster.
        catalog: To be indexed.
        system: To index with.
        allow_private: Fetch pictures from private addresses too.
        recheck: Ask servers whether cached pictures have changed.

    Raises:
        ClusterError: If there is no such cluster, or no room in it.
    """
    from snapshelf.cluster.indexing import open_source, ray_embedder
    from snapshelf.cluster.worker_pool import WorkerSettings

    try:
        workers = WorkerSettings(count=settings.workers, cpus=settings.cpus, gpus=settings.gpus)
    except ValueError as error:
        fail(f"--ray: {error}", EXIT_USAGE)
    source = partial(
        open_source,
        catalog.path.resolve(),
        catalog.root.resolve(),
        cache_folder(),
        allow_private=allow_private,
        recheck=recheck,
        seen_at=catalog.path.stat().st_mtime,
    )
    with ray_embedder(
        settings.address, workers, system=system, open_source=source, on_lost=tell
    ) as embedder:
        yield embedder
