"""The page of ``snapshelf search --html``: each query beside the products found for it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snapshelf.locating.region import Box
from snapshelf.pages.render import data_uri, render
from snapshelf.shelf.result import FoundItem, Match, SearchResult

__all__ = ["search_page"]

WEB_ADDRESS = re.compile(r"https?://[^\s/\\]\S*", re.IGNORECASE | re.ASCII)
"""What is made a link; anything else stays out of the page, ``javascript:`` above all."""

LONGEST_EVIDENCE = 200


@dataclass(frozen=True, slots=True)
class _Card:
    """A match as the page shows it: its picture, its link and the bar's length in percent."""

    match: Match
    picture: str
    link: str
    bar: float
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where an item's frame is drawn on the query, in percent of its sides."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _ShownItem:
    """An item, its frame (None for the whole picture) and its matches."""

    found: FoundItem
    frame: _Frame | None
    cards: tuple[_Card, ...]


@dataclass(frozen=True, slots=True)
class _ShownQuery:
    """A query, its picture and its items."""

    result: SearchResult
    picture: str
    items: tuple[_ShownItem, ...]


def search_page(
    results: Sequence[SearchResult],
    pictures: Callable[[str], bytes | None],
    queries: Sequence[bytes | None],
    *,
    shelf: str,
    system: str,
) -> str:
    """Show the results of one or more queries as a page that needs no other file.

    Args:
        results: What was found for each query.
        pictures: Gives a small JPEG of a product's image by the name that `Match.image` has,
            or None where there is none; its placeholder then tells the title.
        queries: A small JPEG of each query, as many as `results`; None where there is none.
        shelf: Where the shelf is.
        system: The system's name.

    Returns:
        An HTML page without script. Products are linked only where their URL is http(s).

    Raises:
        ValueError: If `queries` and `results` differ in number.
    """
    if len(results) != len(queries):
        raise ValueError(
            f"queries must hold one picture or None for each of the {len(results)} results, "
            f"got {len(queries)}"
        )
    shown = [
        _ShownQuery(
            result,
            data_uri(query) if query else "",
            tuple(_item(found, result.size, pictures) for found in result.items),
        )
        for result, query in zip(results, queries, strict=True)
    ]
    return render("search.html.jinja", {"queries": shown, "shelf": shelf, "system": system})


def _item(
    found: FoundItem, size: tuple[int, int], pictures: Callable[[str], bytes | None]
) -> _ShownItem:
    cards = tuple(_card(match, pictures(match.image)) for match in found.matches)
    return _ShownItem(found, _frame(found.item.box, size), cards)


def _card(match: Match, picture: bytes | None) -> _Card:
    url = match.product.url
    return _Card(
        match=match,
        picture=data_uri(picture) if picture else "",
        link=url if WEB_ADDRESS.fullmatch(url) else "",
        bar=100 * min(max(match.similarity, 0.0), 1.0),
        evidence=tuple((str(name), _text(value)) for name, value in match.evidence.items()),
    )


def _frame(box: Box, size: tuple[int, int]) -> _Frame | None:
    """Place a box in percent; None where it is the whole picture, give or take a pixel."""
    width, height = size
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right, bottom = min(box[2], width), min(box[3], height)
    if max(left, top, width - right, height - bottom) <= 1 or right <= left or bottom <= top:
        return None
    return _Frame(
        left=100 * left / width,
        top=100 * top / height,
        width=100 * (right - left) / width,
        height=100 * (bottom - top) / height,
    )


def _text(value: object) -> str:
    """Put a piece of evidence into a few words."""
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_EVIDENCE else f"{text[: LONGEST_EVIDENCE - 1]}…"
