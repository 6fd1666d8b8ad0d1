"""`NamedWeights`: a small network of NumPy arrays that are the fields of a dataclass."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "NamedWeights"]

FloatArray = NDArray[np.float32]


class NamedWeights:
    """What frozen dataclasses have in common whose every field is a float32 array."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def fingerprint(self) -> str:
        """Hex digest of the weights."""
        digest = hashlib.blake2b(digest_size=16)
        for name, array in self.tensors().items():
            digest.update(f"{name} {array.shape}\n".encode() + array.tobytes())
        return digest.hexdigest()

    def tensors(self) -> dict[str, FloatArray]:
        """Give the weights by name, as a file holds them."""
        return {
            field.name: np.ascontiguousarray(getattr(self, field.name), np.float32)
            for field in fields(self)
        }

    def check_finite(self) -> None:
        """Refuse NaN and infinity.

        Raises:
            ValueError: If a weight is not finite.
        """
        if not all(np.isfinite(getattr(self, field.name)).all() for field in fields(self)):
            raise ValueError("all weights must be finite, got NaN or infinity")

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, FloatArray]) -> Self:
        """Read back what `tensors` gave.

        Raises:
            ValueError: If a tensor is missing or unknown, or they do not go together.
        """
        names = [field.name for field in fields(cls)]
        if set(tensors) != set(names):
            raise ValueError(f"expected the tensors {', '.join(names)}, got {', '.join(tensors)}")
        return cls(**tensors)
