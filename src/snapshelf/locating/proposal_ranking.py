"""Proposals put in order by weighing several confidences: RankSVM.

Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
Algorithm 1 and Eq. 1-2: each proposal is ``h = [e, c, d]``, its quality ``f(h) = w . h``, and w is
learned so that of two proposals that with the larger IoU has the larger quality.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.confidence import Calibration

__all__ = ["ProposalRanking", "RankingSettings", "fit_ranking", "ordered_pairs"]

MOST_STEPS = 100_000
"""Of the solver, which ends long before where the pairs can be parted at all."""


@dataclass(frozen=True, slots=True)
class ProposalRanking:
    """Weights of confidences, as learned.

    Attributes:
        weights: One for each confidence, the objectness first (the paper's w).
        calibration: From a quality to the probability that the proposal covers an object.
    """

    weights: tuple[float, ...]
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        """Refuse weights that rank nothing.

        Raises:
            ValueError: If there is none, or one is not finite.
        """
        if not self.weights or not np.isfinite(self.weights).all():
            raise ValueError(f"weights must be finite, at least one, got {self.weights}")

    def quality(self, confidences: NDArray[np.floating]) -> NDArray[np.float32]:
        """Give ``f(h) = w . h`` of each proposal (the paper's J).

        Args:
            confidences: (P, K) float, one h a row.

        Returns:
            (P,) float32, larger is better.

        Raises:
            ValueError: If there are not as many confidences as weights.
        """
        if confidences.ndim != 2 or confidences.shape[1] != len(self.weights):
            raise ValueError(
                f"confidences must be (P, {len(self.weights)}), one for each weight, "
                f"got {confidences.shape}"
            )
        quality: NDArray[np.float32] = (confidences @ np.array(self.weights)).astype(np.float32)
        return quality

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        curve = self.calibration
        return {
            "weights": list(self.weights),
            "slope": curve.slope,
            "intercept": curve.intercept,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ProposalRanking":
        """Read back what `to_dict` gave.

        Raises:
            ModelError: If a value is missing, unknown or no finite number.
        """
        try:
            weights = tuple(float(weight) for weight in values["weights"])
            slope, intercept = float(values["slope"]), float(values["intercept"])
            if len(values) != 3 or not np.isfinite([slope, intercept]).all() or slope < 0:
                raise ValueError("expected weights, slope and intercept, finite, slope >= 0")
            return cls(weights, Calibration(slope, intercept))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"no ranking of proposals can be made of {values}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingSettings:
    """How `fit_ranking` learns. The paper gives neither number.

    Attributes:
        pairs: Pairs of proposals of each picture (its M).
        trade_off: C, positive.
        gap: Proposals whose IoU differ by no more than this make no pair: among the many that
            cover no object at all the IoU says little.
        covered: In (0, 1]: the IoU from which a proposal covers its object, for `calibration`.
        seed: Of the pairs' draw.
    """

    pairs: int = 200
    trade_off: float = 1.0
    gap: float = 0.1
    covered: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that learn nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if self.pairs < 1:
            raise ValueError(f"pairs must be at least 1, got {self.pairs}")
        if not self.trade_off > 0:
            raise ValueError(f"trade_off must be positive, got {self.trade_off}")
        if not 0 <= self.gap < 1:
            raise ValueError(f"gap must be in [0, 1), got {self.gap}")
        if not 0 < self.covered <= 1:
            raise ValueError(f"covered must be in (0, 1], got {self.covered}")


def ordered_pairs(
    overlaps: NDArray[np.floating], count: int, gap: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw pairs of one picture's proposals whose order is known (Algorithm 1, lines 8-13).

    Args:
        overlaps: (P,) float, the IoU of each proposal with the object that it covers best.
        count: Pairs to draw.
        gap: By more than this the two must differ.
        rng: Draws.

    Returns:
        (N, 2) int, N <= `count`, the better one first; as if drawn without regard to order and
        turned by the label y. None if no two proposals differ enough.
    """
    better, worse = np.nonzero(overlaps[:, None] > overlaps[None] + gap)
    if len(better) > count:
        drawn = rng.choice(len(better), count, replace=False)
        better, worse = better[drawn], worse[drawn]
    return np.stack([better, worse], axis=1)


def fit_ranking(
    confidences: Sequence[NDArray[np.floating]],
    overlaps: Sequence[NDArray[np.floating]],
    settings: RankingSettings | None = None,
) -> ProposalRanking:
    """Learn the weights of confidences (Algorithm 1, Eq. 2).

    ``1/2 |w|^2 + C sum l(w.h_s - w.h_t)`` over the pairs, with the hinge ``l(t) = max(0, 1 - t)``:
    a linear support vector machine without intercept on the differences. Confidences are brought
    to one spread first, so that C weighs them alike, and the weights then taken back.

    Args:
        confidences: For each picture (P, K) float, one h a row.
        overlaps: For each picture (P,) float: the proposals' IoU with the objects.
        settings: None for the default.

    Returns:
        The weights, and a calibration of the quality on the same proposals; where all of them
        cover an object, or none, that is the default one.

    Raises:
        ValueError: If the lengths differ, a confidence is not finite, or no two proposals of one
            picture differ in IoU.
        ModelError: If scikit-learn is not installed.
    """
    settings = settings or RankingSettings()
    with torch_extra():
        from sklearn.svm import LinearSVC
    rng = np.random.default_rng(settings.seed)
    differences = []
    for values, covered in zip(confidences, overlaps, strict=True):
        if values.ndim != 2 or covered.shape != values.shape[:1]:
            raise ValueError(
                f"confidences must be (P, K) and overlaps (P,), got {values.shape} "
                f"and {covered.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError("confidences must be finite, got NaN or infinity")
        pairs = ordered_pairs(covered, settings.pairs, settings.gap, rng)
        differences.append(values[pairs[:, 0]] - values[pairs[:, 1]])
    if not sum(map(len, differences)):
        raise ValueError(
            f"overlaps must differ by more than {settings.gap} within a picture, got no such pair"
        )
    every = np.concatenate(list(confidences)).astype(np.float64)
    spread = every.std(axis=0)
    spread[spread == 0] = 1
    # Half of the pairs are turned round: to the solver there must be two classes.
    turned = np.concatenate(differences) / spread
    label = np.where(np.arange(len(turned)) % 2, 1, -1)
    if len(turned) == 1:
        turned, label = np.concatenate([turned, turned]), np.array([1, -1])
    machine = LinearSVC(
        loss="hinge",
        C=settings.trade_off,
        fit_intercept=False,
        dual=True,
        max_iter=MOST_STEPS,
        random_state=settings.seed,
    )
    machine.fit(turned * label[:, None], label)
    weights = tuple(float(weight) for weight in machine.coef_[0] / spread)
    ranking = ProposalRanking(weights)
    return ProposalRanking(
        weights, _calibration(ranking.quality(every), np.concatenate(list(overlaps)), settings)
    )


def _calibration(
    quality: NDArray[np.float32], overlaps: NDArray[np.floating], settings: RankingSettings
) -> Calibration:
    from snapshelf.evaluation.calibration import fit_calibration

    right = overlaps >= settings.covered
    return Calibration() if right.all() or not right.any() else fit_calibration(quality, right)
