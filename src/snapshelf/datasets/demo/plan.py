"""The plan of a demo shop: which pictures it has and what each shows."""

from dataclasses import dataclass

import numpy as np

from snapshelf.datasets.demo.copywriting import shop_pictures
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

    @property
    def batches(self) -> int:
        """Number of batches that the work is cut into: one a product, one a photo of several."""
        return self.products + self.strangers + self.products // 10

    def batch(self, number: int) -> tuple[int | None, tuple[Photo, ...]]:
        """Tell what one batch consists of.

        Args:
            number: From 0 to `batches` - 1.

        Returns:
            The product whose shop pictures are taken, None for none; and the street photos. The
            numbers of products that are not in the feed are `products` and above.
        """
        single = self.products + self.strangers
        if number < single:
            photos = tuple(self._photo(2 * number + k, (number,)) for k in range(2))
            return (number if number < self.products else None), photos
        rng = np.random.default_rng([self.seed, 6, _SEVERAL, number - single])
        count = min(int(rng.integers(2, 5)), self.products)
        chosen = rng.choice(self.products, count, replace=False)
        return None, (
            self._photo(_SEVERAL + number - single, tuple(int(index) for index in chosen)),
        )

    def names(self, number: int) -> tuple[str, ...]:
        """Names of a batch's pictures, relative to the shop's folder, those of the shop first."""
        product, photos = self.batch(number)
        shop = shop_pictures(product) if product is not None else ()
        return (*shop, *(photo.name for photo in photos))

    def _photo(self, number: int, products: tuple[int, ...]) -> Photo:
        rng = np.random.default_rng([self.seed, 6, number])
        return Photo(number, products, str(rng.choice(DIFFICULTIES, p=_GRADES)))
