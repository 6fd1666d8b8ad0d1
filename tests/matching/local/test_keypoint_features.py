import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.matching.local.keypoint_features import STEPS, KeypointFeatures, find_keypoints


def print_of(seed: int, size: tuple[int, int] = (240, 320)) -> NDArray[np.uint8]:
    """Draw something with many corners, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    picture = np.full((*size, 3), 255, np.uint8)
    for _ in range(60):
        x, y = (int(rng.integers(0, side)) for side in size[::-1])
        colour = tuple(int(value) for value in rng.integers(0, 255, 3))
        cv2.rectangle(picture, (x, y), (x + int(rng.integers(4, 40)), y + 20), colour, -1)
    return picture


def test_the_strongest_come_first_and_no_more_than_asked_for() -> None:
    many = find_keypoints(print_of(0), side=320, most=400)
    few = find_keypoints(print_of(0), side=320, most=50)
    assert len(many) > 100
    assert len(few) == 50
    # OpenCV itself decides by response which 50 these are.
    assert {tuple(row) for row in few.points.tolist()} <= {
        tuple(row) for row in many.points.tolist()
    }


def test_descriptors_are_rooted_sift() -> None:
    picture = print_of(1)
    features = find_keypoints(picture, side=None)
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    found, described = cv2.SIFT.create(nfeatures=65535).detectAndCompute(luma, None)
    by_place = {
        (round(p.pt[0] + 0.5, 3), round(p.pt[1] + 0.5, 3), tuple(d)): d
        for p, d in zip(found, described, strict=True)
    }
    assert len(features) == len(found)
    rooted = {
        key[:2]: np.sqrt(plain / plain.sum()) for key, plain in by_place.items()
    }  # written from the definition, one at a time
    matched = 0
    for point, descriptor in zip(features.points, features.descriptors, strict=True):
        own = rooted.get((round(float(point[0]), 3), round(float(point[1]), 3)))
        if own is not None and np.abs(own * STEPS - descriptor).max() <= 0.51:
            matched += 1
    # Several key points share a place, with directions of their own; the dict keeps one of each.
    assert matched >= len(rooted)
    lengths = np.linalg.norm(features.descriptors.astype(float), axis=1)
    assert np.median(np.abs(lengths - STEPS)) < 4


def test_plain_descriptors_are_opencvs_own_numbers() -> None:
    picture = print_of(2)
    features = find_keypoints(picture, side=None, root=False)
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    _, described = cv2.SIFT.create(nfeatures=65535).detectAndCompute(luma, None)
    assert sorted(map(tuple, features.descriptors.tolist())) == sorted(
        map(tuple, described.astype(int).tolist())
    )


def test_points_are_in_pixels_of_the_picture_however_it_is_scaled() -> None:
    picture = np.full((200, 300, 3), 255, np.uint8)
    cv2.circle(picture, (220, 70), 8, (0, 0, 0), -1)
    for side in (150, 300, 600):
        features = find_keypoints(picture, side=side, contrast=0.01)
        assert features.size == (300, 200)
        distances = np.linalg.norm(features.points - (220.5, 70.5), axis=1)
        assert distances.min() < 1.0, "a key point in the middle of the blob"


def test_small_pictures_are_enlarged_for_more_key_points() -> None:
    small = cv2.resize(print_of(3), (80, 60), interpolation=cv2.INTER_AREA)
    own = find_keypoints(small, side=None)
    enlarged = find_keypoints(small, side=240)
    assert len(enlarged) > 1.5 * len(own)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (4, 4), (7, 300)])
def test_tiny_pictures_have_none(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    features = find_keypoints(picture, side=None)
    assert len(features) == 0
    assert KeypointFeatures.from_bytes(features.to_bytes()).size == shape[::-1]


def test_a_blank_picture_has_none() -> None:
    features = find_keypoints(np.full((300, 300, 3), 128, np.uint8), side=512)
    assert len(features) == 0
    assert features.descriptors.shape == (0, 128)


def dots() -> NDArray[np.uint8]:
    """Draw 57,000 dots, each of which is a key point, (1200, 1200, 3)."""
    rng = np.random.default_rng(0)
    picture = np.full((1200, 1200, 3), 255, np.uint8)
    ys, xs = np.mgrid[3:1197:5, 3:1197:5]
    ys, xs = (each + rng.integers(-1, 2, each.shape) for each in (ys, xs))
    shade = rng.integers(0, 160, ys.shape).astype(np.uint8)[..., np.newaxis]
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        picture[ys + row, xs + column] = shade
    return picture


def test_fifty_thousand_key_points_are_cut_to_the_cap() -> None:
    everything = find_keypoints(dots(), side=None, contrast=0)
    assert len(everything) > 50_000
    capped = find_keypoints(dots(), side=None, most=500, contrast=0)
    assert len(capped) == 500
    assert len(capped.to_bytes()) == 14 + 500 * 132


def test_bytes_come_back() -> None:
    features = find_keypoints(print_of(4, (333, 777)), side=512, most=300)
    data = features.to_bytes()
    back = KeypointFeatures.from_bytes(data)
    assert back.size == features.size == (777, 333)
    np.testing.assert_array_equal(back.descriptors, features.descriptors)
    np.testing.assert_allclose(back.points, features.points, atol=0.01)
    assert back.to_bytes() == data, "once rounded, always the same"


@pytest.mark.parametrize(
    "data", [b"", b"KPF1", b"x" * 14, b"KPF1" + b"\x02\0" + b"\1\0\0\0" * 2, b"KPF1" + bytes(10)]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match=f"got {len(data)} other bytes: index the shelf again"):
        KeypointFeatures.from_bytes(data)


@pytest.mark.parametrize("wrong", [{"side": 0}, {"most": 0}, {"most": 70_000}, {"contrast": -0.1}])
def test_numbers_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="side must be at least 1, most in"):
        find_keypoints(print_of(0), **{"side": 100, **wrong})  # type: ignore[arg-type]


def test_the_callers_array_is_not_a_picture() -> None:
    with pytest.raises(ValueError, match=r"picture must be \(H, W, 3\) uint8"):
        find_keypoints(np.zeros((5, 5), np.uint8), side=100)
