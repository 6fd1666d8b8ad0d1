"""Speaking to a Milvus server."""

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ShelfError
from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.columns import columns_of
from snapshelf.store.milvus.connection_errors import MissingCollectionError, readable_errors
from snapshelf.store.milvus.index_kind import IndexPlan

__all__ = ["MOST_ROWS", "Connection"]

CONNECT_S = 10.0
CALL_S = 60
"""A request is given up after this long. None is repeated by pymilvus: one whose answer was lost
may be carried out twice, and a server that has just come back does not hold all of a shelf yet."""

LOAD_S = 600.0
POLL_S = 0.05

MOST_ROWS = 16_384
"""Rows that Milvus gives in one answer."""

BLOCK_BYTES = 4 << 20
"""Written in one request: Milvus's message queues take messages of 5 MiB."""

_SERVICE_CONFIG = json.dumps({"methodConfig": [{"name": [{}], "timeout": f"{CALL_S}s"}]})


class Connection:
    """A connection to the server of an address; safe to share by threads.

    Args:
        address: The server, and the database there.

    Attributes:
        disturbed: Whether a request has failed since this was last set to False.

    Raises:
        ShelfError: If the server does not answer, or refuses the credentials.
    """

    def __init__(self, address: MilvusAddress) -> None:
        try:
            from pymilvus import MilvusClient
        except ImportError:
            raise ShelfError(
                f"{address} is kept in Milvus, which needs the extra `cluster`: "
                "pip install 'snapshelf[cluster]'"
            ) from None
        # It logs every refused request with its traceback, which is for us to tell.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self._address = address
        self._fields: dict[str, Sequence[Mapping[str, Any]]] = {}
        self.disturbed = False
        token = os.environ.get("SNAPSHELF_MILVUS_TOKEN", "")
        given: dict[str, Any] = {}
        if address.secure and (authority := os.environ.get("SNAPSHELF_MILVUS_CA", "")):
            given = {"ca_pem_path": authority}
        with self._errors("cannot connect"):
            self._client: MilvusClient = MilvusClient(
                uri=address.url,
                token=token,
                db_name=address.database,
                timeout=CONNECT_S,
                dedicated=True,
                grpc_options={"grpc.service_config": _SERVICE_CONFIG},
                **given,
            )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    @contextmanager
    def calls(self, what: str) -> Iterator[tuple[Any, Any]]:
        """Give pymilvus's handler and the context of a call, for calls that its client lacks.

        Args:
            what: What cannot be done where a call fails.
        """
        with self._errors(what):
            yield self._client._get_connection(), self._client._generate_call_context()

    # --- metadata ---------------------------------------------------------------------------

    def describe(self, name: str) -> tuple[str, Mapping[str, str]] | None:
        """Give the own name and the properties of a collection or alias; None if there is none."""
        try:
            with self._errors(f"cannot look up {name}"):
                found = self._client.describe_collection(name, retry_times=0)
        except MissingCollectionError:
            return None
        return found["collection_name"], found.get("properties", {})

    def fields(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Describe the fields of a collection, which never change: they are asked for once."""
        if name not in self._fields:
            with self._errors(f"cannot look up {name}"):
                found = self._client.describe_collection(name, retry_times=0)
            self._fields[name] = found["fields"]
        return self._fields[name]

    def alter(self, name: str, properties: Mapping[str, str]) -> None:
        """Set properties of a collection, all of them or none.

        They are set twice: what Milvus 2.3 writes to its disk is as of before each change, so that
        a server that is killed has lost the last one (but none before it).
        """
        with self._errors(f"cannot note in {name}"):
            for _ in range(2):
                self._client.alter_collection_properties(name, dict(properties), retry_times=0)

    def rename(self, old: str, new: str) -> None:
        """Rename a collection; of two that try at once, one finds it gone."""
        with self._errors(f"cannot rename {old}"):
            self._client.rename_collection(old, new, retry_times=0)

    def point(self, alias: str, name: str, *, new: bool) -> None:
        """Let an alias stand for a collection."""
        with self._errors(f"cannot let {alias} stand for {name}"):
            make = self._client.create_alias if new else self._client.alter_alias
            make(name, alias, retry_times=0)

    def collections(self) -> list[str]:
        """Give the names of all collections."""
        with self._errors("cannot list collections"):
            return list(self._client.list_collections(retry_times=0))

    def drop(self, name: str) -> None:
        """Drop a collection; nothing happens if there is none."""
        with self._errors(f"cannot drop {name}"):
            self._client.drop_collection(name, retry_times=0)

    def drop_alias(self, alias: str) -> None:
        """Drop an alias; nothing happens if there is none."""
        with self._errors(f"cannot drop {alias}"):
            self._client.drop_alias(alias, retry_times=0)

    def create(self, name: str, schema: Any, **settings: Any) -> None:
        """Make a collection.

        Args:
            name: Its name.
            schema: A `pymilvus.CollectionSchema`.
            **settings: Of pymilvus's ``create_collection``.
        """
        with self._errors(f"cannot make {name}"):
            self._client.create_collection(
                name, schema=schema, consistency_level="Bounded", retry_times=0, **settings
            )

    def index(self, name: str, field: str, plan: IndexPlan) -> None:
        """Have an index kept over a field of embeddings, by inner product."""
        with self._errors(f"cannot index {name}"):
            parameters = self._client.prepare_index_params()
            parameters.add_index(
                field_name=field,
                index_name=field,
                index_type=plan.type,
                metric_type="IP",
                params=dict(plan.build),
            )
            self._client.create_index(name, parameters, sync=False, retry_times=0)

    def load(self, names: Sequence[str], *, replicas: int = 1) -> None:
        """Have collections in the memory of query nodes, and wait until they are."""
        for name in names:
            with self._errors(f"cannot load {name}"):
                self._client.load_collection(
                    name, replica_number=replicas, timeout=LOAD_S, _async=True
                )
        deadline = time.monotonic() + LOAD_S
        while waiting := [name for name in names if not self.is_loaded(name)]:
            if time.monotonic() > deadline:
                raise ShelfError(
                    f"{self._address}: {waiting[0]} is not loaded after {LOAD_S:.0f} s: have the "
                    "query nodes enough memory, and are there as many as replicas?"
                )
            time.sleep(POLL_S)

    def is_loaded(self, name: str) -> bool:
        """Whether a collection can be searched."""
        with self._errors(f"cannot look up {name}"):
            return self._state(name) == "Loaded"

    def flush(self, *names: str) -> None:
        """Have everything written so far to collections in files, where it is indexed."""
        with self.calls(f"cannot flush {names[0]}") as (handler, context):
            handler.flush(list(names), context=context, retry_times=0)

    def unindexed(self, name: str, field: str) -> int:
        """Count the rows in files that an index does not hold yet."""
        with self._errors(f"cannot look up {name}"):
            found = self._client.describe_index(name, field, retry_times=0)
        return int(found.get("total_rows", 0)) - int(found.get("indexed_rows", 0))

    def now(self) -> int:
        """Give Milvus's timestamp of this moment, after all that was written before."""
        with self.calls("cannot ask for the time") as (handler, _):
            return int(handler.alloc_timestamp(retry_times=0))

    # --- rows -------------------------------------------------------------------------------

    def insert(self, name: str, rows: Sequence[Mapping[str, Any]], row_bytes: int) -> None:
        """Write rows, in blocks.

        Args:
            name: The collection.
            rows: The rows.
            row_bytes: About how many bytes a row takes.
        """
        block = max(1, BLOCK_BYTES // max(1, row_bytes))
        for start in range(0, len(rows), block):
            fields = self.fields(name)
            columns = columns_of(rows[start : start + block], fields)
            with self.calls(f"cannot write to {name}") as (handler, context):
                handler.batch_insert(
                    name, columns, schema={"fields": fields}, context=context, retry_times=0
                )

    def delete(self, name: str, key: str, numbers: Sequence[int]) -> None:
        """Delete rows by their primary key; those that are not there are ignored."""
        for start in range(0, len(numbers), MOST_ROWS):
            part = ", ".join(map(str, numbers[start : start + MOST_ROWS]))
            with self._errors(f"cannot delete from {name}"):
                self._client.delete(name, filter=f"{key} in [{part}]", retry_times=0)

    def delete_where(self, name: str, expression: str) -> None:
        """Delete the rows that an expression is true of."""
        with self._errors(f"cannot delete from {name}"):
            self._client.delete(name, filter=expression, retry_times=0)

    def query(
        self,
        name: str,
        expression: str,
        fields: Sequence[str],
        timestamp: int,
        *,
        limit: int = MOST_ROWS,
    ) -> list[dict[str, Any]]:
        """Read rows, in no order.

        Args:
            name: The collection.
            expression: True of the rows.
            fields: What to read of them.
            timestamp: Everything written up to then is seen.
            limit: At most so many, not above `MOST_ROWS`.
        """
        with self._errors(f"cannot read {name}"):
            return list(
                self._client.query(
                    name,
                    filter=expression,
                    output_fields=list(fields),
                    limit=limit,
                    retry_times=0,
                    consistency_level="Customized",
                    guarantee_timestamp=max(timestamp, 1),
                )
            )

    def count(self, name: str, expression: str, timestamp: int) -> int:
        """Count the rows that an expression is true of."""
        with self._errors(f"cannot count in {name}"):
            (found,) = self._client.query(
                name,
                filter=expression,
                output_fields=["count(*)"],
                retry_times=0,
                consistency_level="Customized",
                guarantee_timestamp=max(timestamp, 1),
            )
            return int(found["count(*)"])

    def search(
        self,
        name: str,
        queries: NDArray[np.float32],
        limit: int,
        expression: str,
        fields: Sequence[str],
        parameters: Mapping[str, int],
        timestamp: int,
    ) -> list[list[dict[str, Any]]]:
        """Find the rows whose embeddings are most similar.

        Args:
            name: The collection.
            queries: (Q, D) float32.
            limit: Rows for each query, at most `MOST_ROWS`.
            expression: True of the rows that may be found.
            fields: What to read of them.
            parameters: How the index is searched, see `IndexPlan.search`.
            timestamp: Everything written up to then is seen.

        Returns:
            For each query its rows, most similar first: ``id``, ``distance`` (the inner product)
            and ``entity`` with the fields.
        """
        with self._errors(f"cannot search {name}"):
            found = self._client.search(
                name,
                data=list(queries),
                anns_field="vector",
                limit=limit,
                filter=expression,
                output_fields=list(fields),
                search_params={"metric_type": "IP", "params": dict(parameters)},
                retry_times=0,
                consistency_level="Customized",
                guarantee_timestamp=max(timestamp, 1),
            )
            return [list(hits) for hits in found]

    def _state(self, name: str) -> str:
        return str(self._client.get_load_state(name, retry_times=0)["state"].name)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Tell errors in the user's words, and note that a request has failed."""
        try:
            with readable_errors(self._address, what):
                yield
        except MissingCollectionError:
            raise
        except ShelfError:
            self.disturbed = True
            raise
