import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.matching.local.verification import Model, verify_matches

Points = NDArray[np.float32]


def mapped(points: Points, matrix: NDArray[np.float64]) -> Points:
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return (homogeneous[:, :2] / homogeneous[:, 2:]).astype(np.float32)


def scene(
    matrix: NDArray[np.float64], right: int, wrong: int, *, noise: float = 0.5, seed: int = 0
) -> tuple[Points, Points]:
    """Draw points, the first `right` of them where the mapping sends them, the others anywhere."""
    rng = np.random.default_rng(seed)
    here = rng.uniform(0, 512, (right + wrong, 2)).astype(np.float32)
    there = mapped(here, matrix) + rng.normal(0, noise, here.shape).astype(np.float32)
    there[right:] = rng.uniform(0, 512, (wrong, 2))
    return here, there


TURNED = np.array([[0.7, -0.4, 120.0], [0.4, 0.7, 10.0], [0, 0, 1]])
TILTED = np.array([[0.9, 0.1, 20.0], [-0.1, 0.8, 40.0], [2e-4, -3e-4, 1]])


@pytest.mark.parametrize(
    ("model", "matrix"), [("affine", TURNED), ("homography", TURNED), ("homography", TILTED)]
)
def test_the_mapping_is_found_among_many_wrong_matches(
    model: Model, matrix: NDArray[np.float64]
) -> None:
    here, there = scene(matrix, right=25, wrong=40)
    verified = verify_matches(here, there, model=model, threshold=6)
    assert verified.inliers[:25].sum() >= 24
    assert verified.inliers[25:].sum() <= 3
    assert verified.mapping is not None
    corners = np.array([[100, 100], [400, 100], [250, 400]], np.float32)
    np.testing.assert_allclose(mapped(corners, verified.mapping), mapped(corners, matrix), atol=4)


def test_the_same_matches_give_the_same_inliers() -> None:
    here, there = scene(TILTED, right=8, wrong=60)
    first = verify_matches(here, there, model="homography", threshold=6)
    for _ in range(5):
        again = verify_matches(here, there, model="homography", threshold=6)
        np.testing.assert_array_equal(again.inliers, first.inliers)


@pytest.mark.parametrize(("model", "least"), [("affine", 4), ("homography", 5)])
def test_too_few_matches_are_never_verified(model: Model, least: int) -> None:
    for count in range(least):
        here, there = scene(TURNED, right=count, wrong=0, noise=0)
        verified = verify_matches(here, there, model=model, threshold=6)
        assert verified.inliers.shape == (count,)
        assert not verified.inliers.any()
        assert verified.mapping is None


def test_a_mirror_image_is_no_view() -> None:
    mirror = np.array([[-1.0, 0, 512], [0, 1, 0], [0, 0, 1]])
    here, there = scene(mirror, 30, 0)
    assert not verify_matches(here, there, model="affine", threshold=6).inliers.any()


def test_everything_in_one_point_is_no_view() -> None:
    here, there = scene(np.diag([1e-6, 1e-6, 1.0]), 30, 0, noise=0.01)
    for model in ("affine", "homography"):
        assert not verify_matches(here, there, model=model, threshold=6).inliers.any()


@pytest.mark.parametrize("model", ["affine", "homography"])
@pytest.mark.parametrize("kind", ["same", "line"])
def test_degenerate_points_are_no_error(model: Model, kind: str) -> None:
    here = np.full((12, 2), 7, np.float32)
    if kind == "line":
        here = np.column_stack([np.arange(12), 2 * np.arange(12)]).astype(np.float32)
    verified = verify_matches(here, here.copy(), model=model, threshold=6)
    assert verified.inliers.shape == (12,)


def test_bad_arguments_are_named() -> None:
    points = np.zeros((6, 2), np.float32)
    with pytest.raises(ValueError, match=r"must be \(K, 2\) both, got \(6, 2\) and \(5, 2\)"):
        verify_matches(points, points[:5], model="affine", threshold=6)
    with pytest.raises(ValueError, match="threshold must be above 0, got 0"):
        verify_matches(points, points, model="affine", threshold=0)
