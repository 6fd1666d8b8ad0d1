"""Loading many rows through files that Milvus imports, past its message queues.

A file is written to a place that the server reads too, and the server makes segments of it by
itself. An import is all or nothing: one that fails, or that a killed server was at work on, leaves
no row, and one that is complete is on the server's disk. It takes seconds however few the rows are,
and shows when it likes, so that it serves to fill a new collection, which nobody reads yet.
"""

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.columns import columns_of
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.schema import is_collection_of

if TYPE_CHECKING:
    import pyarrow as pa
    from fsspec import AbstractFileSystem

__all__ = ["Imports", "open_imports"]

FILE_BYTES = 256 << 20
"""About what a file holds; the next one is written while the server reads it."""

IN_FLIGHT = 4
"""Files that wait for the server at a time, which gives one up that waited for 15 minutes."""

IMPORT_S = 900.0
POLL_S = 0.1

HOW = (
    "?imports= in the shelf's address, or SNAPSHELF_IMPORTS, must name a place that the server "
    "reads as well: a folder of the same path there (file:///...) if it keeps its data in folders, "
    "or a folder of its own bucket (s3://bucket/folder); without it rows are inserted"
)


def open_imports(connection: Connection, address: MilvusAddress) -> "Imports | None":
    """Open the place that a shelf's address or the environment names; None if neither does.

    Raises:
        ShelfError: If fsspec knows no such place, or lacks what it needs to reach it.
    """
    place = address.imports or os.environ.get("SNAPSHELF_IMPORTS", "")
    return Imports(connection, place) if place else None


class Imports:
    """A place for files that Milvus imports.

    Args:
        connection: To the server.
        place: Where the files are written, as fsspec writes it.

    Raises:
        ShelfError: If fsspec knows no such place, or lacks what it needs to reach it.
    """

    def __init__(self, connection: Connection, place: str) -> None:
        try:
            import fsspec

            found = fsspec.core.url_to_fs(place.rstrip("/"), use_listings_cache=False)
        except (ValueError, ImportError, TypeError) as error:
            raise ShelfError(f"{place} cannot be used for imports: {error}; {HOW}") from error
        self._connection = connection
        self._place = place
        self._files: AbstractFileSystem = found[0]
        self._folder: str = found[1].rstrip("/")

    def load(self, name: str, blocks: Iterable[Sequence[Mapping[str, Any]]]) -> None:
        """Load rows into a collection; they are there, on the server's disk, after that.

        Args:
            name: The collection.
            blocks: The rows, in blocks.

        Raises:
            ShelfError: If the place cannot be written to, or the server does not import a file; of
                those before, the rows are there.
        """
        fields = self._connection.fields(name)
        waiting: deque[tuple[int, str]] = deque()
        try:
            for number, table in enumerate(_tables(fields, blocks)):
                if len(waiting) == IN_FLIGHT:
                    self._finish(*waiting.popleft())
                path = f"{self._folder}/{name}-{number}.parquet"
                self._write(path, table)
                waiting.append((self._begin(name, path), path))
            while waiting:
                self._finish(*waiting.popleft())
        finally:
            self.clear(name)

    def clear(self, shelf: str) -> None:
        """Remove the files of a collection, or of all of a shelf's, that writers have left.

        Args:
            shelf: Name of the collection or the shelf.
        """
        try:
            if not self._files.isdir(self._folder):
                return
            for path in self._files.ls(self._folder, detail=False):
                collection = path.rsplit("/", 1)[-1].rpartition("-")[0]
                if collection == shelf or is_collection_of(collection, shelf):
                    self._files.rm_file(path)
        # Each file system that fsspec reaches raises errors of its own.
        except Exception as error:
            raise self._refused(self._folder, str(error)) from error

    def _write(self, path: str, table: "pa.Table") -> None:
        from pyarrow import parquet

        try:
            self._files.makedirs(self._folder, exist_ok=True)
            with self._files.open(path, "wb") as file:
                # In one group of rows: for each group the server takes 32 MiB for each column.
                parquet.write_table(table, file, compression="NONE", row_group_size=len(table))
        except Exception as error:
            raise self._refused(path, str(error)) from error

    def _begin(self, name: str, path: str) -> int:
        """Have the server read a file; gives the task's number."""
        with self._connection.calls(f"cannot import into {name}") as (handler, context):
            told = [self._told(path)]
            return int(handler.do_bulk_insert(name, "", told, context=context, retry_times=0))

    def _finish(self, task: int, path: str) -> None:
        """Wait for an import."""
        deadline = time.monotonic() + IMPORT_S
        while True:
            with self._connection.calls("cannot ask for an import") as (handler, context):
                found = handler.get_bulk_insert_state(task, context=context, retry_times=0)
            if found.state == found.ImportCompleted:
                return
            if found.state in (found.ImportFailed, found.ImportFailedAndCleaned):
                raise self._refused(path, found.failed_reason or "Milvus gives no reason")
            if time.monotonic() > deadline:
                raise self._refused(path, f"not done after {IMPORT_S:.0f} s")
            time.sleep(POLL_S)

    def _told(self, path: str) -> str:
        """Give a path as the server is told it: within the bucket, where there is one."""
        protocol = self._files.protocol
        local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        return path if local else path.partition("/")[2]

    def _refused(self, path: str, why: str) -> ShelfError:
        return ShelfError(f"{self._place}: {path} cannot be imported: {why}; {HOW}")


def _tables(
    fields: Sequence[Mapping[str, Any]], blocks: Iterable[Sequence[Mapping[str, Any]]]
) -> "Iterator[pa.Table]":
    """Turn blocks of rows into tables, as many together as make a file."""
    import pyarrow as pa

    tables: list[pa.Table] = []
    size = 0
    for rows in blocks:
        tables.append(_table(rows, fields))
        size += tables[-1].nbytes
        if size >= FILE_BYTES:
            yield pa.concat_tables(tables)
            tables, size = [], 0
    if tables:
        yield pa.concat_tables(tables)


def _table(rows: Sequence[Mapping[str, Any]], fields: Sequence[Mapping[str, Any]]) -> "pa.Table":
    """Write rows as a table of the types that Milvus expects of a collection's fields."""
    import pyarrow as pa
    from pymilvus import DataType

    types = {
        DataType.INT64: pa.int64(),
        DataType.BOOL: pa.bool_(),
        DataType.DOUBLE: pa.float64(),
        DataType.VARCHAR: pa.string(),
        DataType.ARRAY: pa.list_(pa.int64()),
    }
    columns = {}
    for column in columns_of(rows, fields):
        if column["type"] == DataType.FLOAT_VECTOR:
            vectors = np.asarray(column["values"], np.float32)
            offsets = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
            values = pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel()))
        else:
            values = pa.array(column["values"], types[column["type"]])
        columns[column["name"]] = values
    return pa.table(columns)
