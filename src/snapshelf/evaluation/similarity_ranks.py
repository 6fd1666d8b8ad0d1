"""Ranks of products from similarities that are at hand, such as those of a network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.placing import place_products
from snapshelf.evaluation.query_ranks import QueryRanks, group_starts
from snapshelf.evaluation.searched_queries import SHOWN

__all__ = ["similarity_ranks"]


def similarity_ranks(
    similarities: NDArray[np.float32],
    products: NDArray[np.int64],
    right: Sequence[Sequence[int]],
) -> QueryRanks:
    """Rank the right products of each query; a product is as similar as its likest image.

    Ties count against the system.

    Args:
        similarities: (Q, G) float32, finite, of queries and the gallery's images.
        products: (G,) int64, the product that each image shows, each of [0, P) at least once.
        right: For each query the numbers of its right products, at least one.

    Returns:
        The ranks, with the first five places.

    Raises:
        ValueError: If the shapes do not go together or a similarity is not finite.
    """
    if similarities.shape != (len(right), len(products)) or not np.isfinite(similarities).all():
        raise ValueError(
            f"similarities must be finite, of shape ({len(right)}, {len(products)}), got "
            f"{similarities.shape}"
        )
    table = np.full((len(right), int(products.max()) + 1), -np.inf, np.float32)
    for image, product in enumerate(products.tolist()):
        np.maximum(table[:, product], similarities[:, image], out=table[:, product])
    many = table.shape[1]
    starts = group_starts(np.array([len(each) for each in right]))
    placed = place_products(
        table,
        np.concatenate([np.asarray(each, np.int64) for each in right]),
        starts,
        tie=np.zeros(len(right)),
        places=min(SHOWN, many),
    )
    return QueryRanks(
        placed.ranks,
        starts,
        many,
        placed.columns,
        placed.similarities,
        np.zeros_like(placed.similarities),
        placed.wrong,
        np.zeros_like(placed.wrong),
    )
