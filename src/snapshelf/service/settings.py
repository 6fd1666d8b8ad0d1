"""What a service allows, how much, and for how long."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from snapshelf.media.limits import Limits
from snapshelf.service.clip_bounds import ClipBounds

__all__ = ["LEAST_SECRET", "PAGES", "Settings"]

MIB = 1024 * 1024

PAGES = ("open", "key", "off")
"""Who may have the page."""

LEAST_SECRET = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Bounds of a service; the defaults suit a shop's page on one machine.

    Attributes:
        limits: Of a picture: 10 MiB and 50 million pixels.
        clips: Bounds of clips.
        json_bytes: Largest body of a request that holds no picture.
        buffered_bytes: Most bytes of bodies in memory at a time, over all requests.
        headers_s: Longest time for the headers of a request.
        silence_s: Longest silence of a client that sends a body.
        upload_s: Longest time for a whole body.
        answer_s: Longest time from a whole body to the answer of a search.
        write_s: The same for a change of products.
        stop_s: How long requests under way may take when the service stops.
        workers: Threads for decoding, locating and comparing; None for one a processor.
        most_in_work: Searches taken in at a time, waiting ones included; more are refused.
        most_writes: Changes of products that may wait for each other; more are refused.
        batch_items: Items from which the encoder takes no more into a batch.
        batch_wait_s: Longest wait for others to fill a batch; nobody waits for nobody.
        cached_bytes: Of the answers kept for the same request; 0 for none.
        cached_pictures: Pictures kept, very small, to know their copies by; 0 for none.
        fetch_urls: Whether a search may name its picture by a URL.
        allow_private: Whether pictures are fetched from private addresses too.
        keys: File of the API keys; None for a service that anybody may search and nobody may
            change.
        requests_per_minute: Of a key that has no rate of its own and, without keys, of an address.
        failures_per_minute: Requests with a wrong key, of an address.
        allowed_origins: Pages of other origins that may use the service, such as
            ``https://shop.example``.
        events: File of the events; None for ``shelf.events.jsonl`` in the shelf's folder.
        event_bytes: Size from which a file of events is closed and the next one begun.
        event_files: Files of events kept.
        most_compared: Pictures compared with each other for duplicates; more are refused.
        most_groups: Groups of duplicates given.
        annotated_pictures: Pictures that may be annotated at once.
        annotated_bytes: Largest body of a request that holds them.
        feed_bytes: Largest body of a request that holds a feed, and most bytes of it unpacked.
        feed_rows: Most rows of a feed that is sent.
        bulk_s: Longest time for a body of either.
        bulk_at_once: Such bodies that may arrive at a time; more are refused.
        jobs_waiting: Jobs of a kind that may wait for each other; more are refused.
        jobs_kept: Jobs of a kind that are kept when they are over.
        jobs_kept_s: How long, seconds.
        page: Who may have the page: ``open`` for anybody, ``key`` for who has a key, ``off`` for
            nobody; "" for anybody where there are no keys, and else for who has one.
        theme: How the pages look; None for the usual look.
        session_secret: Signs the sessions of the pages, at least 32 letters; "" for one of the
            process, which several processes behind one address do not share.
        links: Folder of the pictures that customers ask to be kept for a link; None to keep none.
        link_days: How long they are kept.
        link_bytes: Of all of them; the oldest go first.
        page_requests_per_minute: Of all the pages' sessions of an address.

    Raises:
        ValueError: If a bound makes no sense.
    """

    limits: Limits = field(
        default_factory=lambda: Limits(max_bytes=10 * MIB, max_pixels=50_000_000)
    )
    clips: ClipBounds = field(default_factory=ClipBounds)
    json_bytes: int = 2 * MIB
    buffered_bytes: int = 256 * MIB
    headers_s: float = 10.0
    silence_s: float = 10.0
    upload_s: float = 30.0
    answer_s: float = 30.0
    write_s: float = 120.0
    stop_s: float = 20.0
    workers: int | None = None
    most_in_work: int = 64
    most_writes: int = 8
    batch_items: int = 16
    batch_wait_s: float = 0.005
    cached_bytes: int = 64 * MIB
    cached_pictures: int = 128
    fetch_urls: bool = False
    allow_private: bool = False
    keys: Path | None = None
    requests_per_minute: int = 600
    failures_per_minute: int = 20
    allowed_origins: tuple[str, ...] = ()
    events: Path | None = None
    event_bytes: int = 16 * MIB
    event_files: int = 4
    most_compared: int = 100_000
    most_groups: int = 1_000
    annotated_pictures: int = 200
    annotated_bytes: int = 256 * MIB
    feed_bytes: int = 256 * MIB
    feed_rows: int = 2_000_000
    bulk_s: float = 900.0
    bulk_at_once: int = 2
    jobs_waiting: int = 4
    jobs_kept: int = 16
    jobs_kept_s: float = 3600.0
    page: str = ""
    theme: Path | None = None
    session_secret: str = field(default="", repr=False)
    links: Path | None = None
    link_days: float = 30.0
    link_bytes: int = 256 * MIB
    page_requests_per_minute: int = 3000

    def __post_init__(self) -> None:
        if self.page not in ("", *PAGES):
            raise ValueError(f"page must be one of {', '.join(PAGES)}, got {self.page!r}")
        if self.page == "key" and self.keys is None:
            raise ValueError("page is 'key', but there are no keys; give keys, or page 'open'")
        if 0 < len(self.session_secret) < LEAST_SECRET:
            raise ValueError(f"session_secret must have at least {LEAST_SECRET} letters")
        may_be_zero = ("batch_wait_s", "cached_bytes", "cached_pictures")
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            least = 0 if name in may_be_zero else 1e-3 if isinstance(value, float) else 1
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")

    @property
    def threads(self) -> int:
        """How many threads work on pictures."""
        return self.workers or os.cpu_count() or 1

    @property
    def picture_body_bytes(self) -> int:
        """Largest body of a request that holds a picture: as base64 it is a third longer."""
        return self.limits.max_bytes * 4 // 3 + 64 * 1024
