"""Making a shelf in Milvus, looking for one, and removing one."""

import uuid
from collections.abc import Mapping
from contextlib import closing, suppress

from snapshelf.errors import ShelfError
from snapshelf.matching.distances import Distance
from snapshelf.store import refusals
from snapshelf.store.checks import check_new_store
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.description_files import DescriptionFiles
from snapshelf.store.milvus.head import Head, write_head
from snapshelf.store.milvus.index_kind import choose_kind
from snapshelf.store.milvus.lease import HEAD, LEASE, Lease, find_head, head_name
from snapshelf.store.milvus.schema import create_embeddings, create_head, create_products

__all__ = ["create_store", "drop_store", "store_exists"]


def store_exists(address: MilvusAddress) -> bool:
    """Whether there is a store at an address; see `MilvusStore.exists`."""
    with closing(Connection(address)) as connection:
        return find_head(connection, address) is not None


def create_store(
    address: MilvusAddress, *, dimension: int, distance: Distance, properties: Mapping[str, str]
) -> None:
    """Make a new, empty store; see `MilvusStore.create`."""
    check_new_store(dimension, distance, properties)
    if distance == "l1":
        raise ShelfError(
            f"{address}: this system compares embeddings by L1 distance, which Milvus does "
            "not: index it into a folder"
        )
    with closing(Connection(address)) as connection:
        if find_head(connection, address) is not None:
            raise refusals.exists_already(address)
        made: list[str] = []
        try:
            _create(connection, address, made, dimension, distance, properties)
        except BaseException:
            for name in made:
                with suppress(ShelfError):
                    connection.drop(name)
            raise


def drop_store(
    connection: Connection, address: MilvusAddress, lease: Lease, files: DescriptionFiles | None
) -> None:
    """Remove a store with all it holds.

    Args:
        connection: To the server.
        address: The shelf.
        lease: The hold on it.
        files: Where large descriptions are, None where no place is named.
    """
    head = lease.head
    connection.drop_alias(address.name)
    retired = [name for name, _ in head.retired]
    for name in (*retired, head.embeddings, head.products, lease.name):
        connection.drop(name)
    if files is not None:
        files.remove(files.blocks())


def _create(
    connection: Connection,
    address: MilvusAddress,
    made: list[str],
    dimension: int,
    distance: Distance,
    properties: Mapping[str, str],
) -> None:
    """Make the collections, noting each in `made`; the shelf is there with the last step."""
    kind = choose_kind(address.index, 0)
    made.append(create_embeddings(connection, address, dimension, kind))
    made.append(create_products(connection, address))
    head = Head(
        shelf=uuid.uuid4().hex,
        dimension=dimension,
        distance=distance,
        embeddings=made[0],
        products=made[1],
        index=kind,
        partitioned=address.partitions > 1,
        notes=dict(properties),
    )
    connection.load(made, replicas=address.replicas)
    name = head_name(address.name)
    made.append(name)
    create_head(connection, name)
    connection.alter(name, {HEAD: write_head(head), LEASE: ""})
    connection.point(address.name, name, new=True)
