"""The timeline of a clip on the page of search results."""

import pytest

from snapshelf.catalog.product import Product
from snapshelf.pages import data_uri, search_page
from snapshelf.pages.clip_timeline import timeline
from snapshelf.shelf.result import BestFrame, ClipFacts, FoundItem, Item, Match, SearchResult
from snapshelf.shelf.thumbnails import Thumbnail

JPEG = b"\xff\xd8\xff\xe0 a picture"
BEST = b"\xff\xd8\xff\xe0 the best frame"
HOSTILE = '<script>alert("x")</script>'


def found(*spans, best=0.5, title="Red Trainer", sold=True, label="", evidence=None):
    product = Product(id="p", title=title, images=("1.jpg",))
    match = Match(1, product, "1.jpg", 0.8, 0.9, evidence or {})
    frame = BestFrame(best, (10, 10, 60, 40), BEST, (50, 30))
    return FoundItem(Item((10, 10, 60, 40), label, (0, 9), spans, frame), (match,), sold)


def clip(*items, seconds=10.0, warnings=(), poster=JPEG, query="clip.mp4"):
    facts = ClipFacts(seconds, 100, warnings, poster)
    return SearchResult(query, (200, 100), items, {}, facts)


def page(*results):
    pictures = [result.clip.poster if result.clip else JPEG for result in results]
    return search_page(
        results, lambda image: Thumbnail(JPEG, (64, 48)), pictures, shelf="s", system="standard"
    )


def test_bars_are_where_items_are_seen():
    line = timeline(ClipFacts(10.0, 100), [found((0, 1), (5, 10), best=7.5)])
    (row,) = line.rows
    assert [(bar.left, bar.width) for bar in row.bars] == [(0, 10), (50, 50)]
    assert (row.best, row.seen) == (75, "0:00.0 to 0:01.0, 0:05.0 to 0:10.0")
    assert line.length == "0:10.0"
    assert [(tick.left, tick.text) for tick in line.ticks] == [
        (20 * number, f"0:0{2 * number}" if number < 5 else "0:10") for number in range(6)
    ]


def test_a_glimpse_is_seen_and_stays_on_the_line():
    line = timeline(ClipFacts(3600.0, 9), [found((3600, 3600), best=3600.0), found((0, 0))])
    for row in line.rows:
        (bar,) = row.bars
        assert bar.width > 0.5
        assert bar.left >= 0
        assert bar.left + bar.width <= 100
    assert 3 <= len(line.ticks) <= 9


@pytest.mark.parametrize("seconds", [0.0, 0.04, 1, 7.3, 61, 3600, 3e6])
def test_any_length_has_a_few_ticks(seconds):
    line = timeline(ClipFacts(seconds, 1), [found((0, seconds))])
    assert 1 <= len(line.ticks) <= 9
    assert all(0 <= tick.left <= 100 for tick in line.ticks)


def test_each_row_leads_to_its_item(read_page):
    read = read_page(
        page(clip(found((0, 2)), found((3, 4), title="Mug"), found((5, 6), sold=False)))
    )
    (line,) = read.all("nav", class_="timeline")
    assert line.attributes["aria-label"] == "Timeline of clip.mp4"
    links = [a for a in read.all("a") if line in a.parents]
    assert [a.attributes["href"] for a in links] == [f"#query-1-item-{n}" for n in (1, 2, 3)]
    for link, words in zip(links, ("Red Trainer", "Mug", "Not in this catalogue"), strict=True):
        assert words in link.text
    assert len(read.all("span", class_="bar-of")) == 3
    assert "left:30.000%;width:10.000%" in [s.attributes.get("style") for s in read.all("span")]
    sources = [image.attributes["src"] for image in read.all("img")]
    assert sources.count(data_uri(BEST)) == 6
    text = read.all("main")[0].text
    assert "One clip" in text
    assert "0:10.0, 100 frames looked at" in text
    assert "frames 0 to 9" not in text
    assert not read.all("span", class_="frame")


def test_photos_and_clips_stand_beside_each_other(read_page):
    photo = SearchResult("photo.jpg", (200, 100), (found(),), {})
    read = read_page(page(clip(found((0, 2))), photo))
    assert len(read.all("nav", class_="timeline")) == 1
    assert "2 pictures and clips" in read.all("main")[0].text


def test_warnings_and_a_clip_without_items_are_told(read_page):
    read = read_page(page(clip(warnings=(f"cut short {HOSTILE}",), query=HOSTILE)))
    (warning,) = read.all("p", class_="warning")
    assert warning.text == f"cut short {HOSTILE}"
    assert "No item was found in this clip." in read.all("main")[0].text
    assert not read.all("nav", class_="timeline")


def test_hostile_titles_stay_text(read_page):
    read = read_page(page(clip(found((0, 1), title=HOSTILE, label=HOSTILE))))
    assert not read.all("script")
    assert HOSTILE in read.all("nav", class_="timeline")[0].text


def test_matched_points_are_drawn_on_the_best_frame(read_page):
    points = {"matches": 2, "inliers": 1, "points": [[49, 29, 60, 40]]}
    beyond = {"matches": 2, "inliers": 1, "points": [[51, 29, 60, 40]]}
    read = read_page(page(clip(found((0, 1), evidence=points), found((2, 3), evidence=beyond))))
    (kept,) = [image for image in read.all("image") if "id" in image.attributes]
    assert kept.attributes["id"] == "query-1-item-1-picture"
    assert kept.attributes["href"] == data_uri(BEST)
    assert (kept.attributes["width"], kept.attributes["height"]) == ("50", "30")
    assert [use.attributes["href"] for use in read.all("use")] == ["#query-1-item-1-picture"]
