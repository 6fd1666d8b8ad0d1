"""The rows of Table I and of the levels: the printed figures, and what each row is made of."""

import dataclasses
import json
from itertools import combinations

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

import coloured_products  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.level_weights import LevelWeights  # noqa: E402
from snapshelf.systems.reproducible import REPRODUCIBLE  # noqa: E402
from snapshelf.systems.three_level_tables import (  # noqa: E402
    three_level_rows,
    three_level_tables,
)
from snapshelf.training.monitor import Monitor  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

# Read off the paper once more, by hand, in percent.
PRINTED = {
    "gist": 11.13,
    "dsift-fisher": 20.04,
    "pretrained-fc1": 28.28,
    "sag-fc1": 44.67,
    "metric": 52.43,
    "three-level": 66.92,
}

LEVELS = {
    "without-level-1": LevelWeights(whole=0.0),
    "without-level-2": LevelWeights(region=0.0),
    "without-level-3": LevelWeights(parts=0.0),
    "without-conv5": LevelWeights(conv5=False),
    "all": LevelWeights(),
}

TINY = dataclasses.replace(
    coloured_products.TINY,
    parts_dimension=4,
    dimension=4,
    street_epochs=1,
    shop_epochs=1,
    batch=2,
)


def rows(settings=TINY):
    """Every row by its table and name, with the settings that it is asked to be made with."""
    asked = {}

    def note(name, own, folder, monitor):
        asked[name] = own

    tables = three_level_rows(settings, note)
    return tables, {(table.name, row.name): row for table in tables for row in table.rows}, asked


def ask(row, asked, seed=7):
    row.training.make(seed, None, Monitor())
    return asked[row.training.name]


def test_the_printed_figures():
    (first, second), _, _ = rows()
    found = {row.name: 100 * row.published["top20"] for row in first.rows}
    assert found == pytest.approx(PRINTED)
    assert [row.name for row in second.rows] == list(LEVELS)
    assert all(not row.published for row in second.rows)
    assert "top20" in first.metrics
    (claim,) = second.claims
    assert set(claim.pairs) == {("all", name) for name in LEVELS if name != "all"}


def test_each_row_has_the_levels_that_it_says():
    _, found, asked = rows()
    for name, levels in LEVELS.items():
        own = ask(found["levels", name], asked)
        assert own == dataclasses.replace(TINY, levels=levels, seed=7)
    alone = ask(found["table-1", "sag-fc1"], asked)
    assert alone.levels == LevelWeights(region=0.0, parts=0.0, conv5=False)
    assert not alone.projected
    assert found["table-1", "three-level"].training is found["levels", "all"].training


def test_trainings_are_told_apart_by_what_they_depend_on():
    _, found, _ = rows()
    trainings = {row.training.name: row.training for row in found.values()}
    for one, other in combinations(trainings.values(), 2):
        assert (one.name, one.identity) != (other.name, other.identity)
    for name, training in trainings.items():
        assert training.seeded == (name not in ("gist", "pretrained-fc1"))
        assert json.loads(json.dumps(training.identity)) == training.identity


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"seed": 5, "num_workers": 1, "picture_memory_mb": 3, "keep_checkpoints": 9}, set()),
        ({"dimension": 5}, {"three-level", "no-1", "no-2", "no-3", "no-conv5"}),
        (
            {"learning_rate": 0.5},
            {"sag-fc1", "three-level", "no-1", "no-2", "no-3", "no-conv5"},
        ),
        (
            {"size": 48},
            {"pretrained-fc1", "metric", "sag-fc1", "three-level"}
            | {"no-1", "no-2", "no-3", "no-conv5"},
        ),
    ],
)
def test_a_setting_changes_the_rows_that_depend_on_it(changes, differing):
    def identities(settings):
        return {row.training.name: row.training.identity for row in rows(settings)[1].values()}

    before, after = identities(TINY), identities(dataclasses.replace(TINY, **changes))
    assert {name for name in before if before[name] != after[name]} == differing


def test_a_weights_file_counts_by_its_contents(tmp_path):
    def identity(name, contents):
        (tmp_path / name).write_bytes(contents)
        settings = dataclasses.replace(TINY, weights=str(tmp_path / name))
        return rows(settings)[1]["table-1", "pretrained-fc1"].training.identity

    assert identity("a", b"one") == identity("b", b"one") != identity("a", b"two")
    with pytest.raises(ModelError, match="there is no weights file"):
        rows(dataclasses.replace(TINY, weights=str(tmp_path / "none")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": LevelWeights(parts=0.0)}, "levels must have no 0 and conv5"),
        ({"levels": LevelWeights(conv5=False)}, "levels must have no 0 and conv5"),
        ({"devices": 2}, "devices must be 1 for the tables, got 2"),
    ],
)
def test_recipes_without_these_tables_are_refused(changes, message):
    with pytest.raises(TrainingError, match=message):
        rows(dataclasses.replace(TINY, **changes))


def test_they_are_what_reproduce_makes():
    assert REPRODUCIBLE["three-level"]().tables is three_level_tables
