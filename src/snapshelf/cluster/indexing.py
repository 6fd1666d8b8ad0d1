"""Putting together what indexes a catalogue on a cluster."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from snapshelf.cluster.picture_worker import WorkerPlan
from snapshelf.cluster.ray_embedder import RayEmbedder
from snapshelf.cluster.session import ray_session
from snapshelf.cluster.worker_pool import WorkerSettings, settle
from snapshelf.errors import ClusterError
from snapshelf.features.computing import Computing
from snapshelf.media.fetcher import Fetcher
from snapshelf.media.limits import Limits
from snapshelf.media.source import PictureSource
from snapshelf.systems.system import System

__all__ = ["open_source", "ray_embedder"]


@contextmanager
def ray_embedder(
    address: str,
    settings: WorkerSettings,
    *,
    system: System,
    open_source: Callable[[], PictureSource],
    load: Callable[[], System] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    on_lost: Callable[[str], None] = lambda _: None,
) -> Iterator[RayEmbedder]:
    """Connect to a cluster and give what embeds on it, for one update of a shelf.

    Args:
        address: See `ray_session`.
        settings: Of the workers.
        system: Of the shelf.
        open_source: Opens what reads the pictures; called on the workers' machines.
        load: Loads the system there; None for its name, which may be a folder's path.
        limits: Bounds of a picture.
        on_lost: Told of each worker that was lost.

    Raises:
        ClusterError: If there is no such cluster, or no room in it.
    """
    cpus = None if settings.count is None else settings.count * settings.cpus
    with ray_session(address, cpus=cpus):
        settled = settle(settings)
        plan = WorkerPlan(
            load=load or partial(System.load, system.name),
            fingerprint=system.fingerprint,
            open_source=open_source,
            limits=limits,
            computing=Computing("cuda" if settled.gpus else "cpu", settled.cpus),
        )
        yield RayEmbedder(plan, settled, on_lost=on_lost)


def open_source(
    feed: Path,
    root: Path,
    cache: Path | None,
    *,
    limits: Limits = Limits(),  # noqa: B008
    allow_private: bool = False,
    recheck: bool = False,
    seen_at: float = 0.0,
) -> PictureSource:
    """Open what reads a feed's pictures on a machine of a cluster.

    Args:
        feed: The feed, a file or a folder.
        root: Its folder.
        cache: Folder for pictures from the web; None for none.
        limits: Bounds of a picture.
        allow_private: Fetch from private addresses too.
        recheck: Ask the server whether a cached picture has changed.
        seen_at: The feed's modification time where the command runs.

    Returns:
        A source; where the machine does not see the feed as it is where the command runs, one that
        refuses files with a `ClusterError`, since all of them would be taken for missing ones.
    """
    fetcher = Fetcher(cache, allow_private=allow_private, recheck=recheck)
    try:
        same = feed.stat().st_mtime == seen_at
    except OSError:
        same = False
    kind = PictureSource if same else _WebSource
    return kind(root, limits=limits, fetcher=fetcher)


class _WebSource(PictureSource):
    """Reads pictures from the web, of a feed whose files are not here."""

    def _read_file(self, image: str) -> bytes:
        raise ClusterError(
            f"{image} cannot be read on {socket.gethostname()}, which does not see the feed's "
            "folder as it is here: mount it at the same path on every machine of the cluster"
        )
