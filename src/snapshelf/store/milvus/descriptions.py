"""`Descriptions`: reading what re-ranking needs of regions, wherever it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.description_files import (
    DescriptionFiles,
    features_place,
    is_inline,
    read_inline,
)
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.lease import Lease
from snapshelf.store.milvus.paging import chunks
from snapshelf.store.milvus.visibility import embeddings_of

__all__ = ["Descriptions"]

REGIONS_A_QUERY = 1_000


class Descriptions:
    """The descriptions of one shelf's regions, small ones in rows, large ones in files.

    Args:
        connection: To the server.
        address: The shelf.
    """

    def __init__(self, connection: Connection, address: MilvusAddress) -> None:
        self._connection = connection
        self._address = address
        self._files: DescriptionFiles | None = None

    def read(self, head: Head, regions: Sequence[int]) -> dict[int, bytes]:
        """Read the descriptions of regions, given by number; those without one are left out."""
        described: dict[int, str] = {}
        for chunk in chunks(regions, REGIONS_A_QUERY):
            rows = self._connection.query(
                head.embeddings,
                embeddings_of(head, None, f"region in {numbers_text(chunk)}"),
                ("region", "described"),
                head.timestamp,
            )
            described |= {int(r["region"]): r["described"] for r in rows if r["described"]}
        return self.bodies(head, described)

    def bodies(self, head: Head, described: Mapping[int, str]) -> dict[int, bytes]:
        """Read descriptions by what their rows say, given by any number."""
        found = {key: read_inline(text) for key, text in described.items() if is_inline(text)}
        large = {key: text for key, text in described.items() if not is_inline(text)}
        files = self.files(head) if large else None
        if files is not None:
            found |= files.read(large)
        return found

    def files(self, head: Head) -> DescriptionFiles | None:
        """Give the files of large descriptions, None where no place for them is named."""
        place = features_place(self._address.features, head.features)
        if self._files is None and place:
            self._files = DescriptionFiles(place, head.shelf)
        return self._files

    def files_to_write(self, lease: Lease) -> DescriptionFiles | None:
        """Give the files as `files` does, and have the shelf note where they are."""
        files = self.files(lease.head)
        if files is not None and not lease.head.features:
            place = features_place(self._address.features, "")
            lease.commit(replace(lease.head, features=place))
        return files
