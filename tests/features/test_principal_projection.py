"""The PCA of few long features: as the plain whitening, of either matrix, and its limits."""

import numpy as np
import pytest

from snapshelf.features.encoder import Domain
from snapshelf.features.principal_projection import fit_projection
from snapshelf.features.whitening import fit_whitening


def rows(count, length, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, length)) * np.arange(1, length + 1) + shift).astype(np.float32)


@pytest.mark.parametrize(("count", "length"), [(40, 6), (4, 9), (5, 10)])
def test_is_the_plain_pca_whichever_matrix_is_smaller(count, length):
    street, shop = rows(count, length, 1, 5.0), rows(count, length, 2, -3.0)
    found = fit_projection(street, shop, dimension=4)
    known = fit_whitening(street, shop, dimension=4, power=0.0)
    np.testing.assert_allclose(found.street_mean, known.street_mean, atol=1e-5)
    np.testing.assert_allclose(found.shop_mean, known.shop_mean, atol=1e-5)
    np.testing.assert_allclose(found.projection, known.projection, atol=1e-4)
    axes = found.projection
    np.testing.assert_allclose(axes.T @ axes, np.eye(4), atol=1e-5)


def test_keeps_all_cosines_where_there_are_as_many_axes_as_directions():
    street, shop = rows(3, 20, 3), rows(3, 20, 4)
    found = fit_projection(street, shop, dimension=100)
    assert found.projection.shape == (20, 4)  # six pictures less two means
    own = street - street.mean(0)
    expected = own @ own.T / np.outer(np.linalg.norm(own, axis=1), np.linalg.norm(own, axis=1))
    made = found.apply(street, Domain.STREET)
    np.testing.assert_allclose(made @ made.T, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("street", "shop", "dimension", "message"),
    [
        (rows(0, 3, 1), rows(3, 3, 2), 2, "street must be"),
        (rows(3, 3, 1), rows(3, 3, 2)[0], 2, "shop must be"),
        (np.full((2, 3), np.nan, np.float32), rows(3, 3, 2), 2, "street must be"),
        (rows(3, 3, 1), rows(3, 4, 2), 2, "of one length, got 3, 4"),
        (rows(3, 3, 1), rows(3, 3, 2), 0, "dimension must be at least 1"),
        (rows(1, 3, 1), rows(1, 3, 2), 2, "the same within each side"),
    ],
)
def test_what_cannot_be_projected(street, shop, dimension, message):
    with pytest.raises(ValueError, match=message):
        fit_projection(street, shop, dimension=dimension)
