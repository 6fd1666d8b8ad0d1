"""The page of ``snapshelf duplicates --html``: products that look the same, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snapshelf.pages.render import data_uri, render
from snapshelf.pages.search_page import WEB_ADDRESS
from snapshelf.shelf.duplicates import Duplicate, DuplicateGroup
from snapshelf.shelf.thumbnails import Thumbnail

__all__ = ["MOST_CARDS", "MOST_GROUPS", "duplicates_page"]

MOST_GROUPS = 200
"""Of a page; each of its pictures is in the file."""

MOST_CARDS = 24
"""Of a group; a stand-in picture may make a group of thousands."""


@dataclass(frozen=True, slots=True)
class _Card:
    """A product as the page shows it.

    Attributes:
        one: The product and what it is like.
        picture: Its picture, "" for none.
        link: To the product, "" for none.
        bar: Its length in percent.
    """

    one: Duplicate
    picture: str
    link: str
    bar: float


@dataclass(frozen=True, slots=True)
class _ShownGroup:
    """A group: how many products it has, and those that are shown."""

    similarity: float
    size: int
    cards: tuple[_Card, ...]


def duplicates_page(
    groups: Sequence[DuplicateGroup],
    pictures: Callable[[str], Thumbnail | None],
    *,
    shelf: str,
    least: float,
    compared: int,
) -> str:
    """Show products that look the same as a page that needs no other file.

    Args:
        groups: The most similar first; the page shows `MOST_GROUPS`, of each `MOST_CARDS`.
        pictures: Gives a thumbnail of a product's image, or None where there is none; its
            placeholder then tells the title.
        shelf: Where the shelf is.
        least: Similarity from which products look the same.
        compared: Number of products that were compared.

    Returns:
        An HTML page without script. Products are linked only where their URL is http(s).
    """
    shown = [
        _ShownGroup(
            group.similarity,
            len(group.duplicates),
            tuple(_card(one, pictures) for one in group.duplicates[:MOST_CARDS]),
        )
        for group in groups[:MOST_GROUPS]
    ]
    context = {
        "groups": shown,
        "group_count": len(groups),
        "found": sum(len(group.duplicates) for group in groups),
        "compared": compared,
        "shelf": shelf,
        "least": least,
    }
    return render("duplicates.html.jinja", context)


def _card(one: Duplicate, pictures: Callable[[str], Thumbnail | None]) -> _Card:
    picture = pictures(one.image)
    url = one.product.url
    return _Card(
        one=one,
        picture=data_uri(picture.jpeg) if picture else "",
        link=url if WEB_ADDRESS.fullmatch(url) else "",
        bar=100 * min(max(one.similarity, 0.0), 1.0),
    )
