"""The errors about a shelf that is not there, or not open for what is asked; for every store."""

from pathlib import Path

from snapshelf.errors import ShelfError

__all__ = ["closed", "exists_already", "missing", "read_only", "replaced"]


def missing(place: object) -> ShelfError:
    """There is no shelf.

    Args:
        place: Where it was looked for: a folder, or an address.
    """
    return ShelfError(
        f"there is no {_shelf(place)}: make one with `snapshelf index FEED --shelf {place}`"
    )


def exists_already(place: object) -> ShelfError:
    """There is a shelf where one was to be made."""
    return ShelfError(f"there is a {_shelf(place)} already")


def replaced(place: object) -> ShelfError:
    """The shelf is another one than when it was opened, or gone."""
    return ShelfError(
        f"the {_shelf(place)} was removed or replaced while it was open: open it again"
    )


def read_only(place: object) -> ShelfError:
    """The shelf was not opened for writing."""
    return ShelfError(f"{place} was opened for searching only; open it with write=True")


def closed(place: object) -> ValueError:
    """The store was closed, which its user did."""
    return ValueError(f"the store of {place} is closed: open it again")


def _shelf(place: object) -> str:
    return f"shelf in {place}" if isinstance(place, Path) else f"shelf {place}"
