"""`AttributePredictor`: what attributes pictures show, and how surely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB

__all__ = ["AttributePredictor", "PredictedAttribute", "likeliest"]


@dataclass(frozen=True, slots=True)
class PredictedAttribute:
    """A value that an attribute may have, and how likely it is.

    Attributes:
        name: The attribute's.
        group: The value's level-1 group; the value itself where the attribute has no groups.
        value: The value.
        probability: In [0, 1]; those of all values of an attribute sum to 1.
    """

    name: str
    group: str
    value: str
    probability: float


class AttributePredictor(Protocol):
    """Predicts the attributes of pictures of single items."""

    @property
    def classes(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """For each attribute by its name its classes, each a (group, value) pair."""
        ...

    def prepare(self, picture: RGB) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255], the same S and T for every picture.
        """
        ...

    def predict(
        self, inputs: NDArray[np.uint8], domain: Domain
    ) -> Mapping[str, NDArray[np.float32]]:
        """Predict the attributes of a batch of prepared pictures.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1.
            domain: The side that the pictures come from.

        Returns:
            For each attribute (B, G) float32, in [0, 1], each row summing to 1; in the order of
            `classes`.
        """
        ...


def likeliest(
    name: str,
    classes: Sequence[tuple[str, str]],
    probabilities: NDArray[np.float32],
    *,
    top: int = 1,
    least: float = 0.0,
) -> list[PredictedAttribute]:
    """Give the likeliest values of an attribute of one picture.

    Args:
        name: The attribute's.
        classes: G (group, value) pairs.
        probabilities: (G,) float32, in [0, 1].
        top: How many at most, at least 1.
        least: Values that are less likely are left out.

    Returns:
        The likeliest first; of equally likely ones the first of `classes`. May be empty.

    Example:
        >>> found = likeliest("heel", [("high", "high"), ("low", "low")], np.float32([0.25, 0.75]))
        >>> found[0].value, found[0].probability
        ('low', 0.75)
    """
    order = np.argsort(-probabilities, kind="stable")[:top]
    return [
        PredictedAttribute(name, classes[place][0], classes[place][1], float(probabilities[place]))
        for place in order.tolist()
        if probabilities[place] >= least
    ]
