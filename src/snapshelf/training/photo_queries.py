"""The photos that a query network learns from, each with all articles that it shows."""

from dataclasses import dataclass

from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet

__all__ = ["PhotoQuery", "photo_queries", "sources_without_photos"]


@dataclass(frozen=True, slots=True)
class PhotoQuery:
    """A photo, or the part of it that is looked at.

    Attributes:
        picture: Its number in the training set; a shop picture is seen in drawn street views.
        articles: Numbers of the items that it shows, at least one, in rising order.
    """

    picture: int
    articles: tuple[int, ...]


def photo_queries(training_set: TrainingSet, *, drawn: bool = False) -> tuple[PhotoQuery, ...]:
    """Put items together that have the same street photo.

    A photo that is given to several items, with the same part or none, is one query with several
    right articles. Items without a shop picture are no articles, and no query's right one.

    Args:
        training_set: The items; each is an article.
        drawn: Whether in a data set without photos every shop picture is a query, to be seen in
            drawn street views.

    Returns:
        At least one query, in the order of their first items.

    Raises:
        TrainingError: If no item has pictures of both sides, or only one is an article.
    """
    shown: dict[object, tuple[int, list[int]]] = {}
    articles = 0
    without = sources_without_photos(training_set)
    for item, own in enumerate(training_set.pictures):
        if not own.shop:
            continue
        articles += 1
        source = training_set.sources[item]
        for picture in own.shop if drawn and source in without else own.street:
            part = training_set.wanted[picture]
            key = (source, part.path, part.box)
            shown.setdefault(key, (picture, []))[1].append(item)
    if not shown or articles < 2:
        raise TrainingError(
            "a photo is matched with the articles that it shows and with others: got "
            f"{len(shown)} photos of articles and {articles} articles, items with a shop picture; "
            f"add a data set that has some{'' if drawn else _hint(training_set, without)}"
        )
    return tuple(
        PhotoQuery(picture, tuple(sorted(set(items)))) for picture, items in shown.values()
    )


def sources_without_photos(training_set: TrainingSet) -> tuple[int, ...]:
    """Give the data sets that have shop pictures, and not a single photo.

    One that has photos of what it does not sell, and none of what it does, is none of them: it is
    more likely damaged than published so.

    Args:
        training_set: The items.

    Returns:
        Their numbers, rising.
    """
    owned = list(zip(training_set.sources, training_set.pictures, strict=True))
    with_photos = {source for source, own in owned if own.street}
    return tuple(sorted({source for source, own in owned if own.shop} - with_photos))


def _hint(training_set: TrainingSet, without: tuple[int, ...]) -> str:
    """Say what else can be done where a data set has no photos."""
    if not without:
        return ""
    names = ", ".join(training_set.names[source] for source in without)
    return (
        f", or let street views be drawn of the pictures of {names}, which has no photos: leave "
        "the setting augmentation out, or set it to true"
    )
