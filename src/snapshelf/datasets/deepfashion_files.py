"""The files that the two retrieval benchmarks of DeepFashion have in common.

Liu, Luo, Qiu, Wang, Tang: DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich
Annotations, CVPR 2016. The folder of a benchmark holds ``Anno``, ``Eval`` and ``Img``; the lists
name pictures as ``img/...``.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from snapshelf.datasets.published_files import counted_rows, whole_number
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError
from snapshelf.locating.region import Box

__all__ = ["kind_of", "partition_file", "picture_root", "read_boxes"]


def picture_root(folder: Path) -> Path:
    """Give the folder that the lists' picture names are relative to.

    Args:
        folder: The benchmark's folder, with ``Img/img`` or, as some unpack it, ``img``.
    """
    return folder / "Img" if (folder / "Img" / "img").is_dir() else folder


def partition_file(folder: Path) -> Path:
    """Give the list of the splits."""
    return folder / "Eval" / "list_eval_partition.txt"


def kind_of(where: str, picture: str) -> AttributeValue:
    """Give the two folders that say what a picture shows.

    Args:
        where: ``FILE:LINE``, for the error.
        picture: Such as ``img/TOPS/T_Shirt/id_00000001/shop_01.jpg``.

    Returns:
        Such as ``("TOPS", "T_Shirt")``.

    Raises:
        DatasetError: If the path has fewer folders.
    """
    folders = PurePosixPath(picture).parts[1:-2]
    if len(folders) < 2:
        raise DatasetError(
            f"{where}: expected a picture in folders such as img/TOPS/T_Shirt/id_00000001, "
            f"got {picture!r}"
        )
    return folders[0], folders[1]


def read_boxes(path: Path) -> Mapping[str, Box]:
    """Read the bounding boxes: picture, clothes type, source or pose, then x1 y1 x2 y2.

    Args:
        path: ``Anno/list_bbox_consumer2shop.txt`` or ``Anno/list_bbox_inshop.txt``.

    Returns:
        The box of each picture, in its pixels, by the name in the list. Empty where there is no
        such file: the pictures can be used without it.

    Raises:
        DatasetError: If the file is malformed.
    """
    if not path.exists():
        return {}
    boxes: dict[str, Box] = {}
    for where, row in counted_rows(path, "DeepFashion's bounding boxes"):
        if len(row) != 7:
            raise DatasetError(f"{where}: expected 7 columns, got {len(row)}")
        x0, y0, x1, y1 = (float(whole_number(where, edge, "an edge in pixels")) for edge in row[3:])
        if x1 <= x0 or y1 <= y0:
            raise DatasetError(
                f"{where}: expected a box x1 y1 x2 y2 of some width and height, got {row[3:]}"
            )
        boxes[row[0]] = (x0, y0, x1, y1)
    return boxes
