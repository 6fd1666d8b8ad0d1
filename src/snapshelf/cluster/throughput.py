"""How fast a cluster indexed, and what it cost."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Throughput"]


@dataclass(frozen=True, slots=True)
class Throughput:
    """What the workers of a run did.

    Attributes:
        workers: That were wanted at a time.
        workers_lost: That ended, with their machines or without.
        blocks: Of pictures.
        blocks_redone: Blocks that were with a worker that was lost.
        pictures: Embedded.
        start_seconds: Until the first worker was ready.
        seconds: From then on.
        cost_per_hour: Of the whole cluster, in any currency; None if not told.
    """

    workers: int
    workers_lost: int
    blocks: int
    blocks_redone: int
    pictures: int
    start_seconds: float
    seconds: float
    cost_per_hour: float | None = None

    @property
    def pictures_per_second(self) -> float:
        """Embedded pictures a second, the start left out."""
        return self.pictures / self.seconds if self.seconds > 0 else 0.0

    @property
    def cost_per_million(self) -> float | None:
        """What a million embedded pictures cost at this rate, the start left out.

        ``cost_per_hour / 3600 / pictures_per_second * 1e6``; None without a cost, or a picture.
        """
        if self.cost_per_hour is None or not self.pictures or self.seconds <= 0:
            return None
        return self.cost_per_hour / 3600 / self.pictures_per_second * 1e6

    def to_text(self) -> str:
        """Tell it in a line."""
        text = (
            f"{self.workers} workers ({self.workers_lost} lost) embedded {self.pictures:,} "
            f"pictures, {self.pictures_per_second:.1f} a second, after {self.start_seconds:.1f} s "
            "for their start"
        )
        cost = self.cost_per_million
        return text if cost is None else f"{text}; a million pictures cost {cost:,.2f}"

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        cost = self.cost_per_million
        return {
            "workers": self.workers,
            "workers_lost": self.workers_lost,
            "blocks": self.blocks,
            "blocks_redone": self.blocks_redone,
            "pictures": self.pictures,
            "start_seconds": round(self.start_seconds, 2),
            "seconds": round(self.seconds, 2),
            "pictures_per_second": round(self.pictures_per_second, 2),
            "cost_per_hour": self.cost_per_hour,
            "cost_per_million_pictures": None if cost is None else round(cost, 4),
        }
