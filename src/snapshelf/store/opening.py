"""Which store a shelf's address names: the one place where that is decided."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.matching.distances import Distance
from snapshelf.store.embedded import EmbeddedStore
from snapshelf.store.milvus.address import (
    MilvusAddress,
    is_milvus_address,
    parse_milvus_address,
)
from snapshelf.store.vector_store import VectorStore

if TYPE_CHECKING:
    from snapshelf.store.milvus.store import MilvusStore

__all__ = ["Place", "has_store", "make_store", "open_store", "shelf_place"]

Place = Path | MilvusAddress
"""Where a shelf is kept: a folder, or a name in a Milvus server."""


def shelf_place(address: str | Place) -> Place:
    """Read a shelf's address as users write it.

    Args:
        address: A folder, or ``milvus://HOST:PORT/NAME``, see `parse_milvus_address`.

    Raises:
        ShelfError: If it begins as an address of Milvus and is none.

    Example:
        >>> shelf_place("my-shelf")
        PosixPath('my-shelf')
        >>> shelf_place("milvus://localhost/shop").port
        19530
    """
    if isinstance(address, str):
        return parse_milvus_address(address) if is_milvus_address(address) else Path(address)
    return address


def has_store(address: str | Place) -> bool:
    """Whether there is a shelf at an address.

    Raises:
        ShelfError: If that cannot be told.
    """
    place = shelf_place(address)
    if isinstance(place, Path):
        return EmbeddedStore.exists(place)
    return _milvus().exists(place)


def make_store(
    address: str | Place, *, dimension: int, properties: Mapping[str, str], distance: Distance
) -> None:
    """Make a new, empty store.

    Args:
        address: Where; must not hold a shelf.
        dimension: Length D of an embedding, at least 1.
        properties: What the shelf notes about itself.
        distance: How embeddings are compared, see `snapshelf.matching.distances`.

    Raises:
        ShelfError: If it cannot be made, or the store lacks the distance.
        ValueError: As `snapshelf.store.checks.check_new_store` says.
    """
    place = shelf_place(address)
    if isinstance(place, Path):
        EmbeddedStore.create(place, dimension=dimension, properties=properties, distance=distance)
    else:
        _milvus().create(place, dimension=dimension, properties=properties, distance=distance)


def open_store(address: str | Place, *, write: bool = False) -> VectorStore:
    """Open the store of a shelf.

    Args:
        address: Where it is.
        write: To change it too, which one at a time can.

    Raises:
        ShelfError: If there is no shelf, or it is damaged, or its server does not answer.
        ShelfLockedError: If another is writing to it.
    """
    place = shelf_place(address)
    if isinstance(place, Path):
        return EmbeddedStore(place, write=write)
    return _milvus()(place, write=write)


def _milvus() -> "type[MilvusStore]":
    from snapshelf.store.milvus.store import MilvusStore

    return MilvusStore
