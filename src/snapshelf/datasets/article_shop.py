"""Shops of articles with title pictures, searched with photos that show one article or more.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, ICPRAM 2018.
A title picture shows the article alone; a photo shows a person who wears it, often with others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.datasets.training_item import AttributeValue, TrainingItem

__all__ = ["SPLITS", "Article", "ArticlePhoto", "ArticleShop", "Split", "WholeAssortment"]

Split = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Article:
    """An article with its title pictures.

    Attributes:
        product: As a shop sells it; its images are the title pictures, relative to the data set's
            folder.
        split: What it is for.
        attributes: Values by the attribute's name; those that are not known are left out.
    """

    product: Product
    split: Split
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArticlePhoto:
    """A photo, and what it shows.

    Attributes:
        picture: Relative to the data set's folder.
        articles: IDs, at least one, each once; the first one decides the category.
    """

    picture: str
    articles: tuple[str, ...]


class ArticleShop:
    """Articles split into those of training and those held back: `Dataset` and `TrainingData`.

    Section 5.1: "To avoid using training articles at test time, we discard them from the retrieval
    set, and discard query images that were annotated with such articles." So the gallery is every
    article of the splits "val" and "test", and a photo is a query of one of them if all articles
    that it shows are of that split. Training has each training article with all photos of it; a
    photo that shows a training article is no query, whatever else it shows.

    Args:
        name: The data set's.
        root: The folder that pictures are relative to.
        articles: Each ID once.
        photos: Each picture once, of those articles.
        splits: The splits that have queries.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        articles: Sequence[Article],
        photos: Sequence[ArticlePhoto],
        splits: tuple[Split, ...] = ("val", "test"),
    ) -> None:
        self.name = name
        self.root = root
        self.splits: tuple[str, ...] = splits
        self._articles = {article.product.id: article for article in articles}
        self._photos = tuple(photos)

    def products(self) -> Sequence[Product]:
        """Give the retrieval set: the articles that are not trained on."""
        return tuple(
            article.product for article in self._articles.values() if article.split != "train"
        )

    def queries(self, split: str) -> Sequence[Query]:
        """Give the photos that show articles of one split only.

        Raises:
            ValueError: If `split` is not one of `splits`.
        """
        _check_split(split, self.splits)
        return tuple(
            _query(self.root, photo, self._articles)
            for photo in self._photos
            if {self._articles[shown].split for shown in photo.articles} == {split}
        )

    def is_seen(self, product_id: str) -> bool:
        """Whether an article is trained on.

        Raises:
            ValueError: If there is no such article.
        """
        _check_article(product_id, self._articles, self.name)
        return self._articles[product_id].split == "train"

    def training_items(self) -> Sequence[TrainingItem]:
        """Give the training articles: photos as the street side, title pictures as the shop side.

        A photo of several training articles is given to each of them.
        """
        shown: dict[str, list[Path]] = {}
        for photo in self._photos:
            for article in photo.articles:
                shown.setdefault(article, []).append(self.root / photo.picture)
        return tuple(
            TrainingItem(
                product_id,
                street=tuple(shown.get(product_id, ())),
                shop=tuple(self.root / image for image in article.product.images),
                attributes=article.attributes,
            )
            for product_id, article in self._articles.items()
            if article.split == "train"
        )


class WholeAssortment:
    """Every article and every photo of a shop, for systems that never trained on any: `Dataset`.

    Section 5.2 measures so on In-Shop and LookBook. There is nothing to train on, on purpose.

    Args:
        name: The data set's.
        root: The folder that pictures are relative to.
        articles: Each ID once, of any split.
        photos: Each picture once, of those articles.
    """

    splits: tuple[str, ...] = ("test",)

    def __init__(
        self, name: str, root: Path, articles: Sequence[Article], photos: Sequence[ArticlePhoto]
    ) -> None:
        self.name = name
        self.root = root
        self._articles = {article.product.id: article for article in articles}
        self._photos = tuple(photos)

    def products(self) -> Sequence[Product]:
        """Give every article."""
        return tuple(article.product for article in self._articles.values())

    def queries(self, split: str) -> Sequence[Query]:
        """Give every photo.

        Raises:
            ValueError: If `split` is not "test".
        """
        _check_split(split, self.splits)
        return tuple(_query(self.root, photo, self._articles) for photo in self._photos)

    def is_seen(self, product_id: str) -> bool:
        """No article is trained on.

        Raises:
            ValueError: If there is no such article.
        """
        _check_article(product_id, self._articles, self.name)
        return False


def _check_split(split: str, splits: tuple[str, ...]) -> None:
    if split not in splits:
        raise ValueError(f"split must be one of {', '.join(splits)}, got {split!r}")


def _check_article(product_id: str, articles: Mapping[str, Article], name: str) -> None:
    if product_id not in articles:
        raise ValueError(f"{product_id!r} is no product of the data set {name}")


def _query(root: Path, photo: ArticlePhoto, articles: Mapping[str, Article]) -> Query:
    category = articles[photo.articles[0]].product.category
    return Query(
        root / photo.picture, frozenset(photo.articles), category[-1] if category else "articles"
    )
