"""The work of a clip's job: `Shelf.search`, and its answer as JSON."""

from pathlib import Path

from snapshelf.errors import VideoError
from snapshelf.media.video import Video
from snapshelf.service.job_work import JobWork, Work
from snapshelf.service.json_answer import write_json
from snapshelf.service.problems import ProblemError
from snapshelf.service.product_pictures import shown_item
from snapshelf.service.search_options import SearchOptions
from snapshelf.service.searching import judged
from snapshelf.service.settings import Settings
from snapshelf.shelf.clip_settings import ClipSettings
from snapshelf.shelf.shelf import Shelf
from snapshelf.store.filters import parse_filter

__all__ = ["check_clip", "clip_work"]


def check_clip(path: Path, settings: Settings, options: SearchOptions) -> None:
    """Look at a clip's header, so that what is none is refused at once.

    Args:
        path: The clip.
        settings: Its bounds.
        options: What is asked for.

    Raises:
        VideoError: If it is no clip, or beyond a bound.
        FilterError: If the filter cannot be understood.
        ProblemError: If an option is none of a clip's.
    """
    if options.boxes or options.points:
        raise ProblemError(
            "invalid", "boxes and points choose items of a picture; leave them out for a clip"
        )
    if options.filter is not None:
        parse_filter(options.filter)
    _open(path, settings)


def clip_work(
    path: Path, shelf: Shelf, settings: Settings, options: SearchOptions, request_id: str
) -> Work:
    """Make the work for a clip.

    Args:
        path: The clip.
        shelf: Is searched.
        settings: Bounds.
        options: What is asked for.
        request_id: Of the request that brought the clip.
    """
    limits = settings.clips.limits

    def work(job: JobWork) -> bytes:
        def on_progress(done: float, total: float | None) -> None:
            job.tell(0.0 if not total else done / total)

        try:
            result = shelf.search(
                _open(path, settings),
                top=options.top,
                by_category=options.by_category,
                filter=options.filter,
                clip=ClipSettings(limits=limits),
                on_progress=on_progress,
            )
        except VideoError as error:
            raise _unnamed(error, path) from error
        assert result.clip is not None
        items = result.items
        if options.in_catalogue is not None:
            items = tuple(judged(item, options.in_catalogue) for item in items)
        return write_json(
            {
                "items": [shown_item(item) for item in items],
                "size": result.size,
                "clip": {
                    "seconds": result.clip.seconds,
                    "frames": result.clip.frames,
                    "warnings": [
                        each.replace(str(path), "the clip") for each in result.clip.warnings
                    ],
                },
                "seconds": dict(result.seconds),
                "cached": None,
                "request_id": request_id,
            }
        )

    return work


def _open(path: Path, settings: Settings) -> Video:
    try:
        return Video(path, settings.clips.limits)
    except VideoError as error:
        raise _unnamed(error, path) from error


def _unnamed(error: VideoError, path: Path) -> VideoError:
    """Tell an error without where the clip lies, which means nothing to its sender."""
    return VideoError(str(error).replace(str(path), "the file"))
