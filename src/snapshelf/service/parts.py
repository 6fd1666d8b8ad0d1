"""What the routes of one service share."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from platformdirs import user_data_path
from starlette.types import ASGIApp

from snapshelf.media.fetcher import Fetcher
from snapshelf.service.clip_folder import ClipFolder
from snapshelf.service.event_log import EventLog
from snapshelf.service.jobs import Jobs
from snapshelf.service.measures import Measures
from snapshelf.service.own_folder import OwnFolder
from snapshelf.service.product_changes import ProductChanges
from snapshelf.service.searching import Searching
from snapshelf.service.sent_feed import PREFIX as FEEDS
from snapshelf.service.settings import Settings
from snapshelf.service.shelf_facets import ShelfFacets
from snapshelf.service.small_pictures import SmallPictures
from snapshelf.service.team_work import TeamWork
from snapshelf.shelf.shelf import Shelf
from snapshelf.store.opening import Place

__all__ = ["Parts", "assemble", "own_events"]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of a service.

    Attributes:
        shelf: Is served.
        settings: Bounds.
        measures: For Prometheus.
        pool: Threads for work on pictures.
        searching: Searches.
        clips: Searches clips.
        clip_folder: Where clips lie.
        feed_folder: Where feeds lie that were sent.
        changes: Changes products.
        events: Keeps events.
        pictures: Reads pictures of products.
        facets: Counts products by category, brand and price.
        fetcher: Fetches pictures that products and, if allowed, searches name by URL.
        team: What the catalogue team has done in the background.
        jobs: The application of the process that holds the jobs; None where that is this one.
        stopping: Set once the service takes no new work.
    """

    shelf: Shelf
    settings: Settings
    measures: Measures
    pool: ThreadPoolExecutor
    searching: Searching
    clips: Jobs
    clip_folder: ClipFolder
    feed_folder: OwnFolder
    changes: ProductChanges
    events: EventLog
    pictures: SmallPictures
    facets: ShelfFacets
    fetcher: Fetcher
    team: TeamWork
    jobs: ASGIApp | None = None
    stopping: Event = field(default_factory=Event)

    async def stop_jobs(self) -> None:
        """Take no new work, give up the jobs that there are, and wait until theirs has ended."""
        self.stopping.set()
        await asyncio.gather(*(jobs.stop() for jobs in (self.clips, *self.team.jobs)))

    def close(self) -> None:
        """Wait for what else is under way, and let go of everything; after `stop_jobs`."""
        self.changes.close()
        self.searching.close()
        self.pictures.close()
        self.pool.shutdown(cancel_futures=True)
        self.fetcher.close()
        self.clip_folder.close()
        self.feed_folder.close()


def assemble(
    shelf: Shelf, settings: Settings, measures: Measures, jobs: ASGIApp | None = None
) -> Parts:
    """Put the parts of a service together.

    Args:
        shelf: Opened from a folder.
        settings: Bounds.
        measures: For Prometheus.
        jobs: As `create_app` has it.

    Raises:
        ValueError: If the shelf has no folder or address.
    """
    if shelf.place is None:
        raise ValueError("shelf must be opened from its folder or address, with Shelf.open")
    pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="snapshelf-picture")
    fetcher = Fetcher(
        None,
        allow_private=settings.allow_private,
        timeout_s=5.0,
        total_s=15.0,
        retries=0,
        max_bytes=settings.limits.max_bytes,
    )
    return Parts(
        shelf=shelf,
        settings=settings,
        measures=measures,
        pool=pool,
        searching=Searching(shelf, settings, measures, pool),
        clips=Jobs(
            settings.clips.jobs,
            measures,
            in_work=measures.clips_in_work,
            seconds=measures.clip_seconds,
        ),
        clip_folder=ClipFolder(settings.clips.folder, settings.clips.disk_bytes),
        feed_folder=OwnFolder(FEEDS),
        changes=ProductChanges(shelf.place, shelf.system, settings, measures, fetcher),
        events=EventLog(
            settings.events or own_events(shelf.place),
            most_bytes=settings.event_bytes,
            most_files=settings.event_files,
        ),
        pictures=SmallPictures(shelf, settings, fetcher, pool),
        facets=ShelfFacets(shelf.store),
        fetcher=fetcher,
        team=TeamWork(settings, measures),
        jobs=jobs,
    )


def own_events(place: Place) -> Path:
    """Name the file of events of a shelf: in its folder, or this user's where it has none.

    Args:
        place: The shelf's folder or address.
    """
    if isinstance(place, Path):
        return place / "shelf.events.jsonl"
    folder = user_data_path("snapshelf") / "events"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{place.host.replace(':', '_')}-{place.port}-{place.name}.jsonl"
