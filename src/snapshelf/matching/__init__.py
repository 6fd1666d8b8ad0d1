"""How alike two items are, and how sure that is."""

from snapshelf.matching.confidence import Calibration

__all__ = ["Calibration"]
