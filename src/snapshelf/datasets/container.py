"""What a grocery product is sold in: derived from its name, not published with the data set.

The rules were written down from the studio pictures of the Grocery Store Dataset.
"""

from snapshelf.catalog.product import Product
from snapshelf.datasets.training_item import AttributeValue

__all__ = ["RULES", "container"]

RULES: tuple[tuple[frozenset[str], AttributeValue], ...] = (
    (frozenset({"Yoggi"}), ("package", "bottle")),
    (frozenset({"Arla", "Yoghurt"}), ("package", "brick carton")),
    (frozenset({"Sour"}), ("package", "brick carton")),
    (frozenset({"Packages"}), ("package", "gable-top carton")),
    (frozenset({"Asparagus"}), ("loose", "bunch")),
    (frozenset({"Banana"}), ("loose", "bunch")),
    (frozenset({"Vine"}), ("loose", "bunch")),
    (frozenset({"Fruit"}), ("loose", "piece")),
    (frozenset({"Vegetables"}), ("loose", "piece")),
)
"""Words that a product's name and category hold, and its container; the first rule that fits."""


def container(product: Product) -> AttributeValue | None:
    """Give the container of a product of the Grocery Store Dataset.

    Args:
        product: Its ID and category are read, as words that hyphens separate.

    Returns:
        Whether it is packed, and the container, such as ``("package", "bottle")``; None where no
        rule fits.
    """
    words = {word for text in (product.id, *product.category) for word in text.split("-")}
    return next((value for needed, value in RULES if needed <= words), None)
