"""The lists of DeepFashion's In-Shop benchmark: its pictures, and what its items are.

``Eval/list_eval_partition.txt`` names each picture, its item and whether it is for training, a
query, or of the gallery; ``Anno/list_description_inshop.json`` describes the items.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from snapshelf.datasets.deepfashion_files import kind_of, partition_file, picture_root
from snapshelf.datasets.published_files import counted_rows, find_picture, read_text
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError

__all__ = ["Description", "InShopPicture", "Use", "read_descriptions", "read_pictures"]

LAYOUT = "DeepFashion's In-Shop folder, with Anno/, Eval/ and Img/"

Use = Literal["train", "query", "gallery"]

USES: dict[str, Use] = {"train": "train", "query": "query", "gallery": "gallery"}


@dataclass(frozen=True, slots=True)
class InShopPicture:
    """A row of the list.

    Attributes:
        where: ``FILE:LINE``, for errors.
        name: Such as ``img/WOMEN/Dresses/id_00000002/02_1_front.jpg``.
        item_id: Such as ``id_00000002``; it stands for all colours.
        use: What the picture is for.
        kind: The two folders of its name, such as ``("WOMEN", "Dresses")``.
    """

    where: str
    name: str
    item_id: str
    use: Use
    kind: AttributeValue


@dataclass(frozen=True, slots=True)
class Description:
    """What the shop says of an item; "" where it says nothing."""

    colour: str = ""
    text: str = ""


def read_pictures(folder: Path) -> Iterator[InShopPicture]:
    """Read the list of pictures.

    Args:
        folder: The benchmark's folder.

    Yields:
        At least one picture, in the list's order.

    Raises:
        DatasetError: If the list is missing or malformed, or names a picture that is not there or
            twice, or an item that is for training as well as for testing.
    """
    path, root = partition_file(folder), picture_root(folder)
    listed: set[str] = set()
    trains: dict[str, bool] = {}
    for where, row in counted_rows(path, LAYOUT):
        if len(row) != 3 or row[2] not in USES:
            raise DatasetError(
                f"{where}: expected 'picture, item ID, train, query or gallery', "
                f"got {' '.join(row)!r}"
            )
        name, item_id, use = row
        if name in listed:
            raise DatasetError(f"{where}: {name} is listed twice, expected once")
        listed.add(name)
        find_picture(root, where, name)
        if trains.setdefault(item_id, use == "train") != (use == "train"):
            raise DatasetError(
                f"{where}: item {item_id} is for training and for testing, expected one"
            )
        yield InShopPicture(where, name, item_id, USES[use], kind_of(where, name))
    if not listed:
        raise DatasetError(f"{path} lists no picture, expected some")


def read_descriptions(folder: Path) -> Mapping[str, Description]:
    """Read the description of each item.

    Args:
        folder: The benchmark's folder.

    Returns:
        Descriptions by item ID; empty where the file is not there.

    Raises:
        DatasetError: If the file is malformed.
    """
    path = folder / "Anno" / "list_description_inshop.json"
    if not path.exists():
        return {}
    try:
        return dict(_description(entry) for entry in json.loads(read_text(path, LAYOUT)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DatasetError(
            f"{path}: expected a JSON list of objects with item, color and description, "
            f"got {error!r}"
        ) from error


def _description(entry: object) -> tuple[str, Description]:
    """Take one item's entry apart; the description is a text or a list of texts."""
    if not isinstance(entry, dict):
        raise TypeError(f"no object but {entry!r}")
    text = entry.get("description", "")
    if isinstance(text, list):
        text = " ".join(map(str, text))
    colour = str(entry.get("color", "")).strip()
    return str(entry["item"]), Description(colour, str(text).strip())
