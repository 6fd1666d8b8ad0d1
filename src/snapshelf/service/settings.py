"""What a service allows, how much, and for how long."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from snapshelf.media.limits import Limits
from snapshelf.service.clip_bounds import ClipBounds

__all__ = ["Settings"]

MIB = 1024 * 1024


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

    def __post_init__(self) -> None:
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
