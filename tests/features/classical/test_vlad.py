"""VLAD, its visual words, and the projection before it, against loops."""

import numpy as np
import pytest

from snapshelf.features.classical.principal_components import Projection, learn_projection
from snapshelf.features.classical.vlad import learn_centroids, vlad


def drawn(count, length=3, *, seed=1, offset=0.0):
    return np.random.default_rng(seed).normal(0, 2, (count, length)) + offset


def slow_vlad(descriptors, centroids, intra_normalise):
    total = [[0.0] * len(word) for word in centroids]
    for x in descriptors:
        distances = [sum((a - b) ** 2 for a, b in zip(x, word, strict=True)) for word in centroids]
        nearest = distances.index(min(distances))
        for d, (a, b) in enumerate(zip(x, centroids[nearest], strict=True)):
            total[nearest][d] += a - b
    if intra_normalise:
        for row in total:
            length = sum(value**2 for value in row) ** 0.5
            row[:] = [value / length if length else 0.0 for value in row]
    return np.array(total).ravel()


@pytest.mark.parametrize("intra_normalise", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("count", [1, 2, 50])
def test_it_is_the_sum_of_residuals_of_each_word(count, offset, intra_normalise):
    descriptors, words = drawn(count, offset=offset), drawn(6, seed=2, offset=offset)
    vector = vlad(descriptors, words, intra_normalise=intra_normalise)
    assert vector.dtype == np.float32
    assert vector.shape == (18,)
    slow = slow_vlad(descriptors.tolist(), words.tolist(), intra_normalise)
    np.testing.assert_allclose(vector, slow, atol=1e-4, rtol=1e-4)


def test_a_descriptor_equally_near_to_two_words_belongs_to_the_first():
    words = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 5.0]])
    assert vlad(np.zeros((1, 2)), words).tolist() == [1, 0, 0, 0, 0, 0]
    # Exactly a word: counted, and without a residual.
    assert not vlad(words, words, intra_normalise=True).any()


def test_no_descriptor_gives_zeros():
    vector = vlad(np.empty((0, 3)), drawn(4), intra_normalise=True)
    assert vector.shape == (12,)
    assert not vector.any()


@pytest.mark.parametrize(
    ("descriptors", "words", "message"),
    [
        (np.zeros((4, 2)), np.zeros((3, 3)), r"descriptors must be \(N, 3\), got \(4, 2\)"),
        (np.zeros((4, 3)), np.zeros((0, 3)), "centroids must be at least 1"),
        (np.full((4, 3), np.nan), np.zeros((3, 3)), "must be finite"),
        (np.zeros((4, 3)), np.full((3, 3), np.inf), "must be finite"),
        (np.zeros((4, 3)), np.zeros(3), r"must be \(N, d\), got \(3,\)"),
    ],
)
def test_arrays_of_another_form_are_refused(descriptors, words, message):
    with pytest.raises(ValueError, match=message):
        vlad(descriptors, words)


class TestLearnCentroids:
    @pytest.mark.parametrize("offset", [0.0, 1000.0])
    def test_it_finds_the_middles_of_clusters(self, offset):
        middles = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 6.0], [7.0, 7.0]]) + offset
        values = np.repeat(middles, 100, axis=0)
        values = values + np.random.default_rng(0).normal(0, 0.2, values.shape)
        words = learn_centroids(values, 4, seed=0)
        assert words.dtype == np.float32
        gaps = np.linalg.norm(words[:, None] - middles[None], axis=2)
        assert sorted(gaps.argmin(axis=1).tolist()) == [0, 1, 2, 3]
        assert gaps.min(axis=1).max() < 0.1

    def test_the_seed_decides_the_words(self):
        values = drawn(400, 5)
        one, two, other = (learn_centroids(values, 8, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)

    def test_fewer_distinct_descriptors_than_words_are_defined(self):
        words = learn_centroids(np.repeat(drawn(2), 10, axis=0), 5, seed=0)
        assert words.shape == (5, 3)
        assert np.isfinite(words).all()

    def test_as_many_words_as_descriptors(self):
        values = drawn(6)
        words = learn_centroids(values, 6, seed=0)
        np.testing.assert_allclose(np.sort(words[:, 0]), np.sort(values[:, 0]), atol=1e-6)

    @pytest.mark.parametrize("components", [0, 6])
    def test_more_words_than_descriptors_are_refused(self, components):
        with pytest.raises(ValueError, match=r"components must be in \[1, 5\], the number of"):
            learn_centroids(drawn(5), components, seed=0)


class TestProjection:
    def test_axes_are_those_of_largest_variance(self):
        turn = np.linalg.qr(drawn(5, 5, seed=4))[0]
        values = drawn(4000, 5) * np.array([5, 3, 1, 0.5, 0.1]) @ turn + 40
        projection = learn_projection(values, 3)
        for axis, direction in zip(projection.axes.T, turn, strict=False):
            assert abs(axis @ direction) > 0.99
            assert axis[np.abs(axis).argmax()] > 0
        np.testing.assert_allclose(projection.axes.T @ projection.axes, np.eye(3), atol=1e-6)
        projected = projection.project(values)
        assert projected.dtype == np.float32
        np.testing.assert_allclose(
            projected, (values - values.mean(axis=0)) @ projection.axes, atol=1e-3
        )
        np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-3)
        covariance = np.cov(projected.T)
        np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-2)

    def test_nothing_to_project_gives_nothing(self):
        projection = learn_projection(drawn(9, 4), 2)
        assert projection.project(np.empty((0, 4), np.float32)).shape == (0, 2)

    @pytest.mark.parametrize(
        ("values", "dimension", "message"),
        [
            (drawn(1), 1, "descriptors must be at least 2, got 1"),
            (drawn(9), 4, r"dimension must be in \[1, 3\], got 4"),
            (drawn(9), 0, r"dimension must be in \[1, 3\], got 0"),
            (np.full((9, 3), np.nan), 1, "must be finite"),
        ],
    )
    def test_what_cannot_be_learned_is_refused(self, values, dimension, message):
        with pytest.raises(ValueError, match=message):
            learn_projection(values, dimension)

    @pytest.mark.parametrize(
        ("mean", "axes", "message"),
        [
            (np.zeros(3), np.zeros((4, 2)), "axes"),
            (np.zeros(3), np.zeros((3, 4)), "axes"),
            (np.zeros(3), np.zeros((3, 0)), "axes"),
            (np.zeros((3, 1)), np.zeros((3, 2)), "mean must be"),
            (np.full(3, np.nan), np.zeros((3, 2)), "must be finite"),
        ],
    )
    def test_what_projects_nothing_is_refused(self, mean, axes, message):
        with pytest.raises(ValueError, match=message):
            Projection(mean.astype(np.float32), axes.astype(np.float32))
