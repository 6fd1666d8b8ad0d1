"""Which step of a trajectory shows its item best."""

import cv2
import numpy as np
import pytest

from snapshelf.shelf.best_view import BestViews, detail


def textured(side: int = 320, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (80, 80, 3), np.uint8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def test_detail_is_that_of_a_slow_laplacian() -> None:
    picture = textured(160)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    padded = np.pad(grey, 1, mode="reflect")
    slow = np.array(
        [
            [
                padded[y - 1, x]
                + padded[y + 1, x]
                + padded[y, x - 1]
                + padded[y, x + 1]
                - 4 * padded[y, x]
                for x in range(1, 161)
            ]
            for y in range(1, 161)
        ]
    )
    assert detail(picture) == pytest.approx(slow.std(), rel=1e-5)


def test_blur_and_a_small_size_take_detail_away() -> None:
    sharp = textured()
    blurred = cv2.GaussianBlur(sharp, (0, 0), 8)
    small = cv2.resize(sharp, (24, 24), interpolation=cv2.INTER_AREA)
    assert detail(sharp) > 2 * detail(blurred)
    assert detail(sharp) > 2 * detail(small)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (37, 41)])
def test_plain_pictures_of_any_shape_have_none(shape: tuple[int, int]) -> None:
    assert detail(np.full((*shape, 3), 90, np.uint8)) == 0


def test_of_the_sharpest_the_most_typical_is_best() -> None:
    """The third step is the sharpest, but something else is in front of the item."""
    views = BestViews(most=2)
    pictures = [cv2.GaussianBlur(textured(), (0, 0), 6), textured(), textured(seed=3)]
    pictures[2] = np.where(pictures[2] > 127, 255, 0).astype(np.uint8)
    for step, picture in enumerate(pictures):
        views.add(step, picture)
    embeddings = np.array([[1, 0], [0.98, 0.2], [0, 1]], np.float32)
    assert views.most_typical(embeddings).step == 1
    assert BestViews.most_typical(views, embeddings[[2, 2, 2]]).step == 2


def test_only_so_many_pictures_are_held() -> None:
    views = BestViews(most=3)
    for step in range(50):
        views.add(step, textured(64, seed=step))
    assert len(views._kept) == 3
