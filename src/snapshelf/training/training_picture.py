"""Reading a picture to learn from; one that cannot be read ends a training."""

from pathlib import Path

from snapshelf.errors import PictureError
from snapshelf.features.pipeline import crop
from snapshelf.locating.region import Box
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.media.picture_file import read_picture_file
from snapshelf.training.training_error import TrainingError

__all__ = ["read_training_picture"]


def read_training_picture(path: Path, box: Box | None = None) -> RGB:
    """Read a picture, or the part of it that shows the product.

    Args:
        path: Its file.
        box: The part; None for all of it.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].

    Raises:
        TrainingError: If it cannot be read; names the file, the reason and what to do.
    """
    try:
        picture = decode_picture(read_picture_file(path))
    except PictureError as error:
        where = "" if str(path) in str(error) else f"{path}: "
        raise TrainingError(
            f"a training picture cannot be used: {where}{error}. "
            "Get the data set again, or take the picture out of it"
        ) from error
    return picture if box is None else crop(picture, box)
