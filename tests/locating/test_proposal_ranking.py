"""RankSVM against its objective minimised by small steps, and the locator that uses it."""

import json

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.proposal_ranking import ProposalRanking, RankingSettings, ordered_pairs
from snapshelf.locating.proposals import Proposals
from snapshelf.locating.ranked_proposals import RankedProposals, proposal_features, train_ranking
from snapshelf.matching.confidence import Calibration


def test_pairs_are_ordered_by_iou():
    rng = np.random.default_rng(0)
    overlaps = rng.integers(0, 5, 12) / 4
    pairs = ordered_pairs(overlaps, 10_000, 0.25, rng)
    expected = {
        (better, worse)
        for better in range(12)
        for worse in range(12)
        if overlaps[better] > overlaps[worse] + 0.25
    }
    assert {tuple(pair) for pair in pairs.tolist()} == expected
    assert len(pairs) == len(expected)
    drawn = ordered_pairs(overlaps, 7, 0.25, rng)
    assert len({tuple(pair) for pair in drawn.tolist()} & expected) == 7


def test_equal_overlaps_make_no_pair():
    rng = np.random.default_rng(0)
    assert ordered_pairs(np.full(5, 0.7), 9, 0.0, rng).shape == (0, 2)
    assert ordered_pairs(np.empty(0), 9, 0.0, rng).shape == (0, 2)


def slow_rank_svm(differences, trade_off):
    """Minimise Eq. 2 by subgradient steps, keeping the best weights seen."""
    weights = np.zeros(differences.shape[1])
    best = np.inf, weights
    for step in range(1, 40_000):
        margins = differences @ weights
        loss = 0.5 * weights @ weights + trade_off * np.maximum(1 - margins, 0).sum()
        if loss < best[0]:
            best = loss, weights
        slope = weights - trade_off * differences[margins < 1].sum(axis=0)
        weights = weights - slope / (step + 20)
    return best


def test_weights_minimise_the_objective():
    sklearn = pytest.importorskip("sklearn")
    assert sklearn
    from snapshelf.locating.proposal_ranking import fit_ranking

    rng = np.random.default_rng(2)
    overlaps = rng.uniform(0, 1, 12)
    noise = rng.normal(0, 0.4, (12, 3))
    # One confidence that helps, one that misleads, and one that tells nothing.
    confidences = np.stack([overlaps, -0.5 * overlaps, np.zeros(12)], axis=1) + noise
    confidences /= confidences.std(axis=0)
    settings = RankingSettings(pairs=10_000, gap=0, trade_off=0.05)
    ranking = fit_ranking([confidences], [overlaps], settings)
    pairs = ordered_pairs(overlaps, 10_000, 0, rng)
    differences = confidences[pairs[:, 0]] - confidences[pairs[:, 1]]
    loss, expected = slow_rank_svm(differences, 0.05)
    found = np.array(ranking.weights)
    margins = differences @ found
    assert 0.5 * found @ found + 0.05 * np.maximum(1 - margins, 0).sum() == pytest.approx(
        loss, rel=1e-3
    )
    assert found == pytest.approx(expected, abs=0.02)
    assert found[0] > 0 > found[1]


def test_the_ranking_is_better_than_each_confidence_alone():
    pytest.importorskip("sklearn")
    from snapshelf.locating.proposal_ranking import fit_ranking

    rng = np.random.default_rng(3)

    def picture():
        overlaps = rng.beta(0.5, 2, 60)
        scales, spread = (0.02, 1.0, 30.0), (1.0, 0.7, 0.9)
        columns = [
            scale * (overlaps + rng.normal(0, 0.3 * wide, 60))
            for scale, wide in zip(scales, spread, strict=True)
        ]
        return np.stack(columns, axis=1), overlaps

    train, test = [picture() for _ in range(40)], [picture() for _ in range(200)]
    ranking = fit_ranking(*zip(*train, strict=True))

    def top_overlap(quality):
        return np.mean([overlaps[quality(h).argmax()] for h, overlaps in test])

    together = top_overlap(ranking.quality)
    alone = [top_overlap(lambda h, column=column: h[:, column]) for column in range(3)]
    assert together > max(alone) + 0.02
    # The calibration says how often a quality covers an object.
    quality = np.concatenate([ranking.quality(h) for h, _ in test])
    right = np.concatenate([overlaps for _, overlaps in test]) >= 0.5
    told = np.array([ranking.calibration.confidence(float(value)) for value in quality])
    assert told.mean() == pytest.approx(right.mean(), abs=0.03)
    sure = told > 0.5
    assert right[sure].mean() == pytest.approx(told[sure].mean(), abs=0.08)


@pytest.mark.parametrize(
    ("confidences", "overlaps", "message"),
    [
        ([np.zeros((3, 2))], [np.zeros(3)], "must differ by more than 0.1 within a picture"),
        ([np.zeros((0, 2))], [np.zeros(0)], "got no such pair"),
        ([np.zeros((3, 2))], [np.zeros(2)], r"confidences must be \(P, K\) and overlaps \(P,\)"),
        ([np.full((2, 1), np.nan)], [np.array([0, 1])], "must be finite"),
        ([np.zeros((2, 1))], [], "zip"),
    ],
)
def test_what_cannot_be_learned_from_is_named(confidences, overlaps, message):
    pytest.importorskip("sklearn")
    from snapshelf.locating.proposal_ranking import fit_ranking

    with pytest.raises(ValueError, match=message):
        fit_ranking(confidences, overlaps)


def test_one_pair_is_enough():
    pytest.importorskip("sklearn")
    from snapshelf.locating.proposal_ranking import fit_ranking

    ranking = fit_ranking([np.array([[0.2], [0.9]])], [np.array([0.0, 1.0])])
    assert ranking.weights[0] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": 0}, "pairs must be at least 1"),
        ({"trade_off": 0}, "trade_off must be positive"),
        ({"gap": 1}, r"gap must be in \[0, 1\)"),
        ({"covered": 0}, r"covered must be in \(0, 1\]"),
    ],
)
def test_settings_that_learn_nothing_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        RankingSettings(**settings)


def test_a_ranking_comes_back_from_json():
    ranking = ProposalRanking((0.5, -2.0, 3.0), Calibration(4.0, -1.0))
    assert ProposalRanking.from_dict(json.loads(json.dumps(ranking.to_dict()))) == ranking


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"weights": [1], "slope": 1},
        {"weights": [], "slope": 1, "intercept": 0},
        {"weights": ["x"], "slope": 1, "intercept": 0},
        {"weights": [1], "slope": -1, "intercept": 0},
        {"weights": [1], "slope": 1, "intercept": float("nan")},
        {"weights": [1], "slope": 1, "intercept": 0, "other": 0},
        {"weights": 1, "slope": 1, "intercept": 0},
    ],
)
def test_what_is_no_ranking_is_named(values):
    with pytest.raises(ModelError, match="no ranking of proposals can be made of"):
        ProposalRanking.from_dict(values)


class Fixed:
    """A `Proposer` of given boxes."""

    fingerprint = "fixed"

    def __init__(self, boxes, objectness):
        self.proposals = Proposals(as_boxes(boxes), np.array(objectness, np.float32))

    def propose(self, picture):
        return self.proposals


class Named:
    """A `ProposalConfidence` with a value for each box."""

    def __init__(self, values, name="named"):
        self.values = np.array(values, np.float32)
        self.fingerprint = name

    def confidences(self, picture, boxes):
        return self.values


PICTURE = np.zeros((40, 60, 3), np.uint8)
BOXES = [[0, 0, 20, 20], [1, 0, 20, 20], [30, 10, 50, 40], [0, 0, 60, 40]]


def test_the_best_of_several_confidences_become_regions():
    proposer = Fixed(BOXES, [0.9, 0.8, 0.5, 0.1])
    locator = RankedProposals(
        proposer,
        (Named([0.1, 0.5, 0.9, 0.0]),),
        ProposalRanking((1.0, 2.0), Calibration(1.0, 0.0)),
        most=2,
    )
    first, second = locator.locate(PICTURE)
    # Qualities are 1.1, 1.8, 2.3 and 0.1; the first two overlap.
    assert first.box == (30, 10, 50, 40)
    assert second.box == (1, 0, 20, 20)
    assert first.confidence == pytest.approx(1 / (1 + np.exp(-2.3)))
    assert 1 >= first.confidence > second.confidence >= 0


def test_the_whole_picture_can_be_the_best():
    locator = RankedProposals(Fixed(BOXES, [0.2, 0.2, 0.2, 0.6]), most=1)
    assert locator.locate(PICTURE)[0].box == (0, 0, 60, 40)


def test_unlikely_regions_are_dropped_but_never_all():
    proposer = Fixed(BOXES, [0.9, 0.8, 0.5, 0.1])
    ranking = ProposalRanking((1.0,), Calibration(1.0, -3.0))
    assert len(RankedProposals(proposer, ranking=ranking, least=0.9).locate(PICTURE)) == 1
    assert len(RankedProposals(proposer, ranking=ranking).locate(PICTURE)) == 3


def test_the_fingerprint_tells_every_setting():
    def locator(name="a", weights=(1.0, 1.0), **options):
        return RankedProposals(
            Fixed(BOXES, [0] * 4), (Named([0] * 4, name),), ProposalRanking(weights), **options
        )

    prints = {
        locator().fingerprint,
        locator("b").fingerprint,
        locator(weights=(1.0, 2.0)).fingerprint,
        locator(most=3).fingerprint,
        locator(overlap=0.4).fingerprint,
        locator(least=0.4).fingerprint,
    }
    assert len(prints) == 6
    assert locator().fingerprint == locator().fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidences": (Named([0]),)}, "ranking must have 2 weights, .* got 1"),
        ({"most": 0}, "most must be at least 1"),
        ({"overlap": -0.1}, r"must be in \[0, 1\]"),
        ({"least": 1.1}, r"must be in \[0, 1\]"),
    ],
)
def test_what_makes_no_locator_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        RankedProposals(Fixed(BOXES, [0] * 4), **options)


@pytest.mark.parametrize("values", [[0, 0, 0], [0, 0, 0, float("nan")], [[0, 0, 0, 0]]])
def test_a_confidence_that_gives_something_else_is_named(values):
    proposals = Fixed(BOXES, [0] * 4).proposals
    with pytest.raises(ValueError, match="Named must give 4 finite confidences"):
        proposal_features(PICTURE, proposals, (Named(values),))


def test_weights_of_nothing_rank_nothing():
    with pytest.raises(ValueError, match="at least one"):
        ProposalRanking(())
    with pytest.raises(ValueError, match="must be finite"):
        ProposalRanking((float("inf"),))
    with pytest.raises(ValueError, match=r"confidences must be \(P, 2\)"):
        ProposalRanking((1.0, 1.0)).quality(np.zeros((3, 1)))
    assert ProposalRanking((1.0,)).quality(np.zeros((0, 1))).shape == (0,)


def test_training_takes_the_object_that_is_covered_best(draw):
    pytest.importorskip("sklearn")
    drawn = [draw(seed, objects=2) for seed in range(6)]
    lines = []

    class Both:
        """A confidence that knows both objects, and one that misleads."""

        fingerprint = "both"
        sign = 1

        def confidences(self, picture, boxes):
            (known,) = [each.boxes for each in drawn if each.pixels is picture]
            return self.sign * iou(boxes, known).max(axis=1)

    class Neither(Both):
        sign = -1

    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 150, (80, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(20, 70, (80, 2))], axis=1)
    proposer = Fixed(boxes, np.sort(rng.uniform(0, 1, 80))[::-1])
    nothing = type(drawn[0])(drawn[0].pixels, as_boxes([]))
    ranking = train_ranking([*drawn, nothing], proposer, (Both(), Neither()), tell=lines.append)
    assert ranking.weights[1] > 0 > ranking.weights[2]
    assert "of 6 pictures" in lines[0]
    with pytest.raises(ValueError, match="pictures must have boxes, got none"):
        train_ranking([nothing], proposer, ())
