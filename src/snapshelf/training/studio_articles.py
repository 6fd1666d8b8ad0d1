"""The articles of a training set as rows, and the photos that show them."""

from dataclasses import dataclass

from snapshelf.datasets.training_item import PicturePart
from snapshelf.training.photo_queries import PhotoQuery, photo_queries
from snapshelf.training.training_set import TrainingSet

__all__ = ["StudioArticles"]


@dataclass(frozen=True, slots=True)
class StudioArticles:
    """Items with a shop picture as rows, and the photos by the rows of what they show.

    Attributes:
        items: The numbers of the items that are articles, rising; an article's row is its place.
        title_pictures: For each article its first shop picture, which stands for it.
        photos: For each photo its picture.
        queries: For each photo its number in the training set and its items.
        right: For each photo the rows of the articles that it shows.
    """

    items: tuple[int, ...]
    title_pictures: tuple[PicturePart, ...]
    photos: tuple[PicturePart, ...]
    queries: tuple[PhotoQuery, ...]
    right: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, training_set: TrainingSet, *, drawn: bool = False) -> "StudioArticles":
        """Number the articles of a training set.

        Args:
            training_set: The items.
            drawn: As of `photo_queries`.

        Raises:
            TrainingError: If no item has pictures of both sides, or only one is an article.
        """
        queries = photo_queries(training_set, drawn=drawn)
        items = tuple(item for item, own in enumerate(training_set.pictures) if own.shop)
        rows = {item: row for row, item in enumerate(items)}

        def part(picture: int) -> PicturePart:
            wanted = training_set.wanted[picture]
            return wanted.path, wanted.box

        return cls(
            items,
            tuple(part(training_set.pictures[item].shop[0]) for item in items),
            tuple(part(query.picture) for query in queries),
            queries,
            tuple(tuple(rows[item] for item in query.articles) for query in queries),
        )
