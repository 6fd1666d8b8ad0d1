"""LookBook: product pictures on plain ground, and photos of people who wear them.

Yoo, Kim, Park, Paek, Kweon: Pixel-Level Domain Transfer, ECCV 2016: 8,726 product pictures and
68,820 photos in one folder. A name tells everything, as the download's notes say
(``sprintf('PID%06d_CLEAN%d_IID%06d', product_id, is_product_image, image_id)``):
``PID000000_CLEAN1_IID000011.jpg`` is the product picture of ``PID000000_CLEAN0_IID000000.jpg``.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.article_shop import Article, ArticlePhoto, ArticleShop, WholeAssortment
from snapshelf.datasets.hashed_split import hashed_split
from snapshelf.errors import DatasetError

__all__ = ["all_of_lookbook", "lookbook"]

LAYOUT = "the LookBook folder, with data/PID000000_CLEAN0_IID000000.jpg and so on"
NAME = re.compile(r"(PID[0-9]+)_CLEAN([01])_IID[0-9]+", re.ASCII)
SUFFIX = ".jpg"
CATEGORY = ("clothing",)


@dataclass(slots=True)
class _Pictures:
    products: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)


def lookbook(root: Path) -> ArticleShop:
    """Open LookBook with a split of its products by `hashed_split`; none was published.

    Many articles have more than one ID and are different products here, as Section 5.2 of
    Studio2Shop notes: some of those held back are trained on under another ID.

    Args:
        root: The folder that holds ``data``, or that folder.

    Raises:
        DatasetError: If the folder holds no pictures, a picture has a name of another form, or a
            product has no product picture.
    """
    return ArticleShop("lookbook", *_read(root))


def all_of_lookbook(root: Path) -> WholeAssortment:
    """Open LookBook whole, as Studio2Shop measures on it: nothing is kept for training.

    Args:
        root: As `lookbook` takes it.

    Raises:
        DatasetError: As `lookbook`.
    """
    return WholeAssortment("lookbook-all", *_read(root))


def _read(root: Path) -> tuple[Path, list[Article], list[ArticlePhoto]]:
    folder = root / "data" if (root / "data").is_dir() else root
    found: dict[str, _Pictures] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != SUFFIX or path.name.startswith("."):
            continue
        name = NAME.fullmatch(path.stem)
        if name is None:
            raise DatasetError(
                f"{path}: expected a name such as PID000000_CLEAN0_IID000000.jpg; leave only "
                "LookBook's own pictures in the folder"
            )
        own = found.setdefault(name[1], _Pictures())
        (own.products if name[2] == "1" else own.photos).append(path.name)
    if not found:
        raise DatasetError(f"{folder} holds no {SUFFIX} files: expected {LAYOUT}")
    for product_id, own in found.items():
        if not own.products:
            raise DatasetError(
                f"{folder}: product {product_id} has {len(own.photos)} photos and no product "
                "picture (CLEAN1); get the whole data set again"
            )
    articles = [
        Article(
            Product(id=product_id, title=product_id, category=CATEGORY, images=tuple(own.products)),
            hashed_split(product_id),
        )
        for product_id, own in found.items()
    ]
    photos = [
        ArticlePhoto(photo, (product_id,))
        for product_id, own in found.items()
        for photo in own.photos
    ]
    return folder, articles, photos
