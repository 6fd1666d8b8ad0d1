"""`VectorEncoder`: a user's own vectors as the shop side of a system."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.article_vectors import ArticleVectors
from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB

__all__ = ["VectorEncoder"]


class VectorEncoder:
    """Gives the features of products by their IDs, as `ProductEncoder` has it.

    What is prepared is the vector itself, as bytes.

    Args:
        vectors: By product.
        digest: Hex digest of the file that they are read from.
    """

    def __init__(self, vectors: ArticleVectors, digest: str) -> None:
        self.vectors = vectors
        self._digest = digest

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        return self.vectors.dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of the file's, and of the vectors' length."""
        parts = f"vectors {self._digest} {self.dimension}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Refuse: nothing is known of pictures.

        Args:
            picture: Any.
            domain: Any.

        Raises:
            ModelError: Always.
        """
        raise ModelError(
            f"a {domain} picture of {picture.shape[1]} x {picture.shape[0]} pixels cannot be "
            "embedded: this system knows shop pictures by their products' IDs only"
        )

    def prepare_product(self, product_id: str) -> NDArray[np.uint8]:
        """Give the bytes of a product's vector.

        Args:
            product_id: Of the product.

        Returns:
            (1, T, 3) uint8, T the same for every product.

        Raises:
            FeaturesError: If the product has no vector that can be used.
        """
        row = np.frombuffer(self.vectors.of(product_id).astype("<f4").tobytes(), np.uint8)
        return np.pad(row, (0, -len(row) % 3)).reshape(1, -1, 3)

    def encode(
        self,
        inputs: NDArray[np.uint8],
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Give the vectors back.

        Args:
            inputs: (B, 1, T, 3) uint8, as `prepare_product` gives them.
            domain: Makes no difference: nothing else can be prepared.

        Returns:
            (B, D) float32, L2-normalised.
        """
        rows = np.ascontiguousarray(inputs.reshape(len(inputs), -1)[:, : 4 * self.dimension])
        return rows.view("<f4").astype(np.float32)
