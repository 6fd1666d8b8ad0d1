"""`SidedEncoder`: one encoder for photos and another for shop pictures, in one space."""

import hashlib
from typing import cast

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.product_encoder import ProductEncoder
from snapshelf.media.picture import RGB

__all__ = ["SidedEncoder", "SidedProductEncoder", "join_sides"]


class SidedEncoder:
    """Gives each side to an encoder of its own, which may take pictures of another size.

    Args:
        street: Of photos, L2-normalised.
        shop: Of shop pictures, L2-normalised, in the same space.

    Raises:
        ValueError: If they give embeddings of different length.
    """

    def __init__(self, street: Encoder, shop: Encoder) -> None:
        if street.dimension != shop.dimension:
            raise ValueError(
                "both sides must give embeddings of one length, got "
                f"{street.dimension} of photos and {shop.dimension} of shop pictures"
            )
        self._sides = {Domain.STREET: street, Domain.SHOP: shop}

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._sides[Domain.SHOP].dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of both encoders' fingerprints."""
        parts = " ".join(f"{domain} {side.fingerprint}" for domain, side in self._sides.items())
        return hashlib.blake2b(f"sided {parts}".encode(), digest_size=16).hexdigest()

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the input size of its side; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: The side that it comes from.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255], as the side's encoder wants it.
        """
        return self._sides[domain].prepare(picture, domain)

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures of one side.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], as `prepare` gives them for the side,
                B >= 1.
            domain: The side that they come from.

        Returns:
            (B, D) float32, L2-normalised.
        """
        return self._sides[domain].encode(inputs, domain)


class SidedProductEncoder(SidedEncoder):
    """The same with a shop side that is asked by products' IDs."""

    def prepare_product(self, product_id: str) -> NDArray[np.uint8]:
        """Give the shop side's input for a product.

        Args:
            product_id: Of the product.

        Returns:
            (S, T, 3) uint8.

        Raises:
            FeaturesError: If the shop side has nothing of the product.
        """
        return cast(ProductEncoder, self._sides[Domain.SHOP]).prepare_product(product_id)


def join_sides(street: Encoder, shop: Encoder) -> SidedEncoder:
    """Put two sides together, by products' IDs where the shop side is asked by them.

    Args:
        street: Of photos.
        shop: Of shop pictures, or of products.

    Raises:
        ValueError: As `SidedEncoder`.
    """
    by_product = isinstance(shop, ProductEncoder)
    return (SidedProductEncoder if by_product else SidedEncoder)(street, shop)
