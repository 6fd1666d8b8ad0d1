"""How many requests may run at once, in all and to each host."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

__all__ = ["HostSlots"]


class HostSlots:
    """Bounds the requests under way; a thread waits until there is room for its own.

    Args:
        total: Most requests at once, at least 1.
        per_host: Most requests at once to one host, at least 1.

    Raises:
        ValueError: If a bound is below 1.
    """

    def __init__(self, total: int, per_host: int) -> None:
        if total < 1 or per_host < 1:
            raise ValueError(
                f"the bounds on connections must be at least 1, got {total} in all, "
                f"{per_host} per host"
            )
        self._total = total
        self._per_host = per_host
        self._held: Counter[str] = Counter()
        self._changed = Condition()

    @contextmanager
    def hold(self, host: str) -> Iterator[None]:
        """Hold a place for one request to a host."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(host))
            self._held[host] += 1
        try:
            yield
        finally:
            with self._changed:
                self._held[host] -= 1
                if not self._held[host]:
                    del self._held[host]
                self._changed.notify_all()

    def _has_room(self, host: str) -> bool:
        return self._held.total() < self._total and self._held[host] < self._per_host
