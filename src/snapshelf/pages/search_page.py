"""The page of ``snapshelf search --html``: each query beside the products found for it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from snapshelf.locating.region import Box
from snapshelf.pages.clip_timeline import Timeline, TimelineRow, timeline
from snapshelf.pages.matched_points import TOLD, Drawing, draw_points, tell_points
from snapshelf.pages.render import data_uri, render
from snapshelf.shelf.result import FoundItem, Match, SearchResult
from snapshelf.shelf.thumbnails import Thumbnail

__all__ = ["search_page"]

WEB_ADDRESS = re.compile(r"https?://[^\s/\\]\S*", re.IGNORECASE | re.ASCII)
"""What is made a link; anything else stays out of the page, ``javascript:`` above all."""

LONGEST_EVIDENCE = 200


@dataclass(frozen=True, slots=True)
class _Card:
    """A match as the page shows it.

    Attributes:
        match: The match.
        picture: Of the product.
        link: To the product, "" for none.
        bar: Its length in percent.
        told: What its matched points tell, "" where they tell nothing.
        drawing: Of its matched points, None where they cannot be drawn.
        evidence: What else speaks for it.
    """

    match: Match
    picture: str
    link: str
    bar: float
    told: str
    drawing: Drawing | None
    evidence: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where an item's frame is drawn on the query, in percent of its sides."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Group:
    """A category's matches, and an ID that nothing else on the page has."""

    id: str
    category: tuple[str, ...]
    cards: tuple[_Card, ...]


@dataclass(frozen=True, slots=True)
class _ShownItem:
    """An item, its frame (None for the whole picture), its matches, and those by category.

    Attributes:
        id: That nothing else on the page has.
        found: What was found.
        frame: On the query's picture; None for the whole picture, and for an item of a clip.
        cards: Its matches.
        groups: The same by category.
        row: Its row of a clip's timeline, None for an item of a photo.
    """

    id: str
    found: FoundItem
    frame: _Frame | None
    cards: tuple[_Card, ...]
    groups: tuple[_Group, ...]
    row: TimelineRow | None = None

    @property
    def is_drawn_on(self) -> bool:
        """Whether the matched points of any match are drawn."""
        return any(card.drawing for card in self.cards)


@dataclass(frozen=True, slots=True)
class _ShownQuery:
    """A query, its picture, its items, and the timeline of a clip."""

    result: SearchResult
    picture: str
    items: tuple[_ShownItem, ...]
    timeline: Timeline | None = None

    @property
    def is_drawn_on(self) -> bool:
        """Whether the matched points of any match are drawn on the query's own picture."""
        return self.timeline is None and any(item.is_drawn_on for item in self.items)


def search_page(
    results: Sequence[SearchResult],
    pictures: Callable[[str], Thumbnail | None],
    queries: Sequence[bytes | None],
    *,
    shelf: str,
    system: str,
) -> str:
    """Show the results of one or more queries as a page that needs no other file.

    Args:
        results: What was found for each query.
        pictures: Gives a thumbnail of a product's image by the name that `Match.image` has,
            or None where there is none; its placeholder then tells the title. Matched points are
            drawn on those whose size is known.
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
        _query(f"query-{place}", result, query, pictures)
        for place, (result, query) in enumerate(zip(results, queries, strict=True), start=1)
    ]
    return render("search.html.jinja", {"queries": shown, "shelf": shelf, "system": system})


def _query(
    identity: str,
    result: SearchResult,
    query: bytes | None,
    pictures: Callable[[str], Thumbnail | None],
) -> _ShownQuery:
    items = tuple(
        _item(f"{identity}-item-{number}", found, result, query, pictures)
        for number, found in enumerate(result.items, start=1)
    )
    picture = data_uri(query) if query else ""
    if result.clip is None:
        return _ShownQuery(result, picture, items)
    line = timeline(result.clip, result.items)
    rows = zip(items, line.rows, strict=True)
    return _ShownQuery(result, picture, tuple(replace(i, row=r) for i, r in rows), line)


def _item(
    identity: str,
    found: FoundItem,
    result: SearchResult,
    query: bytes | None,
    pictures: Callable[[str], Thumbnail | None],
) -> _ShownItem:
    item, size = found.item.box, result.size
    if result.clip is not None:
        # Of a clip, what was compared with products is the item cut out of its best frame.
        best = found.item.best
        query, size = (best.jpeg, best.size) if best else (None, (0, 0))
        item = (0.0, 0.0, float(size[0]), float(size[1]))
    cards = []
    for match in found.matches:
        picture = pictures(match.image)
        drawing = None
        if query and picture and size[0] > 0 and size[1] > 0:
            drawing = draw_points(
                match.evidence, item=item, query=size, image=match.box, product=picture.size
            )
        cards.append(_card(match, picture, drawing))
    groups = (
        _Group(
            f"{identity}-category-{number}",
            group.category,
            tuple(_brief_card(match, pictures(match.image)) for match in group.matches),
        )
        for number, group in enumerate(found.by_category or (), start=1)
    )
    frame = None if result.clip is not None else _frame(item, size)
    return _ShownItem(identity, found, frame, tuple(cards), tuple(groups))


def _brief_card(match: Match, picture: Thumbnail | None) -> _Card:
    """Make the card of a match that has most likely been shown in full before."""
    return replace(_card(match, picture, None), told="", evidence=())


def _card(match: Match, picture: Thumbnail | None, drawing: Drawing | None) -> _Card:
    url = match.product.url
    told = tell_points(match.evidence)
    shown = TOLD if told is not None else ("points",) if drawing else ()
    return _Card(
        match=match,
        picture=data_uri(picture.jpeg) if picture else "",
        link=url if WEB_ADDRESS.fullmatch(url) else "",
        bar=100 * min(max(match.similarity, 0.0), 1.0),
        told=told or "",
        drawing=drawing,
        evidence=tuple(
            (str(name), _text(value)) for name, value in match.evidence.items() if name not in shown
        ),
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
