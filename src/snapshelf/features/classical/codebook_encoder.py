"""`CodebookEncoder`: local features aggregated by a codebook, as an encoder."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.codebook import Codebook
from snapshelf.features.classical.local_features import LocalFeatures
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.media.picture import RGB

__all__ = ["CodebookEncoder"]


class CodebookEncoder:
    """Any `LocalFeatures` with any `Codebook`; the street and shop sides are the same.

    Dense SIFT with a `FisherCodebook` and Hessian-SIFT with a `VladCodebook` are the
    hand-crafted baselines of *Street-to-Shop Shoe Retrieval*. They see no colour. A picture in
    which nothing is found, such as a plain one, has the embedding zero and is similar to none.

    Args:
        features: Finds and describes parts of a prepared picture.
        codebook: Aggregates the descriptors.
        preprocessing: How pictures become inputs; only its size, fit, interpolation and
            background count.
        fingerprint: Hex digest of all of these.
    """

    def __init__(
        self,
        features: LocalFeatures,
        codebook: Codebook,
        preprocessing: Preprocessing,
        *,
        fingerprint: str,
    ) -> None:
        self.features = features
        self.codebook = codebook
        self.preprocessing = preprocessing
        self._fingerprint = fingerprint

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self.codebook.dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of the features' settings, the codebook and the preprocessing."""
        return self._fingerprint

    def prepare(
        self,
        picture: RGB,
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: Makes no difference here.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255].
        """
        return prepare(picture, self.preprocessing)

    def encode(
        self,
        inputs: NDArray[np.uint8],
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1.
            domain: Makes no difference here.

        Returns:
            (B, D) float32, L2-normalised; zeros where a picture has no descriptor.
        """
        return np.stack(
            [self.codebook.aggregate(self.features.describe(picture)) for picture in inputs]
        )
