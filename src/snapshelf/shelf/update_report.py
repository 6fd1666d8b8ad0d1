"""What an update of a shelf did."""

from dataclasses import dataclass

__all__ = ["UpdateReport"]


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update of a shelf did, and what it left out.

    Attributes:
        read: Good rows of the feed.
        changed: Products stored, new ones and changed ones.
        unchanged: Products that cost nothing.
        removed: Products that the feed no longer has.
        skipped: Bad rows and products without a usable picture; such a product that the shelf
            holds already stays as it was.
        parts_skipped: Bad pictures, and fields not understood, of products that are stored
            without them.
        pictures_embedded: Pictures decoded and embedded.
        pictures_reused: Pictures whose embedding was at hand.
        stopped: Why the feed could not be read to its end, "" if it was.
        not_removed: Why the feed does not show which products are gone, so that none was
            removed; "" if it does.
        seconds: Wall time.
    """

    read: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    parts_skipped: int = 0
    pictures_embedded: int = 0
    pictures_reused: int = 0
    stopped: str = ""
    not_removed: str = ""
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was skipped."""
        return not (self.skipped or self.parts_skipped or self.stopped)
