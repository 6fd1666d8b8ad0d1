"""A data set of one's own: a table of articles, and one of the photos that show them.

A folder with two CSV files, whose pictures are named by paths relative to it:

- ``articles.csv``: the columns ``article`` (the ID) and ``picture`` (the title picture), and, where
  they are known, ``split`` (train, val or test), ``title``, ``category`` (``Apparel > Shirts``).
  Every other column is an attribute, with values ``group/value``, or ``value`` where it has no
  groups, and empty where it is not known;
- ``pairs.csv``: the columns ``photo`` and ``article``. A photo in several rows shows several
  articles.
"""

from collections.abc import Mapping
from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.article_shop import SPLITS, Article, ArticlePhoto, ArticleShop, Split
from snapshelf.datasets.csv_table import attribute_value, csv_rows
from snapshelf.datasets.hashed_split import hashed_split
from snapshelf.datasets.published_files import find_picture
from snapshelf.datasets.training_item import AttributeValue
from snapshelf.errors import DatasetError

__all__ = ["photo_article_pairs"]

LAYOUT = "a folder with articles.csv and pairs.csv (see docs/datasets.md)"
OWN_COLUMNS = frozenset({"article", "picture", "split", "title", "category"})
ADVICE = "give a path relative to the folder"


def photo_article_pairs(root: Path) -> ArticleShop:
    """Open a folder of articles and photos.

    Where there is no column ``split``, `hashed_split` of the ID decides.

    Args:
        root: The folder that holds both files.

    Raises:
        DatasetError: If a file is missing or malformed, an article is listed twice or unknown, or a
            picture is not there or outside the folder.
    """
    articles = _read_articles(root)
    return ArticleShop("pairs", root, list(articles.values()), _read_photos(root, articles))


def _read_articles(root: Path) -> dict[str, Article]:
    path = root / "articles.csv"
    articles: dict[str, Article] = {}
    for where, row in csv_rows(path, LAYOUT, columns=("article", "picture"), more=True):
        article = _article(root, where, row)
        if article.product.id in articles:
            raise DatasetError(
                f"{where}: article {article.product.id!r} is listed twice, expected once"
            )
        articles[article.product.id] = article
    if not articles:
        raise DatasetError(f"{path} lists no article, expected some")
    return articles


def _article(root: Path, where: str, row: Mapping[str, str]) -> Article:
    product_id = row["article"]
    if not product_id:
        raise DatasetError(f"{where}: expected an ID in the column article, got an empty field")
    category = _category(where, row.get("category", ""))
    attributes: dict[str, AttributeValue] = {}
    if category:
        attributes["category"] = category[0], category[-1]
    for name, text in row.items():
        if name not in OWN_COLUMNS and text:
            attributes[name] = attribute_value(where, text)
    return Article(
        Product(
            id=product_id,
            title=row.get("title", ""),
            category=category,
            images=(find_picture(root, where, row["picture"], advice=ADVICE),),
        ),
        _split(where, row["split"]) if "split" in row else hashed_split(product_id),
        attributes,
    )


def _category(where: str, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(">")) if text else ()
    if not all(names):
        raise DatasetError(f"{where}: expected a category such as Apparel > Shirts, got {text!r}")
    return names


def _split(where: str, text: str) -> Split:
    for split in SPLITS:
        if text == split:
            return split
    raise DatasetError(f"{where}: expected a split of {', '.join(SPLITS)}, got {text!r}")


def _read_photos(root: Path, articles: Mapping[str, Article]) -> list[ArticlePhoto]:
    path = root / "pairs.csv"
    shown: dict[str, dict[str, None]] = {}  # an inner one stands for a set that keeps its order
    for where, row in csv_rows(path, LAYOUT, columns=("photo", "article")):
        photo, article = row["photo"], row["article"]
        if article not in articles:
            raise DatasetError(f"{where}: there is no article {article[:80]!r} in articles.csv")
        if photo not in shown:
            photo = find_picture(root, where, photo, advice=ADVICE)
        shown.setdefault(photo, {}).setdefault(article)
    if not shown:
        raise DatasetError(f"{path} lists no pair, expected some")
    return [ArticlePhoto(photo, tuple(own)) for photo, own in shown.items()]
