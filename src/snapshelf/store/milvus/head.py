"""The head of a shelf: the one small record that says which rows are the shelf.

It is kept among the properties of an empty collection, in Milvus's metadata, where it is replaced
as a whole or not at all, and read without waiting for anything.

A row is written once, under the version of its batch, and belongs to the shelf if

* its version is not above the head's: a batch is seen once the head is replaced, not before;
* its version is in none of the head's `gaps`, which are the batches that were begun and never
  committed, by a writer that died or was shut out;
* its product is not one of the head's `dead`, which were replaced or removed and whose rows the
  server may still have, or have again once it was killed.

Versions, products and regions are numbered from one line of numbers. A writer reserves a stretch
of it in the head before it uses any, so that no number is ever used twice, not even by a writer
that was taken for dead and wakes up.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from snapshelf.errors import ShelfError
from snapshelf.matching.distances import Distance, check_distance
from snapshelf.store.milvus.index_kind import IndexKind
from snapshelf.store.records import Counts, Run

__all__ = ["FORMAT", "Gap", "Head", "read_head", "write_head"]

FORMAT = 2
"""Counts the changes that a snapshelf from before them could not read or write."""

MOST_BYTES = 400_000
"""Of a head; Milvus writes it twice in one request to etcd, which takes 1.5 MB."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Versions of batches that were begun and never committed.

    Attributes:
        first: The first of them.
        last: The last of them.
        since: When that was found out, in seconds since 1970.
    """

    first: int
    last: int
    since: int


@dataclass(frozen=True, slots=True)
class Head:
    """One state of a shelf.

    Attributes:
        shelf: Identity of the shelf, made with it.
        dimension: Length of an embedding.
        distance: How embeddings are compared.
        embeddings: Name of the collection of embeddings.
        products: Name of the collection of products.
        index: The kind of index over the embeddings.
        partitioned: Whether the embeddings are kept apart by their widest category.
        features: Where large descriptions are kept, "" where there were none yet.
        version: Number of the latest commit that changed what a search could find.
        timestamp: Milvus's, of a moment after everything in this state was written.
        reserved: Numbers below may be in use by the writer that reserved them.
        counts: What the shelf holds.
        unflushed: Embeddings written since the collection was last flushed.
        dead: Numbers of products whose rows do not count any more.
        gaps: Versions that do not count.
        retired: Collections not in use any more, and since when; dropped after a while.
        runs: Largest number of an indexing run.
        run: The latest indexing run.
        notes: What the shelf notes about itself.
    """

    shelf: str
    dimension: int
    distance: Distance
    embeddings: str
    products: str
    index: IndexKind
    partitioned: bool = False
    features: str = ""
    version: int = 0
    timestamp: int = 0
    reserved: int = 1
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0))
    unflushed: int = 0
    dead: tuple[int, ...] = ()
    gaps: tuple[Gap, ...] = ()
    retired: tuple[tuple[str, int], ...] = ()
    runs: int = 0
    run: Run | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def with_gap(self, first: int, last: int, now: int) -> "Head":
        """Leave versions out of account; a stretch that goes on from the last gap joins it."""
        if last < first:
            return self
        gaps = list(self.gaps)
        if gaps and gaps[-1].last + 1 >= first:
            first, last = min(gaps[-1].first, first), max(gaps[-1].last, last)
            gaps.pop()
        return replace(self, gaps=(*gaps, Gap(first, last, now)))


def write_head(head: Head) -> str:
    """Write a head as text.

    Raises:
        ShelfError: If it is too long, which only what was noted can make it.
    """
    fields = {
        **asdict(head),
        "format": FORMAT,
        "dead": _pack(head.dead),
        "notes": dict(head.notes),
    }
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MOST_BYTES:
        raise ShelfError(
            f"what the shelf notes about itself takes more than {MOST_BYTES:,} bytes: note less"
        )
    return text


def read_head(text: str) -> Head:
    """Read back what `write_head` wrote.

    Raises:
        ShelfError: If it is damaged, or of another version of the format.
    """
    try:
        fields = json.loads(text)
        if (version := fields.pop("format")) != FORMAT:
            raise ShelfError(
                f"the shelf has cluster format {version}, this snapshelf reads format {FORMAT}; "
                "index the feed into a new shelf with this version"
            )
        fields["distance"] = check_distance(fields["distance"])
        fields["counts"] = Counts(**fields["counts"])
        fields["dead"] = _unpack(fields["dead"])
        fields["gaps"] = tuple(Gap(**gap) for gap in fields["gaps"])
        fields["retired"] = tuple((name, since) for name, since in fields["retired"])
        fields["run"] = None if fields["run"] is None else Run(**fields["run"])
        return Head(**fields)
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise ShelfError(
            f"the shelf is damaged: its head cannot be read ({error}); index the feed anew"
        ) from error


def _pack(numbers: Sequence[int]) -> str:
    """Write numbers in little room: the steps between them, compressed."""
    steps = np.diff(np.array(sorted(numbers), np.int64), prepend=0)
    return base64.b85encode(zlib.compress(steps.astype("<i8").tobytes())).decode()


def _unpack(text: str) -> tuple[int, ...]:
    steps = np.frombuffer(zlib.decompress(base64.b85decode(text)), "<i8")
    return tuple(np.cumsum(steps).tolist())
