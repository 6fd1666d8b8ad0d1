"""`Recent`: what was worked out a moment ago, in memory."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

__all__ = ["Recent"]


class Recent:
    """Values by keys, those asked last; may be used from several threads.

    Args:
        kept: Values that are kept, at least 1.

    Raises:
        ValueError: If `kept` is below 1.
    """

    def __init__(self, kept: int) -> None:
        if kept < 1:
            raise ValueError(f"kept must be at least 1, got {kept}")
        self._kept = kept
        self._values: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the values of those keys that are there."""
        with self._lock:
            found = {key: self._values[key] for key in keys if key in self._values}
            for key in found:
                self._values.move_to_end(key)
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values; those asked longest ago may have to go."""
        with self._lock:
            self._values.update(values)
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
