"""Which trajectories and pictures make a batch of AsymNet's."""

import numpy as np
import pytest

from snapshelf.training.training_error import TrainingError
from snapshelf.training.trajectory_draws import TrajectoryDraws

PRODUCTS = [0, 0, 1, 2, 3, 3, 4]
PICTURES = [0, 1, 1, 1, 2, 3, 3, 9]
CATEGORIES = {0: "hat", 1: "hat", 2: "bag", 3: "bag", 4: "bag", 9: "shoe"}


def draws(**changes):
    given = {"batch": 2, "positives": 2, "seed": 1}
    return TrajectoryDraws(PRODUCTS, PICTURES, **given | changes)


def test_an_epoch_has_every_trajectory_once_with_pictures_of_both_kinds():
    made = draws()
    assert (len(made), made.usable, made.pairs) == (3, 6, 8)  # product 4 has no picture
    seen = [made.draw(0, number) for number in range(3)]
    assert sorted(np.concatenate([each.trajectories for each in seen])) == [0, 1, 2, 3, 4, 5]
    for batch in seen:
        assert batch.pictures.shape == batch.right.shape == (2, 4)
        for trajectory, rows, right in zip(*batch, strict=True):
            assert right.tolist() == [True, True, False, False]
            shown = [PICTURES[row] for row in rows]
            own = PRODUCTS[trajectory]
            assert [product == own for product in shown] == right.tolist()
            # Each once before one comes again, of right pictures and of other products.
            assert len(set(rows[:2])) == min(2, PICTURES.count(own))
            assert len(set(shown[2:])) == 2


def test_everything_follows_from_seed_epoch_and_batch():
    def flat(made, epoch, number):
        return [each.tolist() for each in made.draw(epoch, number)]

    first = flat(draws(), 3, 1)
    assert flat(draws(), 3, 1) == first
    others = [flat(draws(), 3, 0), flat(draws(), 4, 1), flat(draws(seed=2), 3, 1)]
    assert first not in others
    orders = [[flat(draws(), e, n)[0] for n in range(3)] for e in range(4)]
    assert any(each != orders[0] for each in orders)


def test_every_product_is_as_likely_to_be_the_wrong_one():
    made = draws(positives=1, batch=1)
    counts = dict.fromkeys([0, 1, 2, 3, 9], 0)
    for epoch in range(400):
        for number in range(6):
            batch = made.draw(epoch, number)
            if PRODUCTS[batch.trajectories[0]] == 0:
                counts[PICTURES[batch.pictures[0, 1]]] += 1
    assert counts.pop(0) == 0
    assert min(counts.values()) > 150
    assert sum(counts.values()) == 800


def test_within_a_category_and_one_category_alone():
    made = draws(categories=CATEGORIES, positives=3)
    for number in range(len(made)):
        for trajectory, rows, _ in zip(*made.draw(0, number), strict=True):
            groups = {CATEGORIES[PICTURES[row]] for row in rows}
            assert groups == {CATEGORIES[PRODUCTS[trajectory]]}
    alone = draws(categories=CATEGORIES, category="bag")
    drawn = [alone.draw(0, number).trajectories for number in range(len(alone))]
    assert alone.usable == 3
    assert set(np.concatenate(drawn).tolist()) <= {3, 4, 5}
    assert draws(batch=100).draw(0, 0).trajectories.shape == (6,)


def test_what_cannot_be_drawn():
    with pytest.raises(TrainingError, match="none of 7 trajectories in the category 'shoe' has"):
        draws(categories=CATEGORIES, category="shoe")
    with pytest.raises(TrainingError, match="none of 0 trajectories has"):
        TrajectoryDraws([], PICTURES, batch=1, positives=1)
    with pytest.raises(TrainingError, match="none of 1 trajectories has"):
        TrajectoryDraws([0], [0, 0], batch=1, positives=1)
    with pytest.raises(ValueError, match="needs the products' categories"):
        draws(category="bag")
    for change in ({"batch": 0}, {"positives": 0}):
        with pytest.raises(ValueError, match="must be at least 1"):
            draws(**change)
