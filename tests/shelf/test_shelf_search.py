"""Building, opening and searching a shelf."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shelf_parts import FakeEncoder, embed, fake_system, pixels, png, write_feed

from snapshelf.catalog import Catalog, Problem
from snapshelf.errors import (
    FilterError,
    ModelError,
    PictureError,
    ShelfError,
    ShelfLockedError,
    SystemMismatchError,
)
from snapshelf.features.encoder import Domain
from snapshelf.matching import Calibration
from snapshelf.media.limits import Limits
from snapshelf.shelf import Shelf
from snapshelf.store import Counts, EmbeddedStore


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    return write_feed(tmp_path / "feed", 6, images=(1, 2))


@pytest.fixture
def shelf(feed: Path, tmp_path: Path):
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", fake_system()) as built:
        yield built


def test_build_tells_what_it_did_and_opens(shelf: Shelf, feed: Path, tmp_path: Path) -> None:
    assert shelf.updated is not None
    assert (shelf.updated.read, shelf.updated.changed) == (6, 6)
    assert shelf.count() == Counts(6, 9, 9)
    assert shelf.count("price<3") == Counts(3, 4, 4)
    assert shelf.store.properties["root"] == str(feed.parent)
    again = Shelf.build(Catalog.open(feed), str(tmp_path / "shelf"), fake_system())
    with again:
        assert again.updated is not None
        assert (again.updated.unchanged, again.updated.changed) == (6, 0)


def test_problems_are_told(feed: Path, tmp_path: Path) -> None:
    (feed.parent / "0.png").write_bytes(b"no picture")
    problems: list[Problem] = []
    built = Shelf.build(
        Catalog.open(feed), tmp_path / "shelf", fake_system(), on_problem=problems.append
    )
    with built:
        assert {problem.product_id for problem in problems} == {"SKU-0"}
        assert {problem.line for problem in problems} == {1}
        assert built.count().products == 5


@pytest.mark.parametrize("form", ["path", "bytes", "pixels"])
def test_a_result_holds_everything(shelf: Shelf, tmp_path: Path, form: str) -> None:
    (tmp_path / "street photo.png").write_bytes(png(1))
    query = {"path": tmp_path / "street photo.png", "bytes": png(1), "pixels": pixels(1)}[form]
    result = shelf.search(query, top=4)
    assert result.query == ("street photo.png" if form == "path" else "")
    assert result.size == (16, 16)
    assert set(result.seconds) == {"decode", "encode", "search"}
    assert all(seconds >= 0 for seconds in result.seconds.values())
    (item,) = result.items
    assert (item.item.box, item.item.label, item.item.frames) == ((0, 0, 16, 16), "", None)
    assert item.in_catalogue
    assert [match.rank for match in item.matches] == [1, 2, 3, 4]
    similarities = [match.similarity for match in item.matches]
    assert similarities == sorted(similarities, reverse=True)
    best = item.matches[0]
    assert best.product.title == "Product 1"
    assert (best.product.id, best.image) == ("SKU-1", "1.png")
    assert best.similarity == pytest.approx(1, abs=1e-5)
    curve = shelf.system.calibration
    assert best.confidence == curve.confidence(best.similarity)
    assert [match.confidence for match in item.matches] == curve.confidences(
        (similarity, 0.0) for similarity in similarities
    )
    assert shelf.system.encoder.domains == {Domain.SHOP, Domain.STREET}


def test_a_product_is_found_by_each_of_its_pictures_once(shelf: Shelf) -> None:
    for seed, image in ((1, "1.png"), (2, "2.png")):
        (item,) = shelf.search(pixels(seed), top=20).items
        assert (item.matches[0].product.id, item.matches[0].image) == ("SKU-1", image)
        assert len(item.matches) == 6


def test_each_region_is_an_item(feed: Path, tmp_path: Path) -> None:
    system = fake_system(halves=True)
    with Shelf.build(Catalog.open(feed), tmp_path / "halves", system) as shelf:
        both = np.concatenate([pixels(1)[:, :8], pixels(4)[:, 8:]], axis=1)
        left, right = shelf.search(both, top=1).items
        assert (left.item.label, right.item.label) == ("left", "right")
        assert right.item.box == (8.0, 0.0, 16.0, 16.0)
        assert (left.matches[0].image, right.matches[0].image) == ("1.png", "4.png")


def test_the_users_box_or_point_is_the_one_item(feed: Path, tmp_path: Path) -> None:
    system = fake_system(halves=True)
    with Shelf.build(Catalog.open(feed), tmp_path / "halves", system) as shelf:
        both = np.concatenate([pixels(1)[:, :8], pixels(4)[:, 8:]], axis=1)
        (right,) = shelf.search(both, top=1, point=(8, 3)).items
        assert (right.item.label, right.matches[0].image) == ("right", "4.png")
        (drawn,) = shelf.search(both, top=1, box=(-3, 0, 8, 16)).items
        assert (drawn.item.box, drawn.matches[0].image) == ((0, 0, 8, 16), "1.png")
        with pytest.raises(ValueError, match=r"box must be .* in the picture of 16 x 16 pixels"):
            shelf.search(both, box=(20, 0, 30, 5))
        with pytest.raises(ValueError, match="point must be x, y in the picture"):
            shelf.search(both, point=(16, 0))
        with pytest.raises(ValueError, match="give one of them"):
            shelf.search(both, box=(0, 0, 5, 5), point=(1, 1))


def test_filters_and_top(shelf: Shelf) -> None:
    (item,) = shelf.search(pixels(1), filter="price>=2,id!=SKU-3").items
    assert {match.product.id for match in item.matches} == {"SKU-2", "SKU-4", "SKU-5"}
    (item,) = shelf.search(pixels(1), filter="brand=nobody").items
    assert (item.matches, item.in_catalogue) == ((), False)
    for bad in ("price<cheap", "colour=red", ""):
        with pytest.raises(FilterError):
            shelf.search(pixels(1), filter=bad)
    with pytest.raises(ValueError, match="top must be at least 1, got 0"):
        shelf.search(pixels(1), top=0)


def test_in_catalogue_is_decided_by_the_threshold(feed: Path, tmp_path: Path, shelf: Shelf) -> None:
    # An orthogonal query has similarity 0: confidence 0.5 with this curve.
    for threshold, expected in ((0.99, False), (0.2, True)):
        system = replace(shelf.system, calibration=Calibration(4.0, 0.0, threshold))
        with Shelf.open(tmp_path / "shelf", system) as opened:
            (item,) = opened.search(pixels(99)).items
            assert 0.2 < item.matches[0].confidence < 0.99
            assert item.in_catalogue is expected


def test_another_system_is_refused(feed: Path, shelf: Shelf, tmp_path: Path) -> None:
    other = fake_system(FakeEncoder(fingerprint="other weights"))
    version = shelf.store.properties["version"]
    for system in (other, fake_system(halves=True)):
        with pytest.raises(SystemMismatchError, match=r"indexed with system 'fake' \(fingerprint"):
            Shelf.open(tmp_path / "shelf", system)
        with pytest.raises(SystemMismatchError, match="give the same system and weights"):
            Shelf.build(Catalog.open(feed), tmp_path / "shelf", system)
    assert shelf.store.properties["version"] == version
    # Nothing stays locked.
    Shelf.build(Catalog.open(feed), tmp_path / "shelf", fake_system()).close()


def test_a_shelf_compares_by_its_systems_distance(feed: Path, tmp_path: Path) -> None:
    system = replace(fake_system(), distance="l1")
    with Shelf.build(Catalog.open(feed), tmp_path / "l1", system) as built:
        assert built.store.distance == "l1"
        (item,) = built.search(pixels(99)).items
        query = embed(pixels(99)[None, ::4, ::4])[0]
        for match in item.matches:
            own = embed(pixels(int(match.image.removesuffix(".png")))[None, ::4, ::4])[0]
            expected = 1 - float(np.abs(query - own).sum()) / len(query) ** 0.5
            assert match.similarity == pytest.approx(expected, abs=1e-5)
        similarities = [match.similarity for match in item.matches]
        assert similarities == sorted(similarities, reverse=True)
    for other in ("cosine", "l2"):
        with pytest.raises(SystemMismatchError, match="give the same system and weights"):
            Shelf.open(tmp_path / "l1", replace(system, distance=other))
    again = Shelf.build(Catalog.open(feed), tmp_path / "l1", system)
    with again:
        assert again.updated is not None
        assert again.updated.unchanged == 6


def test_the_distance_is_part_of_the_fingerprint_unless_it_is_the_default() -> None:
    plain = fake_system()
    assert replace(plain, distance="cosine").fingerprint == plain.fingerprint
    assert len({replace(plain, distance=d).fingerprint for d in ("cosine", "l1", "l2")}) == 3
    with pytest.raises(ValueError, match="distance must be one of cosine, l1, l2, got 'l3'"):
        replace(plain, distance="l3")


def test_a_shelf_that_names_no_system(tmp_path: Path) -> None:
    EmbeddedStore.create(tmp_path / "a", dimension=4, properties={})
    with pytest.raises(ShelfError, match="it does not tell its system"):
        Shelf.open(tmp_path / "a")
    with pytest.raises(ShelfError, match="it does not tell its system"):
        Shelf.open(tmp_path / "a", fake_system())
    EmbeddedStore.create(
        tmp_path / "b", dimension=4, properties={"system": "gone", "fingerprint": "f"}
    )
    with pytest.raises(ModelError, match="there is no system 'gone'"):
        Shelf.open(tmp_path / "b")
    with pytest.raises(ShelfError, match="there is no shelf in"):
        Shelf.open(tmp_path / "c", fake_system())


def test_a_locked_shelf_can_be_searched_but_not_built(
    shelf: Shelf, feed: Path, tmp_path: Path
) -> None:
    with closing(EmbeddedStore(tmp_path / "shelf", write=True)):
        assert shelf.search(pixels(1)).items[0].matches
        with pytest.raises(ShelfLockedError):
            Shelf.build(Catalog.open(feed), tmp_path / "shelf", fake_system())


def test_a_product_that_vanishes_during_the_search_is_left_out(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = shelf.store.search

    def search(*arguments):
        hits = inside(*arguments)
        with closing(EmbeddedStore(tmp_path / "shelf", write=True)) as writer:
            writer.delete(["SKU-1", "SKU-3"])
        return hits

    monkeypatch.setattr(shelf.store, "search", search)
    (item,) = shelf.search(pixels(1)).items
    assert sorted(m.product.id for m in item.matches) == ["SKU-0", "SKU-2", "SKU-4", "SKU-5"]
    assert [m.rank for m in item.matches] == [1, 2, 3, 4]


def embed_query(shelf: Shelf, picture: np.ndarray) -> np.ndarray:
    encoder = shelf.system.encoder
    return encoder.encode(encoder.prepare(picture, Domain.STREET)[None], Domain.STREET)


def test_others_move_up_to_where_products_have_vanished(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [match.product.id for match in shelf.search(pixels(1)).items[0].matches]
    hits = shelf.store.search(embed_query(shelf, pixels(1)), 6)
    with closing(EmbeddedStore(tmp_path / "shelf", write=True)) as writer:
        writer.delete(expected[:2])
    # As deep as it was asked before; the first two are gone by now.
    monkeypatch.setattr(shelf.store, "search", lambda *_: hits)
    (item,) = shelf.search(pixels(1), top=3).items
    assert [match.product.id for match in item.matches] == expected[2:5]


def test_an_empty_shelf_answers(tmp_path: Path) -> None:
    system = fake_system()
    properties = {"system": "fake", "fingerprint": system.fingerprint}
    EmbeddedStore.create(tmp_path / "s", dimension=system.encoder.dimension, properties=properties)
    with Shelf.open(tmp_path / "s", system) as shelf:
        (item,) = shelf.search(pixels(1)).items
        assert (item.matches, item.in_catalogue) == ((), False)


BAD_QUERIES = [
    (b"", PictureError, "file"),
    (b"no picture", PictureError, "JPEG"),
    (png(1)[:50], PictureError, "ends early"),
    (Path("no such file.png"), PictureError, "no such file.png"),
    (Path(), PictureError, "folder"),
    ("street.jpg", TypeError, "bytes, an array of pixels or a Video, got str"),
    (None, TypeError, "got NoneType"),
    (np.zeros((4, 4), np.uint8), ValueError, r"not empty, got \(4, 4\) uint8"),
    (np.zeros((4, 4, 4), np.uint8), ValueError, r"got \(4, 4, 4\) uint8"),
    (np.zeros((4, 4, 3)), ValueError, "float64"),
    (np.zeros((0, 4, 3), np.uint8), ValueError, "not empty"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "error", "fragment"), BAD_QUERIES)
def test_bad_queries_are_refused(shelf: Shelf, query, error, fragment: str) -> None:
    with pytest.raises(error, match=fragment):
        shelf.search(query)


def test_limits_hold_for_queries(shelf: Shelf) -> None:
    with pytest.raises(PictureError):
        shelf.search(png(1), limits=Limits(max_pixels=100))
    with pytest.raises(PictureError):
        shelf.search(png(1), limits=Limits(max_bytes=10))
