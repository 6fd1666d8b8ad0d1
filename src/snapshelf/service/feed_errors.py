"""Errors of feeds, told to whoever sent one: under its name, with what they can do about it."""

from collections.abc import Mapping
from pathlib import Path

from snapshelf.errors import FeedError, ShelfLockedError, SnapshelfError
from snapshelf.service.problems import ProblemError

__all__ = ["FeedErrors"]

FORMATS = "csv, google-tsv, google-xml, jsonl, parquet or shopify"

SENT: Mapping[str, str] = {
    "columns": "name the right column of the feed so, and send it again",
    "encoding": "send it as UTF-8, or its encoding in the form field `encoding` (`utf-16-le`, "
    "`cp1252`)",
    "format": f"send its format in the form field `format` if you know it: {FORMATS}",
    "place": "send it again",
}
"""What who sends a feed does about what `FeedError.about` names."""

OWN = "send the feed, or run `snapshelf index` once more where the service runs"
"""What is done about the shelf's own feed, whatever is wrong with it."""


class FeedErrors:
    """Turns what a feed or a shelf cannot do into problems, which name no folder of ours.

    Used as a context, which raises them.

    Args:
        path: Where the feed lies; None where that is not known.
        name: What to call it.
        own: Whether it is the shelf's own feed, and none that was sent.
    """

    def __init__(self, path: Path | None, name: str, *, own: bool) -> None:
        self._path = path
        self._name = name or "the feed"
        self._own = own

    def __enter__(self) -> "FeedErrors":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case ShelfLockedError():
                raise ProblemError(
                    "locked", "another process is indexing into the shelf; try again later"
                ) from None
            case FeedError():
                raise ProblemError("invalid", self._told(error)) from None
            case SnapshelfError():
                raise ProblemError("unavailable", "the shelf cannot be written") from None

    def shown(self, told: str) -> str:
        """Call the feed by its name in a text that calls it by where it lies.

        Of a feed that was sent the file's name is a random one, which no other word is like; the
        shelf's own is called by its file's name anyway.
        """
        if self._path is None:
            return told
        told = told.replace(str(self._path), self._name)
        return told if self._own else told.replace(self._path.name, self._name)

    def _told(self, error: FeedError) -> str:
        cure = (OWN if self._own else SENT[error.about]) if error.about else ""
        return self.shown(f"{error.told}; {cure}" if cure else str(error))
