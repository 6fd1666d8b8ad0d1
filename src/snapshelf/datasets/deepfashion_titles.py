"""DeepFashion's In-Shop pictures as a shop of title pictures, searched with photos of models.

Lasserre, Rasch, Vollgraf: Studio2Shop, ICPRAM 2018, Section 5.2: "it was easily possible to isolate
title images": 683 of them, with 2,922 photos. How is not told. It is read off the published names
here: one begins with the number of the colour and ends with the view, as in ``06_1_front.jpg``, and
the view ``flat`` is taken for the garment alone, the pose that the list of boxes calls
"stand-alone".
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from snapshelf.catalog.product import Product
from snapshelf.datasets.article_shop import Article, ArticlePhoto, ArticleShop, WholeAssortment
from snapshelf.datasets.deepfashion_files import picture_root
from snapshelf.datasets.deepfashion_inshop_files import (
    Description,
    InShopPicture,
    read_descriptions,
    read_pictures,
)
from snapshelf.errors import DatasetError

__all__ = ["all_inshop_titles", "inshop_titles"]

TITLE_VIEW = "flat"


@dataclass(slots=True)
class _Colour:
    """An item in one colour."""

    first: InShopPicture
    titles: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)


def inshop_titles(root: Path) -> ArticleShop:
    """Open the shop with the published split: what is marked ``train`` is trained on.

    An article is an item in one colour that has a title picture; its photos are all others of that
    colour, whether marked ``query`` or ``gallery``. Items without a title picture are left out.

    Args:
        root: The folder that holds ``Anno``, ``Eval`` and ``Img``.

    Returns:
        A data set whose articles have IDs such as ``MEN/Shirts_Polos/id_00000193/06``.

    Raises:
        DatasetError: If a list is missing or malformed, names a picture that is not there or twice,
            a picture has a name of another form, or none is a title picture.
    """
    articles, photos = _read(root)
    return ArticleShop("deepfashion-inshop-titles", picture_root(root), articles, photos, ("test",))


def all_inshop_titles(root: Path) -> WholeAssortment:
    """Open the shop whole, as Section 5.2 measures on it: nothing is kept for training.

    Args:
        root: As `inshop_titles` takes it.

    Raises:
        DatasetError: As `inshop_titles`.
    """
    articles, photos = _read(root)
    return WholeAssortment("deepfashion-inshop-titles-all", picture_root(root), articles, photos)


def _read(root: Path) -> tuple[list[Article], list[ArticlePhoto]]:
    colours: dict[str, _Colour] = {}
    of_item: defaultdict[str, set[str]] = defaultdict(set)
    for picture in read_pictures(root):
        number, view = _colour_and_view(picture)
        # One item ID can be in two folders, and each has a picture 01_1_front.jpg then.
        folder = PurePosixPath(*PurePosixPath(picture.name).parts[1:-1])
        own = colours.setdefault(f"{folder}/{number}", _Colour(picture))
        (own.titles if view == TITLE_VIEW else own.photos).append(picture.name)
        of_item[picture.item_id].add(number)
    kept = {article: own for article, own in colours.items() if own.titles}
    if not kept:
        raise DatasetError(
            f"{root}: none of the {len(colours)} items in a colour has a title picture, expected "
            f"names such as 06_6_{TITLE_VIEW}.jpg among those of the list"
        )
    descriptions = read_descriptions(root)
    articles = [
        _article(
            article,
            own,
            descriptions.get(own.first.item_id, Description()),
            only_colour=len(of_item[own.first.item_id]) == 1,
        )
        for article, own in kept.items()
    ]
    photos = [
        ArticlePhoto(name, (article,)) for article, own in kept.items() for name in own.photos
    ]
    return articles, photos


def _article(
    product_id: str, own: _Colour, description: Description, *, only_colour: bool
) -> Article:
    kind, colour = own.first.kind, description.colour
    # The shop names one colour for an item, and does not tell which number that is.
    named = {"colour": (colour, colour)} if colour and only_colour else {}
    return Article(
        Product(
            id=product_id,
            title=kind[1].replace("_", " "),
            description=description.text,
            category=kind,
            images=tuple(own.titles),
        ),
        "train" if own.first.use == "train" else "test",
        {"kind": kind} | named,
    )


def _colour_and_view(picture: InShopPicture) -> tuple[str, str]:
    parts = PurePosixPath(picture.name).stem.split("_")
    if len(parts) != 3 or not all(parts):
        raise DatasetError(
            f"{picture.where}: expected a name such as 01_1_front.jpg, of colour, number and view, "
            f"got {picture.name!r}"
        )
    return parts[0], parts[2]
