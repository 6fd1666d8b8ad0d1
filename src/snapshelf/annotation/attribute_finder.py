"""`AttributeFinder`: the likeliest attributes of items, many at a time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.attribute_predictor import (
    AttributePredictor,
    PredictedAttribute,
    likeliest,
)
from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB

__all__ = ["AttributeFinder", "choose_attributes"]


def choose_attributes(predictor: AttributePredictor, wanted: Sequence[str]) -> tuple[str, ...]:
    """Choose the attributes to predict.

    Args:
        predictor: Knows some.
        wanted: Names; none for all.

    Returns:
        The names, in the predictor's order.

    Raises:
        ValueError: If the predictor does not know one: it was not in what it was trained on.
    """
    if unknown := [name for name in wanted if name not in predictor.classes]:
        raise ValueError(
            f"the attribute {unknown[0]!r} was not in what the system was trained on; it knows "
            f"{', '.join(predictor.classes)}"
        )
    return tuple(name for name in predictor.classes if not wanted or name in wanted)


class AttributeFinder:
    """Predicts attributes and keeps the likeliest values of each.

    Args:
        predictor: Predicts.
        attributes: Names of attributes; none for all.
        values: Values of an attribute at most, at least 1.
        least: In [0, 1]; values that are less likely are left out.

    Raises:
        ValueError: If an attribute is not known, or `values` or `least` is out of range.
    """

    def __init__(
        self,
        predictor: AttributePredictor,
        *,
        attributes: Sequence[str] = (),
        values: int = 1,
        least: float = 0.0,
    ) -> None:
        self._chosen = choose_attributes(predictor, attributes)
        if values < 1 or not 0 <= least <= 1:
            raise ValueError(
                f"values must be at least 1 and least in [0, 1], got {values} and {least}"
            )
        self._predictor = predictor
        self._values = values
        self._least = least

    def prepare(self, part: RGB) -> NDArray[np.uint8]:
        """Bring an item to the input size; may be called from several threads.

        Args:
            part: (H, W, 3) uint8, RGB, [0, 255], cut to the item.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255].
        """
        return self._predictor.prepare(part)

    def find(
        self, inputs: Sequence[NDArray[np.uint8]], domain: Domain
    ) -> list[tuple[PredictedAttribute, ...]]:
        """Predict the attributes of items.

        Args:
            inputs: As `prepare` gave them, any number.
            domain: The side that the pictures come from.

        Returns:
            For each item its likeliest values, of each attribute the likeliest first.
        """
        if not inputs:
            return []
        found = self._predictor.predict(np.stack(inputs), domain)
        return [
            tuple(
                value
                for name in self._chosen
                for value in likeliest(
                    name,
                    self._predictor.classes[name],
                    found[name][row],
                    top=self._values,
                    least=self._least,
                )
            )
            for row in range(len(inputs))
        ]
