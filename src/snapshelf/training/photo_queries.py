"""The photos that a query network learns from, each with all articles that it shows."""

from dataclasses import dataclass

from snapshelf.features.encoder import Domain
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet

__all__ = ["PhotoQuery", "photo_queries"]


@dataclass(frozen=True, slots=True)
class PhotoQuery:
    """A photo, or the part of it that is looked at.

    Attributes:
        picture: Its number in the training set.
        articles: Numbers of the items that it shows, at least one, in rising order.
    """

    picture: int
    articles: tuple[int, ...]


def photo_queries(training_set: TrainingSet) -> tuple[PhotoQuery, ...]:
    """Put items together that have the same street photo.

    A photo that is given to several items, with the same part or none, is one query with several
    right articles. Items without a shop picture are no articles, and no query's right one.

    Args:
        training_set: The items; each is an article.

    Returns:
        At least one query, in the order of their first items.

    Raises:
        TrainingError: If no item has pictures of both sides, or only one is an article.
    """
    shown: dict[object, tuple[int, list[int]]] = {}
    articles = 0
    for item, own in enumerate(training_set.pictures):
        if not own.shop:
            continue
        articles += 1
        for picture in own.street:
            part = training_set.wanted[picture]
            key = (training_set.sources[item], part.path, part.box)
            shown.setdefault(key, (picture, []))[1].append(item)
    assert all(training_set.domains[picture] is Domain.STREET for picture, _ in shown.values())
    if not shown or articles < 2:
        raise TrainingError(
            "a photo is matched with the articles that it shows and with others: got "
            f"{len(shown)} photos of articles and {articles} articles, items with a shop picture; "
            "add a data set that has some"
        )
    return tuple(
        PhotoQuery(picture, tuple(sorted(set(items)))) for picture, items in shown.values()
    )
