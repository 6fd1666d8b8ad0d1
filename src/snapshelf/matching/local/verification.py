"""Geometric verification: which matches agree on one mapping of a picture onto another.

The mapping, a homography or an affine one, is estimated with MAGSAC++ (Barath, Noskova,
Ivashechkin, Matas: MAGSAC++, a Fast, Reliable and Accurate Robust Estimator, CVPR 2020), through
OpenCV's USAC, which draws the same samples every time.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MODELS", "Model", "Verified", "verify_matches"]

Model = Literal["affine", "homography"]

MODELS: dict[Model, int] = {"affine": 3, "homography": 4}
"""How many matches decide each mapping. One more is needed for any of them to be verified."""

ITERATIONS = 1000
CONFIDENCE = 0.999

LARGEST_CHANGE = 50.0
"""A mapping that changes areas by more than this is no view of the same thing."""


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """The mapping that most matches agree on.

    Attributes:
        inliers: (K,) bool, which of the matches do.
        mapping: (3, 3) float64, from the query's points to the candidate's, in homogeneous
            coordinates; None where no mapping was found, and no match is an inlier.
    """

    inliers: NDArray[np.bool_]
    mapping: NDArray[np.float64] | None


def verify_matches(
    query: NDArray[np.float32],
    candidate: NDArray[np.float32],
    *,
    model: Model,
    threshold: float,
) -> Verified:
    """Find the mapping that most matches agree on.

    Args:
        query: (K, 2) float32, x and y of the matched key points of the query.
        candidate: (K, 2) float32, where each is in the candidate, in the units of `threshold`.
        model: What kind of mapping.
        threshold: Above 0: MAGSAC's upper bound of the noise, the farthest an inlier lies from
            where it is mapped to.

    Returns:
        The inliers; none of fewer matches than the mapping needs and one more, of points that lie
        in one place or line, or of a mapping that mirrors or changes areas by more than
        `LARGEST_CHANGE`.

    Raises:
        ValueError: If the points are not two arrays (K, 2), or `threshold` is not above 0.
    """
    if query.shape != candidate.shape or query.ndim != 2 or query.shape[1] != 2:
        raise ValueError(
            f"query and candidate must be (K, 2) both, got {query.shape} and {candidate.shape}"
        )
    if not threshold > 0:
        raise ValueError(f"threshold must be above 0, got {threshold}")
    nothing = Verified(np.zeros(len(query), np.bool_), None)
    if len(query) <= MODELS[model]:
        return nothing
    mapping, inliers = _estimate(query, candidate, model, threshold)
    if mapping is None or not np.isfinite(mapping).all():
        return nothing
    if inliers.sum() <= MODELS[model] or not _is_view(mapping, query[inliers].mean(axis=0)):
        return nothing
    return Verified(inliers, mapping)


def _estimate(
    query: NDArray[np.float32], candidate: NDArray[np.float32], model: Model, threshold: float
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """Call OpenCV; it fails with an error on some degenerate points, with None on others."""
    try:
        if model == "homography":
            found, mask = cv2.findHomography(
                query,
                candidate,
                cv2.USAC_MAGSAC,
                threshold,
                maxIters=ITERATIONS,
                confidence=CONFIDENCE,
            )
        else:
            found, mask = cv2.estimateAffine2D(
                query,
                candidate,
                method=cv2.USAC_MAGSAC,
                ransacReprojThreshold=threshold,
                maxIters=ITERATIONS,
                confidence=CONFIDENCE,
            )
    except cv2.error:
        return None, np.zeros(len(query), np.bool_)
    if found is None or mask is None:
        return None, np.zeros(len(query), np.bool_)
    mapping = np.asarray(found, np.float64)
    if model == "affine":
        mapping = np.vstack([mapping, (0.0, 0.0, 1.0)])
    return mapping, np.asarray(mask).reshape(-1) > 0


def _is_view(mapping: NDArray[np.float64], place: NDArray[np.float32]) -> bool:
    """Whether the mapping, around a place, neither mirrors nor changes areas beyond reason."""
    x, y, w = mapping @ (*place.astype(np.float64), 1.0)
    if abs(w) < 1e-9:
        return False
    # The derivative of (x / w, y / w) by the place.
    jacobian = (mapping[:2, :2] - np.outer((x / w, y / w), mapping[2, :2])) / w
    change = float(np.linalg.det(jacobian))
    return 1 / LARGEST_CHANGE < change < LARGEST_CHANGE
