"""The `VectorStore` contract: products with embedded pictures, searched by similarity."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.matching.distances import Distance
from snapshelf.store.filters import Filter
from snapshelf.store.records import (
    Counts,
    Facets,
    Hit,
    KnownProduct,
    ProductRecord,
    Run,
    StoredEmbeddings,
    StoredRecords,
)

__all__ = ["VectorStore"]


class VectorStore(Protocol):
    """Where a shelf keeps its products, pictures and embeddings.

    Every writing call is atomic and durable once it returns. Searches, in this process or
    in others, see a call's whole effect or none of it. A store is safe to use from several
    threads; writing calls are for one thread at a time, and for a store that was opened for
    writing.

    Every call raises `ShelfError` if the store cannot be read or written, and `ValueError` if it
    was closed. What the calls refuse of their arguments is in `snapshelf.store.checks`.
    """

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        ...

    @property
    def distance(self) -> Distance:
        """How embeddings are compared."""
        ...

    @property
    def properties(self) -> Mapping[str, str]:
        """What the shelf notes about itself, such as the fingerprint of its system."""
        ...

    @property
    def version(self) -> str:
        """Another text after every change of what a search could find.

        Raises:
            ShelfError: If the store was removed or replaced.
        """
        ...

    def note(self, name: str, value: str) -> None:
        """Set one of the `properties`.

        Raises:
            ValueError: If it is one of `snapshelf.store.checks.RESERVED`.
        """
        ...

    def last_run(self) -> Run | None:
        """The latest indexing run, None if there was none."""
        ...

    def known(self, product_ids: Sequence[str]) -> Mapping[str, KnownProduct]:
        """Tell what is remembered of these products; unknown ones are left out."""
        ...

    def known_contents(self, contents: Sequence[str]) -> set[str]:
        """Tell which of these content digests have embeddings that can be taken over."""
        ...

    def upsert(self, records: Sequence[ProductRecord], *, run: int) -> None:
        """Insert products, or replace them whole, and mark them as seen by an indexing run.

        Args:
            records: At most one for each product; a picture given twice in one counts once.
            run: Number of the run, as `begin_run` gave it.

        Raises:
            ValueError: If an embedding has the wrong dimension or is not finite, or there is not
                one description for each region.
        """
        ...

    def touch(self, product_ids: Sequence[str], *, run: int) -> None:
        """Mark unchanged products as seen by an indexing run; unknown ones are ignored."""
        ...

    def delete(self, product_ids: Sequence[str]) -> int:
        """Remove products; gives how many there were."""
        ...

    def begin_run(self, feed: str) -> int:
        """Note that an indexing run starts; gives its number, larger than all before."""
        ...

    def sweep(self, *, run: int) -> int:
        """Remove every product that a run has not seen; gives how many."""
        ...

    def end_run(self, *, run: int) -> None:
        """Note that a run is complete, and bring derived indexes up to date."""
        ...

    def search(
        self, queries: NDArray[np.float32], top: int, where: Filter | None = None
    ) -> Sequence[Sequence[Hit]]:
        """Find the products most similar to each query.

        Args:
            queries: (Q, D) float32, L2-normalised.
            top: Largest number of products for each query, at least 1.
            where: Only products that pass this filter.

        Returns:
            For each query its hits, most similar first, at most one a product (its best
            image); fewer than `top` only if no more products pass the filter.

        Raises:
            ValueError: If the queries have the wrong shape or are not finite, or `top` is
                below 1.
            FilterError: If the filter names an attribute that no product has.
        """
        ...

    def descriptions(self, regions: Sequence[int]) -> Mapping[int, bytes]:
        """Read what re-ranking needs of regions.

        Args:
            regions: Numbers, as a `Hit` gives them.

        Returns:
            The descriptions by number; regions that are gone, or were stored without one, are
            left out.
        """
        ...

    def embeddings(self, where: Filter | None = None, *, main: bool = False) -> StoredEmbeddings:
        """Read the embeddings of products, to be compared with each other.

        Args:
            where: Only of products that pass this filter.
            main: Only those of each product's first picture.

        Returns:
            All of one version of the store, in an order that depends on nothing but that.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        ...

    def records(self, *, after: int = 0, most: int = 256) -> StoredRecords:
        """Read products with all that was stored with them, to be stored elsewhere.

        Args:
            after: Those that come after this number, see `StoredRecords.last`.
            most: At most so many, at least 1.

        Returns:
            Products in the order of the store's own numbers, each as of the latest version; one
            that changes meanwhile may come twice, and none is left out.

        Raises:
            ValueError: If `most` is below 1.
        """
        ...

    def products(self, product_ids: Sequence[str]) -> Mapping[str, Product]:
        """Read products; those not in the store are left out."""
        ...

    def listed(
        self,
        *,
        after: str = "",
        limit: int,
        where: Filter | None = None,
        words: Sequence[str] = (),
    ) -> Sequence[Product]:
        """Read products in the order of their IDs, some at a time.

        Who gives the last ID of one call as `after` of the next sees every product that was
        there all the time once, whatever else is stored and removed meanwhile.

        Args:
            after: Only products whose ID comes behind this text, by the code points of its
                letters; it need not be one of a product. "" for the first.
            limit: Most products, at least 1.
            where: Only products that pass this filter.
            words: Only products for which `snapshelf.store.words.holds_words` is true.

        Returns:
            In rising order of ID; fewer than `limit` only if no more follow.

        Raises:
            FilterError: If the filter names an attribute that no product has.
            ValueError: If `limit` is below 1.
        """
        ...

    def count(self, where: Filter | None = None) -> Counts:
        """Count what the store holds, or what of it passes a filter.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        ...

    def facets(self, most: int, where: Filter | None = None) -> Facets:
        """Tell what the products, or those that pass a filter, can be told apart by.

        Categories and brands that differ in case only are one, as they are to a filter.

        Args:
            most: Largest number of categories, of brands and of currencies; the smallest are left
                out. At least 1.
            where: Only products that pass this filter.

        Raises:
            FilterError: If the filter names an attribute that no product has.
            ValueError: If `most` is below 1.
        """
        ...

    def close(self) -> None:
        """Release files, locks and connections; the store cannot be used afterwards."""
        ...
