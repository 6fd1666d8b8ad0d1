"""The Fisher vector: how descriptors would change the mixture that models them."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.gaussian_mixture import GaussianMixture, posteriors

__all__ = ["fisher_vector"]


def fisher_vector(
    descriptors: NDArray[np.floating], mixture: GaussianMixture
) -> NDArray[np.float32]:
    """Aggregate any number of local descriptors into one vector.

    Sanchez, Perronnin, Mensink, Verbeek: Image Classification with the Fisher Vector: Theory
    and Practice, IJCV 2013: the normalised gradients of the log-likelihood with respect to the
    means (eq. 17) and standard deviations (eq. 18), divided by the number T of descriptors::

        G_mu_k    = 1 / (T sqrt(w_k))   sum_t gamma_t(k) (x_t - mu_k) / sigma_k
        G_sigma_k = 1 / (T sqrt(2 w_k)) sum_t gamma_t(k) ((x_t - mu_k)^2 / sigma_k^2 - 1)

    with gamma the `posteriors`. The gradients with respect to the weights (eq. 16) are left
    out, as they add little. The *improved* Fisher vector is this one power-normalised.

    Args:
        descriptors: (T, d) float, T >= 0.
        mixture: Of K components in d dimensions.

    Returns:
        (2 K d,) float32: G_mu of every component, then G_sigma of every component; zeros if
        there is no descriptor.

    Raises:
        ValueError: If the descriptors are of another length or not finite.
    """
    gamma = posteriors(descriptors, mixture)
    count, length = len(gamma), mixture.means.size
    if not count:
        return np.zeros(2 * length, np.float32)
    weights, means, variances = (
        array.astype(np.float64) for array in (mixture.weights, mixture.means, mixture.variances)
    )
    # From the middle of the mixture, as in `posteriors`.
    middle = weights @ means
    values = descriptors.astype(np.float64) - middle
    means = means - middle
    occupancy = gamma.sum(axis=0)[:, None]
    first = gamma.T @ values
    second = gamma.T @ values**2
    root = np.sqrt(weights)[:, None]
    by_mean = (first - occupancy * means) / (np.sqrt(variances) * root)
    squares = second - 2 * means * first + occupancy * means**2
    by_deviation = (squares / variances - occupancy) / (np.sqrt(2) * root)
    gradient = np.concatenate([by_mean.ravel(), by_deviation.ravel()]) / count
    return gradient.astype(np.float32)
