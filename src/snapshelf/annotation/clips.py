"""Clips to what they show: the items of each, when they are seen, and what they are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from snapshelf.annotation.annotated import AnnotatedItem
from snapshelf.annotation.attribute_finder import AttributeFinder
from snapshelf.annotation.pictures import is_picture
from snapshelf.errors import VideoError
from snapshelf.features.encoder import Domain
from snapshelf.locating.region import Region
from snapshelf.media.clip_or_picture import CLIP_SUFFIXES, is_clip
from snapshelf.media.decode import decode_picture
from snapshelf.shelf.clip_settings import ClipSettings
from snapshelf.shelf.result import FoundItem
from snapshelf.shelf.shelf import Shelf
from snapshelf.store.filters import Filter

__all__ = ["AnnotatedClip", "annotate_clips", "file_clips"]


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """What became of a clip.

    Attributes:
        name: Its file's path.
        items: In the order in which they first appear; empty if it could not be read.
        warnings: What was wrong with it, or left out of it.
        error: Why it could not be read, "" where it could.
    """

    name: str
    items: tuple[AnnotatedItem, ...]
    warnings: tuple[str, ...] = ()
    error: str = ""


def file_clips(paths: Sequence[Path]) -> Iterator[Path]:
    """Name clips, and those in folders and below.

    Args:
        paths: Files, whatever their names, and folders.

    Yields:
        In the order given, a folder's by name; what is no clip is left out.
    """
    for path in paths:
        if not path.is_dir():
            if is_clip(path):
                yield path
            continue
        for file in sorted(path.rglob("*")):
            named = file.name.lower().endswith(CLIP_SUFFIXES)
            if file.is_file() and (named or is_picture(file)) and is_clip(file):
                yield file


def annotate_clips(
    clips: Iterable[Path],
    shelf: Shelf,
    *,
    top: int,
    where: Filter | None = None,
    attributes: AttributeFinder | None = None,
    settings: ClipSettings = ClipSettings(),  # noqa: B008
    on_progress: Callable[[Path, float, float | None], None] | None = None,
) -> Iterator[AnnotatedClip]:
    """Annotate the items of clips, one clip after another.

    Args:
        clips: Their files, drawn lazily.
        shelf: Open.
        top: Largest number of products for each item, at least 1.
        where: Only products that pass this filter.
        attributes: Finds the attributes of each item, in its best frame; None to leave them.
        settings: How clips are searched.
        on_progress: Called with the clip's file, its seconds that are done and those in all, as
            `Shelf.search` calls it.

    Yields:
        One for each clip; one that cannot be read has an error.
    """
    for clip in clips:

        def told(done: float, total: float | None, clip: Path = clip) -> None:
            if on_progress is not None:
                on_progress(clip, done, total)

        try:
            result = shelf.search(clip, top=top, filter=where, clip=settings, on_progress=told)
        except VideoError as error:
            yield AnnotatedClip(str(clip), (), error=str(error))
            continue
        warnings = result.clip.warnings if result.clip is not None else ()
        yield AnnotatedClip(str(clip), _items(result.items, attributes), warnings)


def _items(
    found: Sequence[FoundItem], attributes: AttributeFinder | None
) -> tuple[AnnotatedItem, ...]:
    """Add to what was found what the best frames show."""
    regions = [Region(one.item.box, one.item.label) for one in found]
    if attributes is None or not found:
        return tuple(
            AnnotatedItem(region, found=one) for region, one in zip(regions, found, strict=True)
        )
    views = [decode_picture(one.item.best.jpeg) for one in found if one.item.best is not None]
    values = attributes.find([attributes.prepare(view) for view in views], Domain.STREET)
    return tuple(
        AnnotatedItem(region, attributes=own, found=one)
        for region, one, own in zip(regions, found, values, strict=True)
    )
