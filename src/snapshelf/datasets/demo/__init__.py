"""A shop that is generated: a feed, shop pictures and street photos, made without a network."""

from snapshelf.datasets.demo.shop import DemoShop, StreetItem, StreetPhoto
from snapshelf.datasets.demo.writing import write_demo_shop

__all__ = ["DemoShop", "StreetItem", "StreetPhoto", "write_demo_shop"]
