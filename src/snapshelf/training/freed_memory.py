"""Memory that training frees is kept for its next step, instead of handed back and asked for."""

import ctypes
import sys
from typing import Final

__all__ = ["keep_freed_memory"]

# Of malloc.h of the GNU C library.
M_TRIM_THRESHOLD: Final = -1
M_TOP_PAD: Final = -2
M_MMAP_MAX: Final = -4

PAD: Final = 64 * 2**20
"""Bytes asked of the system beyond what is needed, so that it is asked seldom."""


def keep_freed_memory() -> bool:
    """Have the C library keep large blocks that are freed, from now on and for this process.

    The GNU C library gives a large block back to the system as soon as it is freed, and the system
    clears every page of the next one. A training step on a processor allocates and frees gigabytes
    of feature maps, and nearly half of its time goes there. Kept blocks are used again by the next
    step; the process then holds on to its largest size until it ends, so this is for a process that
    trains, not for one that serves.

    Returns:
        Whether it was done: there is nothing to do with another C library.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_TOP_PAD, PAD))
    return all(mallopt(name, value) == 1 for name, value in settings)
