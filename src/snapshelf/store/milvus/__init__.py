"""The store on a cluster: Milvus holds everything but large descriptions.

How a commit is atomic, though Milvus has no transactions. Rows are never changed: each batch is
written as new rows under a version number of its own, which no reader looks at; then one small
record, the head, is replaced in Milvus's metadata, and from there on everybody sees the whole
batch; then the rows that it replaced are deleted. Readers get the head first and ask for the rows
of just that state. See `snapshelf.store.milvus.head` for the record, and `lease` for how one
writer keeps the others off, on whatever machine they are.
"""

from snapshelf.store.milvus.address import MilvusAddress
from snapshelf.store.milvus.store import MilvusStore

__all__ = ["MilvusAddress", "MilvusStore"]
