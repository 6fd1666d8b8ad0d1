"""A demo shop's folder: complete, the same every time, and finished where it was cut off."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from snapshelf.datasets.demo import DemoShop, write_demo_shop
from snapshelf.datasets.demo.copywriting import product_of
from snapshelf.datasets.demo.crew import Crew
from snapshelf.datasets.demo.plan import Plan
from snapshelf.errors import DatasetError

PRODUCTS = 15
SMALL = 8


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DemoShop:
    return write_demo_shop(tmp_path_factory.mktemp("shop") / "demo", products=PRODUCTS, workers=2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "demo"
    write_demo_shop(folder, products=SMALL, workers=1)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def street_lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "street.jsonl").read_text().splitlines()]


def test_feed_has_its_columns_and_every_product_once(shop: DemoShop) -> None:
    with shop.feed.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == [
        "id",
        "title",
        "description",
        "category",
        "brand",
        "price",
        "availability",
        "link",
        "image_link",
        "additional_image_link",
        "color",
        "pattern",
        "material",
    ]
    assert [row["id"] for row in rows] == [f"SKU-{number:04d}" for number in range(PRODUCTS)]
    assert len({row["title"] for row in rows}) == PRODUCTS
    for row in rows:
        assert float(row["price"].removesuffix(" EUR")) > 0
        assert row["availability"] in ("in_stock", "out_of_stock")
        assert row["link"].startswith("https://shop.example/p/")
        assert " > " in row["category"]
        assert row["description"].count(".") >= 2


def test_feed_reads_back_as_the_products_that_were_made(shop: DemoShop) -> None:
    assert list(shop.products()) == [product_of(7, number) for number in range(PRODUCTS)]


def test_every_picture_of_the_feed_is_there_and_no_other(shop: DemoShop) -> None:
    named = {name for product in shop.products() for name in product.images}
    assert named == {f"shop/{file.name}" for file in (shop.root / "shop").iterdir()}
    for name in named:
        picture = cv2.imread(str(shop.root / name))
        assert picture is not None
        assert picture.shape == (400, 400, 3)


def test_every_street_photo_is_listed_and_its_boxes_lie_within(shop: DemoShop) -> None:
    lines = street_lines(shop.root)
    names = [line["picture"] for line in lines]
    assert set(names) == {f"street/{file.name}" for file in (shop.root / "street").iterdir()}
    assert len(set(names)) == len(names)
    for photo in shop.photos():
        picture = cv2.imread(str(photo.picture))
        assert picture is not None
        height, width = picture.shape[:2]
        assert 480 <= max(height, width) <= 640
        for item in photo.items:
            x0, y0, x1, y1 = item.box
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert min(x1 - x0, y1 - y0) >= 16
            assert max(x1 - x0, y1 - y0) >= 60


def test_photos_are_graded_and_some_show_several_items(shop: DemoShop) -> None:
    photos = shop.photos()
    assert {photo.difficulty for photo in photos} == {"easy", "medium", "hard"}
    assert len({photo.scene for photo in photos}) >= 5
    several = [photo for photo in photos if len(photo.items) > 1]
    assert len(several) == PRODUCTS // 10
    assert all(
        len({item.product_id for item in photo.items}) == len(photo.items) for photo in several
    )


def test_some_photos_are_of_products_that_the_feed_lacks(shop: DemoShop) -> None:
    sold = {product.id for product in shop.products()}
    strangers = [photo for photo in shop.photos() if not photo.in_catalogue]
    assert len(strangers) == 2 * (PRODUCTS // 15)
    assert all(item.product_id not in sold for photo in strangers for item in photo.items)
    for photo in shop.photos():
        assert photo.in_catalogue == all(item.product_id in sold for item in photo.items)


def test_one_process_and_two_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    write_demo_shop(tmp_path / "demo", products=SMALL, workers=2)
    assert contents(tmp_path / "demo") == contents(small)


def test_a_product_looks_the_same_in_a_larger_shop(small: Path, shop: DemoShop) -> None:
    for number in range(SMALL):
        for name in (*product_of(7, number).images, f"street/photo-{2 * number:07d}.jpg"):
            assert (small / name).read_bytes() == (shop.root / name).read_bytes()


def test_another_seed_gives_other_pictures(tmp_path: Path, small: Path) -> None:
    write_demo_shop(tmp_path, products=1, seed=8, workers=1)
    name = "shop/SKU-0000-1.jpg"
    assert (tmp_path / name).read_bytes() != (small / name).read_bytes()


def test_a_complete_folder_is_left_as_it_is(small: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in small.rglob("*")}
    calls: list[tuple[int, int]] = []
    write_demo_shop(small, products=SMALL, progress=lambda done, total: calls.append((done, total)))
    assert calls == []
    assert {file: file.stat().st_mtime_ns for file in small.rglob("*")} == before


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cut_off_run_is_finished_without_making_anything_twice(
    small: Path, tmp_path: Path, workers: int
) -> None:
    class CutOffError(Exception):
        pass

    def cut_off(done: int, total: int) -> None:
        assert total == SMALL + 1
        if done == 3:
            raise CutOffError

    folder = tmp_path / "demo"
    with pytest.raises(CutOffError):
        write_demo_shop(folder, products=SMALL, workers=workers, progress=cut_off)
    with pytest.raises(DatasetError, match=r"has no demo\.json"):
        DemoShop(folder)
    kept, lost = folder / "shop/SKU-0000-1.jpg", folder / "street/photo-0000002.jpg"
    with (folder / "unfinished.jsonl").open("a") as journal:
        journal.write('{"picture": "street/photo-00')
    before = kept.stat().st_ino, kept.stat().st_mtime_ns
    lost.unlink()
    write_demo_shop(folder, products=SMALL, workers=workers)
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == before
    assert contents(folder) == contents(small)


def test_other_parameters_make_the_shop_anew(tmp_path: Path) -> None:
    write_demo_shop(tmp_path, products=2, workers=1)
    write_demo_shop(tmp_path, products=1, workers=1)
    assert sorted(contents(tmp_path)) == [
        "demo.json",
        "feed.csv",
        "shop/SKU-0000-1.jpg",
        "shop/SKU-0000-2.jpg",
        "street.jsonl",
        *(f"street/photo-000000{number}.jpg" for number in range(4)),
    ]


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DatasetError, match="not of a demo shop; give an empty or a new folder"):
        write_demo_shop(tmp_path, products=1)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    with pytest.raises(DatasetError, match=r"cannot be written to .*demo.*give another folder"):
        write_demo_shop(tmp_path / "demo", products=1)


@pytest.mark.parametrize(
    ("products", "seed", "workers", "message"),
    [
        (0, 7, 1, "products must be at least 1"),
        (-3, 7, 1, "products=-3"),
        (1, -1, 1, "seed at least 0"),
        (1, 7, 0, "workers must be at least 1, got 0"),
    ],
)
def test_parameters_out_of_range(
    tmp_path: Path, products: int, seed: int, workers: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_demo_shop(tmp_path / "demo", products=products, seed=seed, workers=workers)
    assert not (tmp_path / "demo").exists()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    with Crew(tmp_path, Plan(1, 7), 1) as started:
        yield started


def test_a_worker_that_cannot_write_says_why_and_goes_on(tmp_path: Path, crew: Crew) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        crew.make(0, [])
    (tmp_path / "shop").mkdir()
    (tmp_path / "street").mkdir()
    names = [line["picture"] for line in crew.make(0, ["shop/SKU-0000-1.jpg"])]
    assert names == ["shop/SKU-0000-2.jpg", "street/photo-0000000.jpg", "street/photo-0000001.jpg"]


def test_a_worker_that_dies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        pytest.raises(RuntimeError, match="ended at batch 5"),
        Crew(tmp_path, Plan(9, 7), 1) as crew,
    ):
        crew.make(5, [])
