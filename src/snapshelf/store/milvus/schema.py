"""The collections of a shelf in Milvus, and making them."""

import re
import uuid
from typing import Any

from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.hashes import LEVELS
from snapshelf.store.milvus.index_kind import IndexKind, index_plan

__all__ = [
    "FILTER_FIELDS",
    "LONGEST_ID_KEY",
    "LONGEST_TEXT",
    "TOKENS",
    "create_embeddings",
    "create_head",
    "create_products",
    "is_collection_of",
    "token_room",
]

LONGEST_TEXT = 65_535
"""Bytes of a text that Milvus keeps in a field."""

LONGEST_ID_KEY = 4_096
"""Hexadecimal digits of a product's ID, two for each byte."""

FILTER_FIELDS = (
    "identity", "brand", "currency", "availability", "department", "priced", "price", "tokens"
)  # fmt: skip
"""The fields that filters are about, in rows of products as in those of embeddings."""

TOKENS = 4_096
"""Numbers in a row's field ``tokens``: the most that Milvus keeps."""


def token_room() -> int:
    """Give how many tokens are left to attributes, two for each, beside those of a category."""
    return TOKENS - LEVELS - 1


def create_embeddings(
    connection: Connection, address: MilvusAddress, dimension: int, kind: IndexKind
) -> str:
    """Make an empty collection of embeddings, a row for each region, and load it.

    Args:
        connection: To the server.
        address: The shelf and its settings.
        dimension: Length D of an embedding.
        kind: Of index.

    Returns:
        The collection's name.
    """
    from pymilvus import DataType

    schema = _schema("region", "vector", dimension, "The embeddings of a shelf of snapshelf.")
    for field in ("product", "added", "position", "part", "content_number", "block"):
        schema.add_field(field, DataType.INT64)
    for field in ("content", "shows", "described"):
        schema.add_field(field, DataType.VARCHAR, max_length=LONGEST_TEXT)
    partitioned = address.partitions > 1
    _add_filter_fields(schema, partitioned=partitioned)
    given = {"num_partitions": address.partitions} if partitioned else {}
    name = _new_name(address.name, "embeddings")
    connection.create(name, schema, num_shards=address.shards, **given)
    connection.index(name, "vector", index_plan(kind))
    return name


def create_products(connection: Connection, address: MilvusAddress) -> str:
    """Make an empty collection of products; gives its name.

    Beside what filters are about, a row has ``bare``, the number of the product's pictures without
    a region, ``category``, which stands for just the category that it is in, and ``id_key``, which
    has the order of the IDs.
    """
    from pymilvus import DataType

    # Milvus wants a field of vectors in every collection.
    schema = _schema("number", "vector", 2, "The products of a shelf of snapshelf.")
    for field in ("added", "run", "part", "owner", "bare", "category"):
        schema.add_field(field, DataType.INT64)
    schema.add_field("id_key", DataType.VARCHAR, max_length=LONGEST_ID_KEY)
    schema.add_field("body", DataType.VARCHAR, max_length=LONGEST_TEXT)
    _add_filter_fields(schema, partitioned=False)
    name = _new_name(address.name, "products")
    connection.create(name, schema, num_shards=address.shards)
    connection.index(name, "vector", index_plan("flat"))
    return name


def create_head(connection: Connection, name: str) -> None:
    """Make the collection that holds a head; it never has a row."""
    schema = _schema("number", "vector", 2, "The head of a shelf of snapshelf.")
    connection.create(name, schema, num_shards=1)


def is_collection_of(name: str, shelf: str) -> bool:
    """Whether a collection was made by one of the functions above for a shelf."""
    return (
        re.fullmatch(f"{re.escape(shelf)}__(embeddings|products|head)_[0-9a-f]{{12}}", name)
        is not None
    )


def _schema(key: str, vector: str, dimension: int, description: str) -> Any:
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, description=description)
    schema.add_field(key, DataType.INT64, is_primary=True)
    schema.add_field(vector, DataType.FLOAT_VECTOR, dim=dimension)
    return schema


def _add_filter_fields(schema: Any, *, partitioned: bool) -> None:
    from pymilvus import DataType

    for field in ("identity", "brand", "currency", "availability"):
        schema.add_field(field, DataType.INT64)
    schema.add_field("department", DataType.INT64, is_partition_key=partitioned)
    schema.add_field("priced", DataType.BOOL)
    schema.add_field("price", DataType.DOUBLE)
    schema.add_field("tokens", DataType.ARRAY, element_type=DataType.INT64, max_capacity=TOKENS)


def _new_name(shelf: str, what: str) -> str:
    return f"{shelf}__{what}_{uuid.uuid4().hex[:12]}"
