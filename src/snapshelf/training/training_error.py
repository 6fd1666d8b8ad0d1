"""The error of a training that cannot begin or go on."""

from snapshelf.errors import SnapshelfError

__all__ = ["TrainingError"]


class TrainingError(SnapshelfError):
    """A training's settings, data or folder cannot be used."""
