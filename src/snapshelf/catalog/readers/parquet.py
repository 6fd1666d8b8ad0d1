"""Parquet tables, read by batches of rows."""

from collections.abc import Generator
from typing import Any

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.readers.nested import flatten
from snapshelf.catalog.row import Header, Row
from snapshelf.catalog.source import Source
from snapshelf.errors import FeedError

__all__ = ["read_parquet"]

BATCH_ROWS = 1024


def read_parquet(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a Parquet file; lists and structs are understood as in JSON Lines.

    Columns of bytes (pictures within the table) are passed over. A floating-point number is
    read as the fewest digits that give the same number.

    Args:
        source: The feed.

    Yields:
        The header, then the rows, numbered from 1.

    Raises:
        FeedError: If it is no Parquet file, or a damaged one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with source.readable():
        try:
            with pq.ParquetFile(source.path) as file:
                schema = file.schema_arrow
                texts = [field.name for field in schema if not _is_binary(field.type)]
                yield Header(tuple(texts))
                number = 0
                for batch in file.iter_batches(BATCH_ROWS, columns=texts):
                    for record in _with_texts(batch).to_pylist():
                        number += 1
                        yield Row(number, {name: flatten(record[name]) for name in texts})
        except (pa.ArrowException, ValueError, OverflowError) as error:
            raise FeedError(
                f"{source.path.name} is no Parquet file that can be read: {error}"
            ) from error


def _is_binary(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def _with_texts(batch: Any) -> Any:
    """The batch with its numbers and dates as texts, so that a float32 of 19.99 stays 19.99."""
    import pyarrow as pa

    for number, field in enumerate(batch.schema):
        if pa.types.is_primitive(field.type) or pa.types.is_decimal(field.type):
            try:
                texts = batch.column(number).cast(pa.string())
            except pa.ArrowException:
                continue
            batch = batch.set_column(number, field.name, texts)
    return batch
