"""Where networks compute that are loaded without being told: on one processor, or a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Computing", "computing", "current"]


@dataclass(frozen=True, slots=True)
class Computing:
    """Where and how widely networks compute.

    Attributes:
        device: ``cpu`` or ``cuda``.
        threads: Processors that an encoder takes, at least 1; None for what it finds.
    """

    device: str = "cpu"
    threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ValueError: If the device is unknown or `threads` is below 1.
        """
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device must be cpu or cuda, got {self.device!r}")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")


_current: ContextVar[Computing] = ContextVar("computing", default=Computing())  # noqa: B039 - frozen
"""A system is made of parts within parts, each from its own file: a context reaches them all."""


def current() -> Computing:
    """Give what holds for networks that are loaded now."""
    return _current.get()


@contextmanager
def computing(where: Computing) -> Iterator[None]:
    """Load what is loaded inside for a device.

    Args:
        where: Which.

    Example:
        >>> with computing(Computing(threads=1)):
        ...     current().threads
        1
    """
    token = _current.set(where)
    try:
        yield
    finally:
        _current.reset(token)
