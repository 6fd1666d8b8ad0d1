"""The plan of a demo shop: which pictures it has and what each shows."""

from dataclasses import dataclass

import numpy as np

from snapshelf.datasets.demo.street import DIFFICULTIES, Photo

__all__ = ["Plan"]

_GRADES = (0.4, 0.35, 0.25)
_SEVERAL = 2_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo shop consists of.

    Attributes:
        products: Number of products in the feed, at least 1.
        seed: Of all chance, not negative.
    """

    products: int
    seed: int

    @property
    def strangers(self) -> int:
        """Number of products that have street photos but are not in the feed."""
        return max(1, self.products // 15)

    def photos(self) -> list[Photo]:
        """Every street photo, in order: two of each product, then those of several products.

        Returns:
            The photos; product numbers from `products` on are not in the feed.
        """
        photos = []
        for number in range(2 * (self.products + self.strangers)):
            rng = np.random.default_rng([self.seed, 6, number])
            photos.append(Photo(number, (number // 2,), _grade(rng)))
        for k in range(self.products // 10):
            rng = np.random.default_rng([self.seed, 6, _SEVERAL + k])
            count = int(rng.integers(2, 5))
            chosen = rng.choice(self.products, min(count, self.products), replace=False)
            photos.append(Photo(_SEVERAL + k, tuple(int(number) for number in chosen), _grade(rng)))
        return photos


def _grade(rng: np.random.Generator) -> str:
    return str(rng.choice(DIFFICULTIES, p=_GRADES))
