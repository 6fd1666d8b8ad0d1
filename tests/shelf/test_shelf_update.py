"""What an update reads, embeds, stores, keeps and removes."""

import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from shelf_parts import DIMENSION, Bench, CountingSource, pixels, png, product

from snapshelf.catalog import Entry, Problem
from snapshelf.errors import FeedError, PictureError, ShelfError
from snapshelf.features.encoder import Domain
from snapshelf.locating import Region
from snapshelf.shelf import UpdateReport, embedder, update
from snapshelf.store import Counts, PictureRecord, ProductRecord

CORRUPT = png(0)[:60]
WHOLE = Region((0.0, 0.0, 16.0, 16.0))
VECTOR = np.full((1, DIMENSION), DIMENSION**-0.5, np.float32)


def counts(report: UpdateReport) -> dict[str, int]:
    """The counts that are not 0."""
    names = UpdateReport.__slots__
    values = {name: getattr(report, name) for name in names if name != "seconds"}
    return {name: value for name, value in values.items() if value}


@pytest.fixture
def stocked(bench: Bench) -> Bench:
    """Three products with one picture each, whose seeds are 1, 2 and 3."""
    for seed, name in enumerate("abc", start=1):
        bench.write(f"{name}.png", seed)
    report = bench.update(map(product, "abc"))
    assert counts(report) == {"read": 3, "changed": 3, "pictures_embedded": 3}
    assert bench.problems == []
    return bench


def test_a_first_update_stores_everything(stocked: Bench) -> None:
    assert stocked.store.count() == Counts(3, 3, 3)
    assert stocked.nearest(2) == [("b", "b.png", 1.0)]
    assert stocked.encoder.domains == {Domain.SHOP}
    run = stocked.store.last_run()
    assert run is not None
    assert (run.feed, run.seen, bool(run.finished)) == ("feed", 3, True)


def test_an_unchanged_feed_costs_nothing(stocked: Bench) -> None:
    version = stocked.store.properties["version"]
    report = stocked.update(map(product, "abc"))
    assert counts(report) == {"read": 3, "unchanged": 3}
    assert report.is_clean
    assert stocked.encoder.embedded == 0
    assert stocked.source.reads == []
    assert stocked.store.properties["version"] == version


def test_a_changed_price_embeds_nothing(stocked: Bench) -> None:
    report = stocked.update([product("a", price="9.99"), product("b"), product("c")])
    assert counts(report) == {"read": 3, "changed": 1, "unchanged": 2, "pictures_reused": 1}
    assert (stocked.encoder.embedded, stocked.source.reads) == (0, [])
    assert str(stocked.store.products(["a"])["a"].price) == "9.99 EUR"
    assert stocked.nearest(1) == [("a", "a.png", 1.0)]


def test_a_changed_picture_embeds_just_that(stocked: Bench) -> None:
    stocked.write("b.png", 7)
    report = stocked.update(map(product, "abc"))
    assert counts(report) == {"read": 3, "changed": 1, "unchanged": 2, "pictures_embedded": 1}
    assert (stocked.encoder.embedded, stocked.source.reads) == (1, ["b.png"])
    assert stocked.nearest(7) == [("b", "b.png", 1.0)]
    assert stocked.nearest(2)[0][2] < 0.9


def test_a_touched_picture_is_read_but_not_embedded(stocked: Bench) -> None:
    stocked.write("b.png", 2)
    report = stocked.update(map(product, "abc"))
    assert counts(report) == {"read": 3, "changed": 1, "unchanged": 2, "pictures_reused": 1}
    assert (stocked.encoder.embedded, stocked.source.reads) == (0, ["b.png"])
    assert counts(stocked.update(map(product, "abc"))) == {"read": 3, "unchanged": 3}
    assert stocked.source.reads == []


def test_images_added_removed_and_reordered(stocked: Bench) -> None:
    stocked.write("a2.png", 11)
    report = stocked.update([product("a", "a.png", "a2.png"), product("b"), product("c")])
    assert counts(report)["pictures_embedded"] == 1
    assert stocked.source.reads == ["a2.png"]
    assert stocked.pictures("a") == ["a.png", "a2.png"]

    report = stocked.update([product("a", "a2.png", "a.png"), product("b"), product("c")])
    assert (counts(report)["changed"], stocked.encoder.embedded, stocked.source.reads) == (1, 0, [])
    assert stocked.pictures("a") == ["a2.png", "a.png"]

    report = stocked.update([product("a", "a2.png"), product("b"), product("c")])
    assert (counts(report)["changed"], stocked.encoder.embedded, stocked.source.reads) == (1, 0, [])
    assert stocked.pictures("a") == ["a2.png"]
    assert stocked.nearest(1)[0][2] < 0.9
    assert stocked.nearest(11) == [("a", "a2.png", 1.0)]


def test_a_picture_moved_to_another_file_is_not_embedded_again(stocked: Bench) -> None:
    stocked.write("renamed.png", 1)
    report = stocked.update([product("a", "renamed.png"), product("b"), product("c")])
    assert (counts(report)["changed"], stocked.encoder.embedded) == (1, 0)
    assert stocked.nearest(1) == [("a", "renamed.png", 1.0)]


def test_a_picture_given_twice_is_one(bench: Bench) -> None:
    bench.write("a.png", 1)
    report = bench.update([product("a", "a.png", "a.png")])
    assert counts(report) == {"read": 1, "changed": 1, "pictures_embedded": 1}
    assert counts(bench.update([product("a", "a.png", "a.png")])) == {"read": 1, "unchanged": 1}


def test_a_vanished_product_is_removed(stocked: Bench) -> None:
    report = stocked.update([product("a"), product("c")])
    assert counts(report) == {"read": 2, "unchanged": 2, "removed": 1}
    assert stocked.store.count() == Counts(2, 2, 2)
    assert stocked.nearest(2)[0][0] != "b"


def test_entries_that_are_not_the_whole_catalogue_remove_nothing(stocked: Bench) -> None:
    report = stocked.update([product("a"), product("c", price="1.00")], whole=False)
    assert counts(report) == {"read": 2, "unchanged": 1, "changed": 1, "pictures_reused": 1}
    assert report.not_removed == ""
    assert stocked.store.count() == Counts(3, 3, 3)


def test_a_bad_row_keeps_its_product_as_it_was(stocked: Bench) -> None:
    problem = Problem(2, "price", "is no number", "b")
    report = stocked.update([product("a"), problem, product("c")])
    assert counts(report) == {"read": 2, "unchanged": 2, "skipped": 1}
    assert not report.is_clean
    assert stocked.problems == [problem]
    assert stocked.nearest(2) == [("b", "b.png", 1.0)]


def test_a_problem_of_one_picture_skips_no_product(stocked: Bench) -> None:
    problem = Problem(1, "image", "is no URL", "a", fatal=False)
    report = stocked.update([product("a"), problem, product("b"), product("c")])
    assert counts(report) == {"read": 3, "unchanged": 3, "parts_skipped": 1}


# --- broken pictures ----------------------------------------------------------------------


@pytest.mark.parametrize("broken", [CORRUPT, b"", b"no picture at all", None])
def test_a_broken_picture_keeps_the_old_embedding(stocked: Bench, broken: bytes | None) -> None:
    if broken is None:
        (stocked.root / "b.png").unlink()
    else:
        stocked.write("b.png", broken)
    for turn in range(3):
        version = stocked.store.properties["version"]
        report = stocked.update(map(product, "abc"))
        assert report.parts_skipped == 1
        assert [(p.field, p.product_id, p.fatal) for p in stocked.problems] == [
            ("image", "b", False)
        ]
        assert stocked.nearest(2) == [("b", "b.png", 1.0)], "the old embedding is kept"
        if turn:
            assert counts(report) == {"read": 3, "unchanged": 3, "parts_skipped": 1}
            assert stocked.store.properties["version"] == version, "nothing is stored again"
    # When it is mended, that is noticed, also with the very bytes and time of before.
    stocked.write("b.png", 8)
    assert stocked.update(map(product, "abc")).pictures_embedded == 1
    assert stocked.nearest(8) == [("b", "b.png", 1.0)]


def test_a_new_product_with_one_broken_picture_is_stored_without_it(bench: Bench) -> None:
    bench.write("a.png", 1)
    bench.write("bad.png", CORRUPT)
    report = bench.update([product("a", "bad.png", "a.png", "missing.png")])
    assert counts(report) == {
        "read": 1,
        "changed": 1,
        "pictures_embedded": 1,
        "parts_skipped": 2,
    }
    assert bench.pictures("a") == ["a.png"]
    assert len(bench.problems) == 2
    report = bench.update([product("a", "bad.png", "a.png", "missing.png")])
    assert counts(report) == {
        "read": 1,
        "unchanged": 1,
        "pictures_reused": 1,
        "parts_skipped": 2,
    }
    bench.write("missing.png", 5)
    report = bench.update([product("a", "bad.png", "a.png", "missing.png")])
    assert report.pictures_embedded == 1
    assert bench.pictures("a") == ["a.png", "missing.png"]


def test_a_product_without_a_usable_picture_is_skipped_and_told(bench: Bench) -> None:
    bench.write("a.png", CORRUPT)
    report = bench.update([product("a"), product("b")])
    assert counts(report) == {"read": 2, "skipped": 2, "parts_skipped": 2}
    assert [p.reason for p in bench.problems if p.fatal] == [
        "none of the product's pictures can be used"
    ] * 2
    assert bench.store.count().products == 0


def test_a_known_product_all_of_whose_new_pictures_are_broken_stays(stocked: Bench) -> None:
    stocked.write("new.png", CORRUPT)
    report = stocked.update([product("a"), product("b", "new.png"), product("c")])
    assert counts(report) == {"read": 3, "unchanged": 2, "skipped": 1, "parts_skipped": 1}
    assert stocked.nearest(2) == [("b", "b.png", 1.0)]


def test_a_product_without_images_is_told_and_stays(stocked: Bench) -> None:
    bare = replace(product("b"), images=())
    report = stocked.update([product("a"), bare, product("c")])
    assert counts(report) == {"read": 3, "unchanged": 2, "skipped": 1}
    assert [(p.product_id, p.fatal) for p in stocked.problems] == [("b", True)]
    assert stocked.nearest(2) == [("b", "b.png", 1.0)]


class Web:
    """Stands in for the web: URLs to bytes; others are dead links."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}

    def fetch(self, url: str) -> bytes:
        if url not in self.pages:
            raise PictureError(f"{url}: answers 404; check the link")
        return self.pages[url]


def test_dead_links_are_tried_again_without_storing_anew(bench: Bench) -> None:
    web = Web()
    bench.source = CountingSource(bench.root, web)
    one, two = "https://shop.example/1.png", "https://shop.example/2.png"
    web.pages = {one: png(1), two: png(2)}
    feed = [product("a", one, two)]
    assert bench.update(feed).pictures_embedded == 2
    assert counts(bench.update(feed)) == {"read": 1, "unchanged": 1}
    assert bench.source.reads == [], "a URL is not fetched again without cause"

    assert counts(bench.update(feed, recheck=True)) == {
        "read": 1,
        "unchanged": 1,
        "pictures_reused": 2,
    }
    del web.pages[two]
    bench.update(feed, recheck=True)
    for _ in range(2):
        version = bench.store.properties["version"]
        report = bench.update(feed)
        assert bench.source.reads == [two], "only the dead one is tried again"
        assert counts(report)["unchanged"] == 1
        assert "404" in bench.problems[0].reason
        assert bench.store.properties["version"] == version
        assert bench.nearest(2) == [("a", two, 1.0)]
    web.pages[two] = png(9)
    assert bench.update(feed).pictures_embedded == 1
    assert bench.nearest(9) == [("a", two, 1.0)]
    bench.update(feed)
    assert bench.source.reads == []


# --- the same content ---------------------------------------------------------------------


def test_the_same_content_is_embedded_once(bench: Bench) -> None:
    for name in ("a", "a2", "b", "c"):
        bench.write(f"{name}.png", 1)
    feed = [product("a", "a.png", "a2.png"), product("b"), product("c")]
    report = bench.update(feed, batch_size=2)
    assert counts(report) == {
        "read": 3,
        "changed": 3,
        "pictures_embedded": 1,
        "pictures_reused": 3,
    }
    assert bench.encoder.embedded == 1
    assert {hit[0] for hit in bench.nearest(1, 5)} == {"a", "b", "c"}
    bench.write("d.png", 1)
    assert bench.update([*feed, product("d")]).pictures_embedded == 0


def test_the_same_content_across_commits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "COMMIT_PICTURES", 1)
    names = [f"p{n}" for n in range(200)]
    for n, name in enumerate(names):
        bench.write(f"{name}.png", n % 7)
    report = bench.update(map(product, names), batch_size=3)
    assert (report.changed, report.pictures_embedded, report.pictures_reused) == (200, 7, 193)
    assert bench.encoder.embedded == 7
    for seed in range(7):
        same = {name for name, _, similarity in bench.nearest(seed, 40) if similarity == 1.0}
        assert same == set(names[seed::7])


def test_the_same_corrupt_content_fails_everywhere(bench: Bench) -> None:
    for name in ("a", "b", "c", "d"):
        bench.write(f"{name}.png", CORRUPT)
    bench.write("good.png", 4)
    feed = [product("a"), product("b", "b.png", "good.png"), product("c"), product("d")]
    report = bench.update(feed, batch_size=1)
    assert counts(report) == {
        "read": 4,
        "changed": 1,
        "skipped": 3,
        "parts_skipped": 4,
        "pictures_embedded": 1,
    }
    assert bench.pictures("b") == ["good.png"]


def test_content_taken_over_from_a_picture_that_changes_in_the_same_run(stocked: Bench) -> None:
    stocked.write("a.png", 21)
    stocked.write("d.png", 1)
    report = stocked.update([*map(product, "abc"), product("d")])
    assert (report.pictures_embedded, report.pictures_reused) == (1, 1)
    assert stocked.nearest(1) == [("d", "d.png", 1.0)]
    assert stocked.nearest(21) == [("a", "a.png", 1.0)]


def test_products_that_swap_pictures(stocked: Bench) -> None:
    stocked.write("a.png", 2)
    stocked.write("b.png", 1)
    report = stocked.update(map(product, "abc"))
    assert (report.pictures_embedded, report.pictures_reused) == (0, 2)
    assert stocked.nearest(1) == [("b", "b.png", 1.0)]
    assert stocked.nearest(2) == [("a", "a.png", 1.0)]


# --- feeds that break off -----------------------------------------------------------------


def test_a_feed_that_breaks_off_removes_nothing(stocked: Bench) -> None:
    stocked.write("d.png", 4)

    def broken() -> Iterator[Entry]:
        yield Entry(product("a", price="1"), 1)
        yield Entry(product("d"), 2)
        raise FeedError("feed.csv cannot be read: it breaks off in line 3")

    report = stocked.update(broken())
    assert report.stopped == "feed.csv cannot be read: it breaks off in line 3"
    assert not report.is_clean
    assert (report.changed, report.removed) == (2, 0)
    assert stocked.store.count().products == 4
    assert str(stocked.store.products(["a"])["a"].price) == "1 EUR"


def test_a_feed_with_nothing_usable_removes_nothing(stocked: Bench) -> None:
    for feed in ([], [Problem(1, "id", "is empty")], [Problem(1, "id", "is empty")] * 5):
        report = stocked.update(feed)
        assert report.not_removed == "the feed has no usable product"
        assert (report.skipped, report.removed) == (len(feed), 0)
    assert stocked.store.count().products == 3


def test_a_feed_whose_rows_lost_their_ids_removes_nothing(stocked: Bench) -> None:
    report = stocked.update([product("a"), Problem(2, "id", "is not valid UTF-8"), product("c")])
    assert report.not_removed == "1 of the feed's 3 rows do not tell their product's ID"
    assert (report.removed, stocked.store.count().products) == (0, 3)


def test_a_stray_row_without_an_id_does_not_keep_what_is_gone(stocked: Bench) -> None:
    for number in range(40):
        stocked.write(f"n{number}.png", 20 + number)
    many = [product(f"n{number}") for number in range(40)]
    report = stocked.update([product("a"), Problem(2, "id", "is empty"), product("c"), *many])
    assert (report.not_removed, report.removed) == ("", 1)


def test_an_error_of_the_feed_that_is_no_feed_error_comes_through(stocked: Bench) -> None:
    def broken() -> Iterator[Entry]:
        yield Entry(product("a"), 1)
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        stocked.update(broken())
    assert stocked.store.count().products == 3
    assert counts(stocked.update(map(product, "abc"))) == {"read": 3, "unchanged": 3}


def test_an_error_of_the_encoder_keeps_what_was_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "COMMIT_PICTURES", 4)
    names = [f"p{n:02}" for n in range(40)]
    for seed, name in enumerate(names):
        bench.write(f"{name}.png", seed)
    inside = bench.encoder.encode

    def failing(inputs, domain):
        if bench.encoder.embedded >= 20:
            raise ShelfError("a defect")
        return inside(inputs, domain)

    monkeypatch.setattr(bench.encoder, "encode", failing)
    with pytest.raises(ShelfError, match="a defect"):
        bench.update(map(product, names), batch_size=2)
    kept = bench.store.count().products
    assert 16 <= kept <= 20
    monkeypatch.setattr(bench.encoder, "encode", inside)
    report = bench.update(map(product, names), batch_size=2)
    assert (report.unchanged, report.pictures_embedded) == (kept, 40 - kept)


# --- rechecking, regions, progress, memory ------------------------------------------------


def test_recheck_reads_all_and_embeds_what_changed(stocked: Bench) -> None:
    # Other bytes, but of the size and time of before: only reading tells.
    path = stocked.root / "b.png"
    before = path.stat()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert counts(stocked.update(map(product, "abc"))) == {"read": 3, "unchanged": 3}
    report = stocked.update(map(product, "abc"), recheck=True)
    assert sorted(stocked.source.reads) == ["a.png", "b.png", "c.png"]
    assert report.pictures_embedded + report.parts_skipped == 1
    assert report.pictures_reused == 2


def test_every_region_is_embedded_and_taken_over(tmp_path) -> None:
    bench = Bench(tmp_path, halves=True)
    for name in "ab":
        bench.write(f"{name}.png", 1)
    report = bench.update(map(product, "ab"), batch_size=3)
    assert (report.pictures_embedded, bench.encoder.embedded) == (1, 2)
    assert bench.store.count() == Counts(2, 2, 4)
    inputs = bench.encoder.prepare(pixels(1)[:, :8], Domain.STREET)[None]
    boxes = {
        hit.box for hit in bench.store.search(bench.encoder.encode(inputs, Domain.STREET), 5)[0]
    }
    assert boxes == {(0.0, 0.0, 8.0, 16.0)}
    bench.store.close()


def test_progress_is_told_at_each_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "COMMIT_PICTURES", 5)
    names = [f"p{n}" for n in range(23)]
    for seed, name in enumerate(names):
        bench.write(f"{name}.png", seed)
    told: list[tuple[int, int]] = []
    report = bench.update(
        map(product, names),
        on_progress=lambda r: told.append((r.changed, bench.store.count().products)),
    )
    assert [changed for changed, _ in told] == [5, 10, 15, 20, 23]
    assert all(changed == stored for changed, stored in told), "told before it was committed"
    assert report.changed == 23


@pytest.mark.slow
def test_thousands_of_unchanged_products_need_little_memory(bench: Bench) -> None:
    bench.write("x.png", 1)

    def feed(count: int) -> Iterator[Entry]:
        for n in range(count):
            yield Entry(product(f"p{n:05}", "x.png"), n + 1)

    shown = PictureRecord("x.png", bench.source.signature("x.png"), "one", (WHOLE,), VECTOR)
    for start in range(0, 20_000, 2_000):
        products = [entry.product for entry in feed(start + 2_000)][start:]
        bench.store.upsert([ProductRecord(one, (shown,)) for one in products], run=1)
    bench.store.end_run(run=bench.store.begin_run("the index is built here"))
    held: list[int] = []
    tracemalloc.start()
    try:
        report = bench.update(
            feed(20_000), on_progress=lambda _: held.append(tracemalloc.get_traced_memory()[0])
        )
    finally:
        tracemalloc.stop()
    assert (report.unchanged, bench.source.reads) == (20_000, [])
    assert len(held) >= 20
    assert max(held) < 1_000_000, held


def test_a_long_feed_is_read_only_a_little_ahead(bench: Bench) -> None:
    for n in range(400):
        bench.write(f"{n}.png", n)
    drawn = 0

    def feed() -> Iterator[Entry]:
        nonlocal drawn
        for n in range(400):
            drawn += 1
            yield Entry(product(f"p{n}", f"{n}.png"), n + 1)

    ahead = []
    inside = bench.encoder.encode

    def encode(inputs, domain):
        ahead.append(drawn - bench.encoder.embedded)
        return inside(inputs, domain)

    bench.encoder.encode = encode
    bench.update(feed(), batch_size=4)
    assert max(ahead) < update.LOOK_UP + 2 * embedder.READERS + 100
