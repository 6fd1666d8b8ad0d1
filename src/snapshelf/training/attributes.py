"""The attributes of the training items as numbers: which there are, their classes and labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.training_item import AttributeValue, TrainingItem
from snapshelf.errors import ModelError

__all__ = ["UNLABELLED", "AttributeTable"]

UNLABELLED = -1
"""The label of an item whose value of an attribute is not known, or not among its classes."""


@dataclass(frozen=True, slots=True)
class AttributeTable:
    """The multi-class attributes that there is something to learn of.

    A class is a (level-1, level-2) pair, so that values of the same name in two groups stay
    apart. Use `from_items`.

    Attributes:
        names: The M attributes, in sorted order.
        classes: For each attribute its G_m classes, in sorted order, at least two.
        counts: For each attribute the number of training items of each class, at least 1.
        left_out: The attributes that nothing can be learned of, each with the reason.

    Example:
        >>> from pathlib import Path
        >>> from snapshelf.datasets.training_item import TrainingItem
        >>> apple = TrainingItem("1", (), (Path("1.jpg"),), {"kind": ("Fruit", "Apple")})
        >>> milk = TrainingItem("2", (), (Path("2.jpg"),), {"kind": ("Dairy", "Milk")})
        >>> table = AttributeTable.from_items([apple, milk])
        >>> table.classes
        ((('Dairy', 'Milk'), ('Fruit', 'Apple')),)
        >>> table.labels([apple, milk]).tolist()
        [[1], [0]]
    """

    names: tuple[str, ...]
    classes: tuple[tuple[AttributeValue, ...], ...]
    counts: tuple[tuple[int, ...], ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no set of items gives.

        Raises:
            ValueError: If the parts do not fit together, or something is not in sorted order.
        """
        if not len(self.names) == len(self.classes) == len(self.counts):
            raise ValueError(
                "expected classes and counts for each attribute, got "
                f"{len(self.names)} names, {len(self.classes)} classes, {len(self.counts)} counts"
            )
        if list(self.names) != sorted(set(self.names)):
            raise ValueError(f"names must be sorted and different, got {self.names}")
        for name, classes, counts in zip(self.names, self.classes, self.counts, strict=True):
            if len(classes) < 2 or list(classes) != sorted(set(classes)):
                raise ValueError(
                    f"the classes of {name!r} must be at least two, sorted and different, "
                    f"got {classes}"
                )
            if len(counts) != len(classes) or min(counts) < 1:
                raise ValueError(
                    f"the counts of {name!r} must be {len(classes)} numbers of at least 1, "
                    f"got {counts}"
                )

    @classmethod
    def from_items(cls, items: Sequence[TrainingItem], names: Iterable[str] | None = None) -> Self:
        """Collect the attributes of the training items.

        An attribute that no item is labelled with, or whose labelled items are all of one
        class, is left out: there is nothing to predict. `left_out` says so.

        Args:
            items: The training items, at least one.
            names: The attributes to use; None for all that an item is labelled with.

        Returns:
            The table; it may be without attributes.

        Raises:
            ValueError: If there is no item, or a value is not a pair of strings.
        """
        if not items:
            raise ValueError("expected at least one training item to take attributes from, got 0")
        tallies: dict[str, dict[AttributeValue, int]] = {name: {} for name in names or ()}
        for item in items:
            for name, value in item.attributes.items():
                _require_value(item, name, value)
                if names is None or name in tallies:
                    tally = tallies.setdefault(name, {})
                    tally[value] = tally.get(value, 0) + 1
        kept = sorted(name for name, tally in tallies.items() if len(tally) > 1)
        return cls(
            names=tuple(kept),
            classes=tuple(tuple(sorted(tallies[name])) for name in kept),
            counts=tuple(tuple(n for _, n in sorted(tallies[name].items())) for name in kept),
            left_out={name: _reason(tallies[name]) for name in sorted(tallies.keys() - set(kept))},
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of classes G_m of each attribute."""
        return tuple(len(classes) for classes in self.classes)

    @property
    def level1(self) -> tuple[NDArray[np.int64], ...]:
        """For each attribute (G_m,) int64, the number of each class's level-1 group.

        Groups are numbered from 0 within their attribute, in sorted order.
        """
        # Not by numpy.unique: arrays of strings drop NULs at the end, so groups would merge.
        return tuple(_group_numbers(classes) for classes in self.classes)

    def labels(self, items: Sequence[TrainingItem]) -> NDArray[np.int64]:
        """Give the class number of each attribute of each item.

        Args:
            items: Any items, not only those that the table was made from.

        Returns:
            (N, M) int64 in [0, G_m), or -1 where the item is not labelled with the attribute
            or its value is none of the classes.
        """
        numbers: list[dict[AttributeValue | None, int]] = [
            {value: number for number, value in enumerate(classes)} for classes in self.classes
        ]
        rows = [
            [
                known.get(item.attributes.get(name), UNLABELLED)
                for name, known in zip(self.names, numbers, strict=True)
            ]
            for item in items
        ]
        return np.array(rows, np.int64).reshape(len(items), len(self.names))

    def to_dict(self) -> dict[str, Any]:
        """Give the table as values that JSON can hold."""
        return {
            "names": list(self.names),
            "classes": [[list(value) for value in classes] for classes in self.classes],
            "counts": [list(counts) for counts in self.counts],
            "left_out": dict(self.left_out),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.

        Raises:
            ModelError: If a part is missing, unknown or of another type, or they do not fit
                together.
        """
        try:
            parts = dict(values)
            table = cls(
                names=tuple(_text(name) for name in parts.pop("names")),
                classes=tuple(tuple(_pair(one) for one in each) for each in parts.pop("classes")),
                counts=tuple(tuple(_whole(one) for one in each) for each in parts.pop("counts")),
                left_out={_text(n): _text(reason) for n, reason in parts.pop("left_out").items()},
            )
            if parts:
                raise ValueError(f"unknown {', '.join(map(repr, parts))}")
            return table
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the attributes of the model cannot be used: {error}") from error


def _group_numbers(classes: Sequence[AttributeValue]) -> NDArray[np.int64]:
    numbers = {
        group: number for number, group in enumerate(sorted({group for group, _ in classes}))
    }
    return np.array([numbers[group] for group, _ in classes], np.int64)


def _require_value(item: TrainingItem, name: str, value: object) -> None:
    try:
        _pair(value)
    except ValueError as error:
        raise ValueError(f"attribute {name!r} of item {item.product_id!r}: {error}") from error


def _reason(tally: Mapping[AttributeValue, int]) -> str:
    """Say why an attribute of fewer than two classes is left out."""
    if not tally:
        return "no item is labelled with it"
    ((value, count),) = tally.items()
    return f"all {count} labelled items are of one class, {' / '.join(value)}"


def _pair(value: object) -> AttributeValue:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"expected a pair of a level-1 group and a level-2 value, got {value!r}")
    return _text(value[0]), _text(value[1])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string, got {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected a whole number, got {value!r}")
    return value
