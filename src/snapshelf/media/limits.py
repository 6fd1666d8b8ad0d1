"""How large a picture may be before it is refused."""

from dataclasses import dataclass, fields

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that are checked before anything is decoded.

    Attributes:
        max_bytes: Largest file, in bytes (25 MiB).
        max_pixels: Largest width times height, by the file's header.
        min_side: Shortest side, in pixels.

    Raises:
        ValueError: If a bound is below 1.
    """

    max_bytes: int = 25 * 1024 * 1024
    max_pixels: int = 100_000_000
    min_side: int = 1

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if value < 1:
                raise ValueError(f"{bound.name} must be at least 1, got {value}")
