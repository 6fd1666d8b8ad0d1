"""Training of the objectness network: a classifier on a backbone's features of boxes."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.boxed_picture import BoxedPicture
from snapshelf.locating.object_confidence import ObjectConfidence
from snapshelf.locating.object_examples import draw_examples
from snapshelf.locating.object_settings import ObjectSettings
from snapshelf.locating.proposals import Proposer
from snapshelf.locating.region_features import RegionFeatures

__all__ = ["fit_classifier", "train_objectness"]

MOST_STEPS = 300


def train_objectness(
    pictures: Sequence[BoxedPicture],
    proposer: Proposer,
    regions: RegionFeatures,
    settings: ObjectSettings | None = None,
    *,
    tell: Callable[[str], None] = lambda _line: None,
) -> ObjectConfidence:
    """Train a binary classifier of proposals: object or not (Section IV-A of the paper).

    The backbone keeps its weights, so each picture goes through it once and the classifier is a
    convex problem: the same pictures give the same weights.

    Args:
        pictures: With all of their objects boxed; what lies beside the boxes is background. Those
            without boxes are passed over.
        proposer: Makes the negative examples, and some of the positive ones.
        regions: Gives features of boxes.
        settings: None for the default.
        tell: Called with a line on what has been done.

    Returns:
        The confidence.

    Raises:
        ValueError: If there is no object, or no proposal apart from all of them.
        PictureError: If a picture cannot be read.
        ModelError: If scikit-learn is not installed.
    """
    settings = settings or ObjectSettings()
    rng = np.random.default_rng(settings.seed)
    features, labels = [], []
    for picture in pictures:
        if not len(picture.boxes):
            continue
        pixels = picture.read()
        proposals = proposer.propose(pixels)
        boxes, positive = draw_examples(picture.boxes, proposals.boxes, pixels.shape, settings, rng)
        features.append(regions.features(pixels, boxes))
        labels.append(positive)
    label = np.concatenate(labels) if labels else np.empty(0, np.bool_)
    tell(
        f"{np.count_nonzero(label)} boxes of objects and {np.count_nonzero(~label)} of none, "
        f"in {len(labels)} pictures"
    )
    if not label.any() or label.all():
        raise ValueError(
            "pictures must have objects, and proposals apart from them, "
            f"got {np.count_nonzero(label)} positive examples of {len(label)}"
        )
    weights, bias = fit_classifier(np.concatenate(features), label, settings.trade_off)
    return ObjectConfidence(regions, weights, bias)


def fit_classifier(
    features: NDArray[np.float32], positive: NDArray[np.bool_], trade_off: float
) -> tuple[NDArray[np.float32], float]:
    """Fit a logistic regression.

    ``1/2 |v|^2 + C sum s log(1 + exp(-y (v.z + b)))`` over the examples, z their features less the
    mean and over the standard deviation, s such that both kinds weigh alike; v is then taken back
    to features as they are.

    Args:
        features: (N, D) float32.
        positive: (N,) bool, of both kinds: whether y is 1 or -1.
        trade_off: C, positive.

    Returns:
        (D,) float32 weights and the bias, which float32 holds exactly.

    Raises:
        ModelError: If scikit-learn is not installed.
    """
    with torch_extra():
        from sklearn.linear_model import LogisticRegression
    mean, spread = features.mean(axis=0), features.std(axis=0)
    # A feature that never changes tells nothing, whatever it is divided by.
    spread[spread < 1e-6] = 1
    machine = LogisticRegression(C=trade_off, class_weight="balanced", max_iter=MOST_STEPS)
    machine.fit((features - mean) / spread, positive)
    weights: NDArray[np.float32] = (machine.coef_[0] / spread).astype(np.float32)
    bias = machine.intercept_[0] - weights.astype(np.float64) @ mean
    return weights, float(np.float32(bias))
