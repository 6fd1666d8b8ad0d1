"""The garments of the clothing sources, and the part of the body or use that each belongs to."""

from collections.abc import Mapping

from snapshelf.datasets.training_item import AttributeValue

__all__ = ["GARMENTS", "garment"]

GARMENTS: Mapping[str, tuple[str, ...]] = {
    "top": (
        "blouse", "bodysuit", "body", "cape", "cardigan", "hoodie", "jumper", "longsleeve", "polo",
        "shirt", "sweater", "sweatshirt", "t-shirt", "top", "vest",
    ),
    "outerwear": ("blazer", "coat", "jacket", "outwear"),
    "bottom": ("jeans", "leggings", "pants", "shorts", "skirt"),
    "whole body": ("dress", "romper", "suit", "swimwear"),
    "footwear": (
        "boots", "clogs", "flats", "heels", "loafers", "pumps", "sandals", "shoes", "sneakers",
        "wedges",
    ),
    "legwear": ("socks", "stockings", "tights"),
    "underwear": ("bra", "intimate", "panties", "undershirt"),
    "headwear": ("hat",),
    "bag": ("bag", "purse", "wallet"),
    "accessory": (
        "accessories", "belt", "bracelet", "earrings", "glasses", "gloves", "necklace", "ring",
        "scarf", "sunglasses", "tie", "watch",
    ),
}  # fmt: skip
"""The garments of each group."""

_GROUPS = {name: group for group, names in GARMENTS.items() for name in names}


def garment(label: str) -> AttributeValue | None:
    """Give a label's group and name.

    Args:
        label: As the data set writes it, in any case.

    Returns:
        Such as ``("top", "t-shirt")``; None for what is no garment, such as "Not sure" or skin.
    """
    name = label.lower()
    return (_GROUPS[name], name) if name in _GROUPS else None
