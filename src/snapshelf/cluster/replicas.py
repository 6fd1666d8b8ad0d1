"""How many replicas serve, and what each takes."""

from dataclasses import dataclass

__all__ = ["Replicas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """How many replicas there are, and what each takes of a cluster.

    Attributes:
        least: Replicas that are always there, at least 1.
        most: Replicas under load, at least `least`.
        cpus: Processors of each, at least 1.
        ongoing: Searches under way in each that more replicas are wanted above.
        encoders: Replicas of the encoder alone, that the others send their inputs to; 0 for an
            encoder in each replica.
        encoder_gpus: GPUs of each of those, such as 0.5.

    Where there can be several, jobs (clips, comparisons, annotations, feeds) have one more replica,
    of as many processors: they live in one process's memory, and all others ask that one.

    Raises:
        ValueError: If a number makes no sense.
    """

    least: int = 1
    most: int = 1
    cpus: int = 1
    ongoing: float = 4.0
    encoders: int = 0
    encoder_gpus: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f"expected 1 <= least <= most, got {self.least} and {self.most}")
        if self.cpus < 1 or self.encoders < 0 or self.encoder_gpus < 0 or self.ongoing <= 0:
            raise ValueError(
                "cpus must be at least 1, encoders and encoder_gpus not negative, ongoing above "
                f"0, got {self.cpus}, {self.encoders}, {self.encoder_gpus} and {self.ongoing}"
            )

    @property
    def jobs(self) -> bool:
        """Whether jobs have a replica of their own."""
        return self.most > 1

    @property
    def most_cpus(self) -> int:
        """Processors that all of them take under load."""
        return self.cpus * (self.most + self.encoders + self.jobs)
