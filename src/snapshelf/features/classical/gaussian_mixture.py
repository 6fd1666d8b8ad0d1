"""A mixture of Gaussians with diagonal covariances: the visual words of the Fisher vector."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.classical.descriptors import check_descriptors

__all__ = ["GaussianMixture", "learn_mixture", "posteriors"]

LEAST_VARIANCE = 1e-3
"""Of a component, over the mean variance of all descriptors: a few descriptors that are all but
equal must not make a component whose gradients outweigh every other."""

MOST_STEPS = 50
"""Of expectation-maximisation; what it gains later changes no ranking."""


@dataclass(frozen=True, slots=True, eq=False)
class GaussianMixture:
    """``p(x) = sum_k weights_k N(x; means_k, diag(variances_k))``.

    Attributes:
        weights: (K,) float32, above 0; they sum to 1.
        means: (K, d) float32.
        variances: (K, d) float32, above 0.
    """

    weights: NDArray[np.float32]
    means: NDArray[np.float32]
    variances: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse what is no mixture.

        Raises:
            ValueError: If the shapes do not go together, a value is not finite, a weight or
                variance is not above 0, or the weights do not sum to 1.
        """
        shapes = (self.weights.shape, self.means.shape, self.variances.shape)
        if (
            self.means.ndim != 2
            or not self.means.size
            or shapes[2] != shapes[1] != (len(self.weights),)
        ):
            raise ValueError(
                "weights must be (K,), means (K, d) and variances (K, d), "
                f"got {', '.join(map(str, shapes))}"
            )
        if shapes[0] != (len(self.means),):
            raise ValueError(f"weights must be ({len(self.means)},), got {shapes[0]}")
        if not all(np.isfinite(a).all() for a in (self.weights, self.means, self.variances)):
            raise ValueError("weights, means and variances must be finite")
        if not (self.weights > 0).all() or not (self.variances > 0).all():
            raise ValueError("weights and variances must be above 0")
        if abs(float(self.weights.sum(dtype=np.float64)) - 1) > 1e-3:
            raise ValueError(f"weights must sum to 1, got {self.weights.sum()}")


def posteriors(descriptors: NDArray[np.floating], mixture: GaussianMixture) -> NDArray[np.float64]:
    """Give how likely each component is to have made each descriptor.

    Sanchez, Perronnin, Mensink, Verbeek: Image Classification with the Fisher Vector: Theory
    and Practice, IJCV 2013, eq. 15: ``gamma_t(k) = w_k u_k(x_t) / sum_j w_j u_j(x_t)``.

    Args:
        descriptors: (N, d) float, N >= 0.
        mixture: Of K components in d dimensions.

    Returns:
        (N, K) float64, each row sums to 1.

    Raises:
        ValueError: If the descriptors are of another length or not finite.
    """
    values = check_descriptors(descriptors, mixture.means.shape[1])
    weights, means, variances = (
        array.astype(np.float64) for array in (mixture.weights, mixture.means, mixture.variances)
    )
    # Measured from the middle of the mixture, so that little cancels where all lie far from 0.
    middle = weights @ means
    values -= middle
    means = means - middle
    precisions = 1 / variances
    logs = values @ (means * precisions).T
    logs -= 0.5 * (values**2 @ precisions.T)
    logs += np.log(weights) - 0.5 * (means**2 * precisions + np.log(variances)).sum(axis=1)
    logs -= logs.max(axis=1, keepdims=True)
    likely = np.exp(logs)
    likely /= likely.sum(axis=1, keepdims=True)
    return likely


def learn_mixture(
    descriptors: NDArray[np.floating], components: int, *, seed: int
) -> GaussianMixture:
    """Fit a mixture by expectation-maximisation, begun from k-means.

    Args:
        descriptors: (N, d) float, N >= `components`.
        components: The number K, at least 1.
        seed: Of the k-means; the same seed and descriptors give the same mixture.

    Returns:
        The mixture; no variance is below `LEAST_VARIANCE` of the descriptors' mean variance.

    Raises:
        ValueError: If there are fewer descriptors than components, or they are not finite.
        ModelError: If scikit-learn is missing.
    """
    values = check_descriptors(descriptors)
    if not 1 <= components <= len(values):
        raise ValueError(
            f"components must be in [1, {len(values)}], the number of descriptors, got {components}"
        )
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Estimator
    except ModuleNotFoundError as error:
        raise ModelError(
            "scikit-learn is missing: learning a mixture needs the extra `torch`: "
            "pip install 'snapshelf[torch]'"
        ) from error
    # In units of the descriptors' own spread: the estimator's floor is absolute.
    middle = values.mean(axis=0)
    spread = float(np.sqrt(values.var(axis=0).mean())) or 1.0
    estimator = Estimator(
        components,
        covariance_type="diag",
        reg_covar=LEAST_VARIANCE,
        max_iter=MOST_STEPS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Told of fewer distinct descriptors than components too; equal components do no harm.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit((values - middle) / spread)
    return GaussianMixture(
        weights=estimator.weights_.astype(np.float32),
        means=(estimator.means_ * spread + middle).astype(np.float32),
        variances=(estimator.covariances_ * spread**2).astype(np.float32),
    )
