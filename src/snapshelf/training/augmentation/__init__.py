"""Domain-shift augmentation: street views of shop pictures, and several views of one photo."""

from snapshelf.training.augmentation.background import Backgrounds
from snapshelf.training.augmentation.domain_shift import shop_view, street_view
from snapshelf.training.augmentation.matting import alpha_matte
from snapshelf.training.augmentation.settings import DomainShift, Effect
from snapshelf.training.augmentation.source import Source

__all__ = [
    "Backgrounds",
    "DomainShift",
    "Effect",
    "Source",
    "alpha_matte",
    "shop_view",
    "street_view",
]
