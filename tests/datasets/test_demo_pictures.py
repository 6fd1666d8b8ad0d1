"""What the demo shop's pictures show: recognisably different products, truly boxed."""

from itertools import combinations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.datasets.demo.assortment import design_of, kind_of
from snapshelf.datasets.demo.brands import BRANDS, MARKS
from snapshelf.datasets.demo.camera import photographed
from snapshelf.datasets.demo.colours import COLOURS
from snapshelf.datasets.demo.copywriting import product_of
from snapshelf.datasets.demo.curves import ellipse, mirrored, smooth
from snapshelf.datasets.demo.design import Pose
from snapshelf.datasets.demo.kinds.table import KINDS
from snapshelf.datasets.demo.lathe import Turned
from snapshelf.datasets.demo.lighting import Light, lit
from snapshelf.datasets.demo.noise import clouds
from snapshelf.datasets.demo.patterns import PATTERNS, pattern
from snapshelf.datasets.demo.placing import Spot, place
from snapshelf.datasets.demo.relief import Relief
from snapshelf.datasets.demo.scenes import SCENES, Scene, scene
from snapshelf.datasets.demo.street import Photo, take
from snapshelf.datasets.demo.studio import studio_picture
from snapshelf.datasets.demo.surfaces import SURFACES


def small(picture: NDArray[np.uint8], side: int = 32) -> NDArray[np.float32]:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


def apart(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.abs(first - second).mean())


def test_no_two_products_are_the_same_design() -> None:
    seen = set()
    for number in range(3000):
        design = design_of(7, number)
        seen.add(
            (
                design.kind,
                design.model,
                design.colourway,
                design.pattern,
                design.motif,
                design.flavour,
            )
        )
    assert len(seen) == 3000
    assert len({product_of(7, number).title for number in range(3000)}) == 3000


def test_main_pictures_of_a_kind_can_be_told_apart() -> None:
    """The first of each kind are one family, in two colours and two prints."""
    kinds = len(KINDS)
    for kind in range(kinds):
        pictures = [
            small(studio_picture(design_of(7, kind + kinds * k), 1, np.random.default_rng(k), 128))
            for k in range(3)
        ]
        for first, second in combinations(pictures, 2):
            assert apart(first, second) > 1.0, kind_of(kind)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_street_photo_is_not_the_shop_picture_again(number: int) -> None:
    shop = studio_picture(design_of(7, number), 1, np.random.default_rng(1))
    taken = take(Photo(2 * number, (number,), "easy"), 7)
    x0, y0, x1, y1 = (int(edge) for edge in taken.boxes[0])
    crop = taken.picture[y0:y1, x0:x1]
    ink = np.flatnonzero((shop.min(2) < 200).any(1)), np.flatnonzero((shop.min(2) < 200).any(0))
    item = shop[ink[0][0] : ink[0][-1] + 1, ink[1][0] : ink[1][-1] + 1]
    assert apart(small(crop, 96), small(item, 96)) > 6


def test_two_photos_of_a_product_differ() -> None:
    first, second = (take(Photo(number, (5,), "easy"), 7) for number in (10, 11))
    assert (
        first.picture.shape != second.picture.shape
        or apart(small(first.picture), small(second.picture)) > 3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_shape_of_a_kind_is_drawn_within_its_square(kind: str) -> None:
    numbers = [number for number in range(len(KINDS) * 80) if kind_of(number) == kind]
    designs = {design_of(7, number).shape: design_of(7, number) for number in numbers}
    assert set(designs) == set(KINDS[kind].shapes)
    for design in designs.values():
        for turn in (-35.0, 0.0, 35.0):
            relief = Relief(120)
            KINDS[kind].draw(relief, design, Pose(np.random.default_rng(0), turn=turn, spread=1.0))
            assert np.isfinite(relief.height).all()
            assert 0.06 < relief.cover.mean() < 0.9
            edges = np.concatenate(
                [relief.cover[:, 0], relief.cover[:, -1], relief.cover[0], relief.cover[-1]]
            )
            assert edges.max() < 0.5, design.shape
            assert relief.albedo.min() >= 0
            assert relief.albedo.max() <= 1.3


def test_the_tables_name_only_what_there_is() -> None:
    for kind in KINDS.values():
        assert any(brand.field in kind.fields for brand in BRANDS)
        assert set(kind.patterns) <= set(PATTERNS)
        assert len(kind.colourways) >= 4
        assert len(set(kind.colourways)) == len(kind.colourways)
        assert {name for colourway in kind.colourways for name in colourway} <= set(COLOURS)
    assert {brand.mark for brand in BRANDS} <= set(MARKS)
    assert len({brand.name for brand in BRANDS}) == len(BRANDS)
    for sort in SCENES.values():
        assert {*sort.floors, *sort.walls} - {""} <= set(SURFACES)


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_can_be_tiled(name: str) -> None:
    """The step over the seam is no larger than the steps elsewhere."""
    palette = tuple(
        np.array(value, np.float32) for value in ((0.9, 0.1, 0.1), (0, 0, 0.4), (1, 1, 1))
    )
    raster = pattern(name, palette, 240, np.random.default_rng(3))
    assert raster.shape == (240, 240, 3)
    assert raster.dtype == np.float32
    assert raster.min() >= -0.01
    assert raster.max() <= 1.01
    inside = np.abs(np.diff(raster, axis=1)).mean((0, 2))
    seam = np.abs(raster[:, 0] - raster[:, -1]).mean()
    assert seam <= inside.max() * 1.5 + 1e-6


def test_noise_can_be_tiled_and_has_no_bias() -> None:
    field = clouds(np.random.default_rng(0), 200, 320, 4)
    assert field.shape == (200, 320)
    assert abs(float(field.mean())) < 0.4
    for axis in (0, 1):
        steps = np.abs(np.diff(field, axis=axis)).max()
        seam = np.abs(np.take(field, 0, axis) - np.take(field, -1, axis)).max()
        assert seam <= 1.5 * steps


def test_a_smooth_curve_passes_its_knots_and_keeps_corners_sharp() -> None:
    knots = [(10.0, 10.0, 1), (50.0, 0.0), (90.0, 10.0, 1), (50.0, 80.0)]
    curve = smooth(knots)
    for x, y, *_ in knots:
        assert np.hypot(*(curve - (x, y)).T).min() < 1e-4
    assert len(mirrored([(50, 0), (60, 10), (50, 20)])) == 4


@pytest.mark.parametrize(("x", "side"), [(-0.8, "left"), (0.8, "right")])
def test_the_side_towards_the_light_is_brighter(x: float, side: str) -> None:
    relief = Relief(200)
    relief.part(ellipse(50, 50, 30, 30), np.full(3, 0.5, np.float32), bulge=20, rim=30, gloss=0.0)
    ball = lit(relief, Light(towards=(x, 0.0, 0.6), fill=0.3))[..., :3].mean(2)
    middle = ball.shape[1] // 2
    left, right = float(ball[:, :middle].sum()), float(ball[:, -middle:].sum())
    assert (left > 1.2 * right) if side == "left" else (right > 1.2 * left)


@pytest.mark.parametrize("turn", [-40.0, 0.0, 25.0])
def test_a_label_turns_with_its_bottle(turn: float) -> None:
    relief = Relief(400)
    body = Turned([(20, 10, 1), (20, 90, 1)], tilt=0.0)
    body.solid(relief, np.zeros(3, np.float32), gloss=0.0)
    label = np.zeros((60, 720, 3), np.float32)
    label[:, 354:366] = 1
    body.wrap(relief, label, 20, 80, turn=turn)
    columns = np.flatnonzero(relief.albedo[200, :, 0] > 0.5) / relief.unit
    assert columns.mean() == pytest.approx(50 + 20 * np.sin(np.radians(turn)), abs=0.6)


def plain_scene() -> Scene:
    picture = np.full((300, 400, 3), 0.3, np.float32)
    return Scene(picture, 0, (90.0, 225.0), Light(), (0.0, 0.0))


@pytest.mark.parametrize("degrees", [0.0, 17.0, 90.0, -140.0])
@pytest.mark.parametrize("tilt", [0.0, 0.25])
@pytest.mark.parametrize(("x", "y"), [(200.0, 150.0), (20.0, 280.0), (900.0, -500.0)])
def test_a_box_is_where_the_item_can_be_seen(
    degrees: float, tilt: float, x: float, y: float
) -> None:
    where = plain_scene()
    item = np.zeros((80, 120, 4), np.float32)
    item[..., 0] = item[..., 3] = 1
    box = place(where, item, Spot(x, y, 130.0, degrees, tilt, 0.3), "lies", whole=True)
    red = (where.picture[..., 0] > 0.65) & (where.picture[..., 1] < 0.15)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    seen = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert box == pytest.approx(seen, abs=1.5)
    assert red.sum() > 5000


def test_an_item_larger_than_the_picture_is_made_to_fit() -> None:
    where = plain_scene()
    item = np.ones((50, 50, 4), np.float32)
    x0, y0, x1, y1 = place(where, item, Spot(200, 150, 900, 0, 0, 0), "lies", whole=True)
    assert 0 <= x0 < x1 <= 400
    assert 0 <= y0 < y1 <= 300
    assert y1 - y0 > 280


def test_what_is_outside_the_picture_has_no_box() -> None:
    where = plain_scene()
    before = where.picture.copy()
    spot = Spot(-600, 150, 80, 0, 0, 0)
    assert place(where, np.ones((50, 50, 4), np.float32), spot, "lies") == (0, 0, 0, 0)
    np.testing.assert_array_equal(where.picture, before)


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_lit_and_leave_room_to_stand(name: str) -> None:
    made = scene(name, 480, 640, np.random.default_rng(4))
    assert made.picture.shape == (480, 640, 3)
    assert np.isfinite(made.picture).all()
    assert 0.01 < made.picture.mean() < 1.0
    if "stands" in SCENES[name].places:
        assert made.horizon <= made.stand[0] < made.stand[1] <= 480


def test_harder_photos_are_noisier() -> None:
    flat = np.full((200, 200, 3), 0.3, np.float32)
    noise = {}
    for difficulty in ("easy", "hard"):
        spread = [
            photographed(flat, difficulty, np.random.default_rng(k))[80:120, 80:120]
            .std((0, 1))
            .mean()
            for k in range(8)
        ]
        noise[difficulty] = np.mean(spread)
    assert noise["hard"] > 1.5 * noise["easy"]
