"""Where AsymNet's networks begin: against the product of features that they are to be."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.video_feature_network import VideoFeatureNetwork  # noqa: E402
from snapshelf.matching.fusion_tree import FusionTree  # noqa: E402
from snapshelf.matching.similarity_network import SimilarityNetwork  # noqa: E402
from snapshelf.training.asymnet_product_start import (  # noqa: E402
    side_axes,
    start_similarity,
    start_states,
)
from snapshelf.training.asymnet_settings import AsymNetSettings  # noqa: E402
from snapshelf.training.asymnet_training import new_parts, start_as_product  # noqa: E402
from snapshelf.training.trajectory_draws import TrajectoryDraws  # noqa: E402

D, T = 12, 8


def drawn(seed=0, products=30):
    """Trajectories and pictures of products, each side with a mean of its own."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(0, np.linspace(2, 0.2, D), (products, D))
    street, shop = rng.normal(0, 3, (2, D))
    steps = middle[:, None] + street + rng.normal(0, 0.3, (products, T, D))
    pictures = middle + shop + rng.normal(0, 0.3, (products, D))
    return steps.astype(np.float32), pictures.astype(np.float32)


def begun(levels=2, hidden=24, states=10, memory=0.3):
    steps, pictures = drawn()
    axes = side_axes(steps, pictures, hidden // 4)
    video = VideoFeatureNetwork(D, states, levels=levels)
    similarity = SimilarityNetwork(states, D, hidden=hidden, tree=FusionTree((2, 2, 2)))
    start_states(video, axes, memory)
    order = (np.arange(len(pictures))[:, None] + np.arange(5)) % len(pictures)
    with torch.no_grad():
        last = video(torch.from_numpy(steps))[:, -1]
    right = torch.arange(5).expand(len(order), -1) == 0
    start_similarity(similarity, axes, last, torch.from_numpy(pictures[order]), right)
    return steps, pictures, axes, video, similarity


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_states_begin_as_a_running_mean_along_the_axes(levels):
    steps, _, axes, video, _ = begun(levels)
    with torch.no_grad():
        states = video(torch.from_numpy(steps))[:, :, :6].numpy()
    rows = (steps - axes.street) @ axes.axes.T
    mean = np.zeros_like(rows)
    for step in range(T):
        before = mean[:, step - 1] if step else 0
        mean[:, step] = 0.7 * before + 0.3 * rows[:, step]
    for axis in range(6):
        found = np.corrcoef(states[:, -1, axis], mean[:, -1, axis])[0, 1]
        assert found > 0.97
    # Of one size with the features, so that what compares both learns from either alike; each
    # level's gates and tanh take a little off.
    size = states[:, -1].std(0) / mean[:, -1].std(0)
    assert (size > 0.9 - 0.07 * levels).all()
    assert (size < 1.05).all()


def test_the_states_keep_axes_that_the_similarity_does_not_begin_with():
    steps, pictures = drawn()
    settings = AsymNetSettings(states=10, hidden=24, tree="2-2-2", memory=0.3)
    draws = TrajectoryDraws(range(30), range(30), batch=6, positives=1, seed=0)
    parts = new_parts(settings, D)
    start_as_product(parts, steps, pictures, draws, settings)
    rows = (steps - steps.mean((0, 1))) @ side_axes(steps, pictures, 10).axes.T
    with torch.no_grad():
        states = parts.video(torch.from_numpy(steps)).numpy()
    for axis in range(10):
        assert np.corrcoef(states[:, -1, axis], rows.mean(1)[:, axis])[0, 1] > 0.9


def test_the_similarity_begins_as_a_product_and_finds():
    steps, pictures, axes, video, similarity = begun()
    with torch.no_grad():
        states = video(torch.from_numpy(steps))
        every = torch.from_numpy(pictures).expand(len(steps), -1, -1)
        odds = similarity.leaves(states, every).odds[:, :, -1].numpy()
        own = states[:, -1, :6].numpy()
    shop = (pictures - axes.shop) @ axes.axes.T
    q = own * (shop.std() / own.std())
    expected = np.zeros((len(steps), len(pictures)))
    for row in range(len(steps)):
        for column in range(len(pictures)):
            for a, b in zip(q[row], shop[column], strict=True):
                expected[row, column] += 2 * np.sign(a * b) * min(abs(a), abs(b))
    assert np.corrcoef(expected.ravel(), odds.ravel())[0, 1] > 0.98
    right = np.eye(len(steps), dtype=bool)
    assert (odds.argmax(1) == np.arange(len(steps))).mean() > 0.9
    assert odds[right].mean() > 0 > odds[~right].mean()


def test_reading_states_of_another_kind():
    steps, pictures = drawn()
    axes = side_axes(steps, pictures, 6)
    similarity = SimilarityNetwork(D, D, hidden=24, tree=FusionTree((2,)))
    rows = torch.from_numpy(axes.axes)
    means = torch.from_numpy(steps.mean(1))
    order = (np.arange(30)[:, None] + np.arange(4)) % 30
    start_similarity(
        similarity,
        axes,
        means,
        torch.from_numpy(pictures[order]),
        torch.arange(4).expand(30, -1) == 0,
        (rows, -rows @ torch.from_numpy(axes.street)),
    )
    with torch.no_grad():
        states = means[:, None].expand(-1, 2, -1)
        odds = similarity(states, torch.from_numpy(pictures).expand(30, -1, -1)).numpy()
    assert (odds.argmax(1) == np.arange(30)).mean() > 0.9


def test_few_units_and_equal_features():
    steps, pictures = drawn()
    with pytest.raises(ValueError, match="hidden must be at least 4, got 3"):
        start_similarity(
            SimilarityNetwork(D, D, hidden=3),
            side_axes(steps, pictures, 2),
            torch.zeros(2, D),
            torch.zeros(2, 2, D),
            torch.tensor([[True, False], [True, False]]),
        )
    same = np.ones((4, T, D), np.float32)
    axes = side_axes(same, same[:, 0], 3)
    assert np.isfinite(axes.axes).all()
    assert axes.scale > 0
