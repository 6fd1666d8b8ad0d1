"""Folders of pictures as a feed: a folder for each product, or a picture for each product."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.image_reference import PICTURE_SUFFIXES
from snapshelf.catalog.limits import MAX_IMAGES
from snapshelf.catalog.plain_text import quote
from snapshelf.catalog.row import Header, Row, Value
from snapshelf.catalog.source import Source
from snapshelf.errors import FeedError

__all__ = ["find_layout", "read_folders", "read_pictures"]

COLUMNS = ("id", "title", "category", "images")


def read_folders(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a folder that has a folder for each product.

    A folder that holds pictures is a product: its name is the ID and title, the folders above
    it are the category, its pictures in the order of their names are the product's.

    Args:
        source: The outermost folder.

    Yields:
        The header, then the rows, folder by folder in the order of their names.

    Raises:
        FeedError: If there is no picture in any folder.
    """
    yield _header(source)
    for folder, pictures, problems in _walk(source):
        yield from problems
        if not folder:
            for name in pictures[:MAX_IMAGES]:
                reason = (
                    "lies in no product's folder: read the feed as format 'pictures', or move it"
                )
                yield Problem(0, name, reason)
        elif pictures:
            images: Value = [_join(folder, name) for name in pictures[: MAX_IMAGES + 1]]
            fields = {"id": folder[-1], "title": _title(folder[-1]), "images": images}
            yield Row(0, {**fields, "category": list(folder[:-1])})


def read_pictures(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a folder that has one picture for each product.

    A picture's name without its suffix is the ID and title, the folders it lies in are the
    category.

    Args:
        source: The outermost folder.

    Yields:
        The header, then the rows, in the order of their names.

    Raises:
        FeedError: If there is no picture in any folder.
    """
    yield _header(source)
    for folder, pictures, problems in _walk(source):
        yield from problems
        for name in pictures:
            stem = os.path.splitext(name)[0]
            fields: dict[str, Value] = {"id": stem, "title": _title(stem)}
            fields["category"] = list(folder)
            fields["images"] = [_join(folder, name)]
            yield Row(0, fields)


def find_layout(source: Source) -> str:
    """Tell which of the two a folder is: ``pictures`` if pictures lie in it itself.

    Args:
        source: The outermost folder.

    Returns:
        ``"pictures"`` or ``"folders"``.

    Raises:
        FeedError: If there is no picture in any folder.
    """
    _header(source)
    _, pictures, _ = next(_walk(source))
    return "pictures" if pictures else "folders"


def _header(source: Source) -> Header:
    if not any(pictures for _, pictures, _ in _walk(source)):
        raise FeedError(
            f"{source.path} holds no picture in any folder; looked for "
            f"{', '.join(PICTURE_SUFFIXES)}"
        )
    return Header(COLUMNS)


def _walk(source: Source) -> Iterator[tuple[tuple[str, ...], list[str], list[Problem]]]:
    """Each folder with its pictures, and what in it is refused, both by name."""
    with source.readable():
        root = source.path.resolve()
        os.scandir(root).close()
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        folder = waiting.pop()
        try:
            folders, pictures, problems = _scan(root, folder)
        except OSError as error:
            reason = f"is a folder that cannot be read: {error.strerror}"
            yield folder, [], [Problem(0, _join(folder[:-1], folder[-1])[-100:], reason)]
            continue
        waiting += [(*folder, name) for name in sorted(folders, reverse=True)]
        yield folder, sorted(pictures), sorted(problems, key=lambda problem: problem.field)


def _scan(root: Path, folder: tuple[str, ...]) -> tuple[list[str], list[str], list[Problem]]:
    """Names of the folders and pictures in a folder, and its links that are refused."""
    folders: list[str] = []
    pictures: list[str] = []
    problems: list[Problem] = []
    with os.scandir(root.joinpath(*folder)) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_picture = entry.name.lower().endswith(PICTURE_SUFFIXES)
            refusal = _refuse_link(entry, root, is_picture=is_picture) if entry.is_symlink() else ""
            if refusal:
                name = _join(folder, entry.name)[-100:]
                problems.append(Problem(0, name, refusal, fatal=False))
            elif entry.is_dir():
                folders.append(entry.name)
            elif is_picture and entry.is_file():
                pictures.append(entry.name)
    return folders, pictures, problems


def _refuse_link(entry: os.DirEntry[str], root: Path, *, is_picture: bool) -> str:
    """Why a link is not followed, "" if it leads to a picture within the root (or is none)."""
    try:
        if entry.is_dir():
            return f"is a link to a folder: {quote(entry.name)}; links to folders are not followed"
        if not is_picture:
            return ""
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):
        return f"is a link that leads nowhere: {quote(entry.name)}"
    if not target.is_relative_to(root):
        return f"is a link that leads out of the feed's folder: {quote(entry.name)}"
    return ""


def _join(folder: tuple[str, ...], name: str) -> str:
    return "/".join((*folder, name))


def _title(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")
