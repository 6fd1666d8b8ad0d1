"""`ProductEncoder`: an encoder that knows a shop's products by their IDs, and not by pictures.

Contracts see pictures only. Where a product is indexed, evaluated or trained on, its ID is at
hand: an encoder, or a re-ranker, that has the method of these protocols is asked by it instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["ProductDescriber", "ProductEncoder", "ProductParts"]

K_contra = TypeVar("K_contra", contravariant=True)


@runtime_checkable
class ProductEncoder(Protocol):
    """What an `Encoder` has besides, whose shop side is asked by products' IDs."""

    def prepare_product(self, product_id: str) -> NDArray[np.uint8]:
        """Give what `Encoder.encode` takes for a product; may be called from several threads.

        Args:
            product_id: Of the product.

        Returns:
            (S, T, 3) uint8, in the place of any picture of the product on the shop side, with the
            same S and T for every product.

        Raises:
            FeaturesError: If nothing is known of the product, or nothing that can be used.
        """
        ...


@runtime_checkable
class ProductDescriber(Protocol):
    """What a `Reranker` has besides, whose shop side is asked by products' IDs."""

    def describe_product(self, product_id: str) -> bytes:
        """Describe a product, in the place of any picture of it; called from several threads.

        Args:
            product_id: Of the product.

        Returns:
            What `Reranker.rerank` needs of it.

        Raises:
            FeaturesError: If nothing is known of the product, or nothing that can be used.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProductParts(Generic[K_contra]):
    """How the pictures of products are embedded where some part of a system knows products.

    Attributes:
        product: Gives the ID of the product that a key's picture is of.
        encoder: In the place of `Encoder.prepare`; None where pictures are embedded.
        describer: In the place of `Reranker.describe`; None where pictures are described.
    """

    product: Callable[[K_contra], str]
    encoder: ProductEncoder | None
    describer: ProductDescriber | None

    @classmethod
    def of(
        cls, encoder: object, reranker: object, product: Callable[[K_contra], str]
    ) -> "ProductParts[K_contra] | None":
        """Look for parts that know products.

        Args:
            encoder: Of a system.
            reranker: Of a system; None where it has none.
            product: Gives the ID of a key's product.

        Returns:
            None if there is none.
        """
        found = cls(
            product,
            encoder if isinstance(encoder, ProductEncoder) else None,
            reranker if isinstance(reranker, ProductDescriber) else None,
        )
        return found if found.encoder or found.describer else None
