"""What a service allows of clips."""

from dataclasses import dataclass, fields
from pathlib import Path

from snapshelf.media.video_limits import VideoLimits
from snapshelf.service.job_kind import JobKind

__all__ = ["ClipBounds"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipBounds:
    """Bounds of clips and of the jobs that search them.

    Attributes:
        max_bytes: Largest clip.
        max_seconds: Longest clip.
        max_pixels: Of a frame as stored; 4K.
        max_frames: Frames decoded at most, of a clip whose header does not tell its length.
        upload_s: Longest time for a clip to arrive.
        work_s: Longest time for searching a clip.
        workers: Clips searched at a time, each by a thread of its own.
        most: Clips taken in at a time: arriving, waiting and under way; more are refused.
        disk_bytes: Most bytes of clips on disk at a time.
        folder: Where clips lie until they are searched; None for the system's temporary folder.
        results: Jobs remembered after their end; the oldest go first.
        results_bytes: Most bytes of their answers.
        results_s: How long a job is remembered after its end.
        streams: Streams of events at a time; more are refused.
        keep_alive_s: Longest silence of a stream of events.

    Raises:
        ValueError: If a bound is not above 0.
    """

    max_bytes: int = 200 * MIB
    max_seconds: float = 600.0
    max_pixels: int = 4096 * 2304
    max_frames: int = 36_000
    upload_s: float = 300.0
    work_s: float = 600.0
    workers: int = 1
    most: int = 8
    disk_bytes: int = 1024 * MIB
    folder: Path | None = None
    results: int = 100
    results_bytes: int = 64 * MIB
    results_s: float = 3600.0
    streams: int = 100
    keep_alive_s: float = 15.0

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if isinstance(value, int | float) and not value > 0:
                raise ValueError(f"clips: {bound.name} must be above 0, got {value}")

    @property
    def body_bytes(self) -> int:
        """Largest body of a request that holds a clip, a form's other parts included."""
        return self.max_bytes + 64 * 1024

    @property
    def jobs(self) -> JobKind:
        """The jobs that search clips."""
        return JobKind(
            name="clip",
            again="send the clip again",
            most=self.most,
            workers=self.workers,
            work_s=self.work_s,
            kept=self.results,
            kept_bytes=self.results_bytes,
            kept_s=self.results_s,
            ends_at_once=True,
        )

    @property
    def limits(self) -> VideoLimits:
        """The bounds of a clip's file."""
        return VideoLimits(
            max_bytes=self.max_bytes,
            max_seconds=self.max_seconds,
            max_pixels=self.max_pixels,
            max_frames=self.max_frames,
        )
