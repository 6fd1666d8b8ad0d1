"""Regions of pictures as rows of Milvus's collection of embeddings, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ShelfError
from snapshelf.locating.region import Box, Region
from snapshelf.store.milvus.hashes import text_number
from snapshelf.store.milvus.schema import LONGEST_TEXT

__all__ = ["EMBEDDING_FIELDS", "Located", "Shown", "embedding_row", "located_in", "read_shown"]

EMBEDDING_FIELDS = (
    "region", "product", "position", "part", "content", "shows", "described", "block", "vector"
)  # fmt: skip
"""What is read of rows of embeddings whose pictures are taken over."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """What a picture's content gave: its regions, wherever else the content is shown.

    Attributes:
        regions: Where the item is.
        vectors: (R, D) float32, one row a region.
        described: R of them, where each region's description is, see `descriptions`.
        blocks: R of them, the numbers of the files that those are in, 0 for none.
    """

    regions: tuple[Region, ...]
    vectors: NDArray[np.float32]
    described: tuple[str, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a row of embeddings shows.

    Attributes:
        product_id: The product.
        source: The picture as the feed names it.
        region: Where in it.
    """

    product_id: str
    source: str
    region: Region

    @property
    def box(self) -> Box:
        """The region in pixels."""
        return self.region.box


def embedding_row(
    product: Mapping[str, Any],
    shown: Shown,
    content: str,
    *,
    region: int,
    number: int,
    version: int,
    position: int,
    part: int,
    vector: NDArray[np.float32],
    described: str,
    block: int,
) -> dict[str, Any]:
    """Write a region of a picture as a row.

    Args:
        product: Its product's fields that filters are about.
        shown: What it shows.
        content: Hex digest of the picture's bytes.
        region: Number of the region.
        number: Number of its product.
        version: Of the batch.
        position: Of the picture among the product's.
        part: Of the region among the picture's.
        vector: (D,) float32, its embedding.
        described: Where its description is.
        block: The file that this is in, 0 for none.
    """
    seen = shown.region
    shows = json.dumps(
        [shown.product_id, shown.source, *seen.box, seen.label, seen.confidence],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    for what, text in (("shows", shows), ("content", content)):
        if len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT:
            raise ShelfError(
                f"picture {shown.source[:80]!r} of product {shown.product_id!r}: its {what} takes "
                f"more than the {LONGEST_TEXT:,} bytes that Milvus keeps in a field"
            )
    return {
        "region": region,
        "vector": vector,
        "product": number,
        "added": version,
        "position": position,
        "part": part,
        "block": block,
        "content": content,
        "content_number": text_number("content", content),
        "shows": shows,
        "described": described,
        **product,
    }


def read_shown(text: str) -> Shown:
    """Read back what a row of embeddings shows."""
    name, source, x0, y0, x1, y1, label, confidence = json.loads(text)
    return Shown(name, source, Region((x0, y0, x1, y1), label, confidence))


def located_in(rows: Sequence[Mapping[str, Any]]) -> Located:
    """Put together what one picture's rows tell, in the order of its regions."""
    ordered = sorted(rows, key=lambda row: int(row["part"]))
    return Located(
        tuple(read_shown(row["shows"]).region for row in ordered),
        np.array([row["vector"] for row in ordered], np.float32),
        tuple(row["described"] for row in ordered),
        tuple(int(row["block"]) for row in ordered),
    )
