"""The errors a user can mend: each names what was wrong, what was expected and what to do."""

__all__ = [
    "ClusterError",
    "DatasetError",
    "FeaturesError",
    "FeedError",
    "FilterError",
    "MissingWeightsError",
    "ModelError",
    "PictureError",
    "ShelfError",
    "ShelfLockedError",
    "SnapshelfError",
    "SystemMismatchError",
    "UnboxedSplitError",
    "VideoError",
]


class SnapshelfError(Exception):
    """Base of every error about data, files or models; its message is fit to show to a user."""


class FeedError(SnapshelfError):
    """A product feed as a whole cannot be read (a bad row is a `Problem`, not an error).

    Args:
        told: What is wrong.
        cure: What to do, on the command line or in Python; "" where `told` says so.
        about: What the cure is about, ``columns``, ``encoding``, ``format`` or ``place``, for
            those whose users do it in another way; "" for nothing of these.

    Attributes:
        told: As given.
        about: As given.
    """

    def __init__(self, told: str, *, cure: str = "", about: str = "") -> None:
        super().__init__(f"{told}; {cure}" if cure else told)
        self.told = told
        self.about = about


class PictureError(SnapshelfError):
    """A picture was refused or cannot be read."""


class FeaturesError(PictureError):
    """A product has no features of its own that could stand for its pictures."""


class ClusterError(SnapshelfError):
    """A cluster is not there, or cannot do what it is asked."""


class VideoError(SnapshelfError):
    """A clip was refused or cannot be read."""


class ModelError(SnapshelfError):
    """A system, backbone or weights file is missing, unreadable or not what it says."""


class MissingWeightsError(ModelError):
    """Published weights are not on this machine, and cannot be had.

    Args:
        what: What is missing, a sentence without its full stop.
        how: How to give it, one sentence or more.

    Attributes:
        what: As given.
    """

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}. {how}")
        self.what = what


class DatasetError(SnapshelfError):
    """A data set's folder is not in its published layout."""


class UnboxedSplitError(DatasetError):
    """A data set has boxes, but none in this split that could be measured on."""


class FilterError(SnapshelfError):
    """A filter expression cannot be understood."""


class ShelfError(SnapshelfError):
    """A shelf is missing, damaged or cannot be written."""


class ShelfLockedError(ShelfError):
    """Another process is writing to the shelf."""


class SystemMismatchError(ShelfError):
    """A shelf was indexed with another system than the one asked for."""
