"""The rows of MTV-CNN's tables: the printed figures, and which training each stands for."""

import dataclasses
import json
from itertools import combinations

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.systems.mtv_tables import mtv_rows, mtv_tables, pretrained_features  # noqa: E402
from snapshelf.systems.reproducible import REPRODUCIBLE  # noqa: E402
from snapshelf.training.monitor import Monitor  # noqa: E402
from snapshelf.training.mtv_settings import MtvSettings, Stage  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

# Read off the paper once more, by hand, in percent.
PRINTED = {
    "table-1": [
        (6.16, 13.93, 16.32),
        (7.77, 16.52, 18.77),
        (14.97, 28.83, 32.27),
        (23.47, 50.60, 58.53),
        (33.65, 59.24, 65.69),
        (37.42, 66.87, 73.26),
    ],
    "table-2": [
        (33.65, 59.24, 65.69),
        (33.45, 61.90, 67.96),
        (35.13, 63.60, 69.71),
        (35.33, 64.60, 71.05),
    ],
    "table-3": [(30.74, 58.60, 65.78), (37.42, 66.87, 73.26)],
}

TINY = MtvSettings(
    backbone="test_resnet",
    weights="random",
    size=32,
    stages=(Stage(epochs=3), Stage(epochs=2, share=0.5, weighting=True)),
)


def rows(settings=TINY, train=None):
    """Every row by its table and name, with the settings that its training is asked for."""
    asked = {}

    def note(name, own, folder, monitor):
        asked[name] = own

    tables = mtv_rows(settings, train or note)
    return tables, {(table.name, row.name): row for table in tables for row in table.rows}, asked


def ask(row, asked, seed=7):
    row.training.make(seed, None, Monitor())
    return asked[row.training.name]


def test_the_printed_figures():
    tables, _, _ = rows()
    assert [table.name for table in tables] == list(PRINTED)
    for table in tables:
        for row, printed in zip(table.rows, PRINTED[table.name], strict=True):
            assert list(row.published) == ["top1", "top10", "top20"]
            assert [100 * value for value in row.published.values()] == pytest.approx(printed)


def test_each_row_has_the_loss_and_the_tasks_that_it_says():
    _, found, asked = rows()
    losses = {
        name: (own.loss, own.attribute_prediction, own.view_invariance)
        for (_, name), row in found.items()
        if name not in ("dsift-fisher", "hessian-vlad", "pretrained")
        for own in [ask(row, asked)]
    }
    assert losses == {
        "siamese": ("contrastive", False, False),
        "triplet": ("hinge", False, False),
        "mtv": ("ratio", True, True),
        "tn": ("ratio", False, False),
        "tn-ap": ("ratio", True, False),
        "tn-vi": ("ratio", False, True),
        "tn-ap-vi": ("ratio", True, True),
        "stage-1": ("ratio", True, True),
        "stage-1-2": ("ratio", True, True),
    }


def test_the_batchs_negatives_are_of_the_ratio_loss_only():
    _, found, asked = rows(dataclasses.replace(TINY, batch_negatives=True))
    for row in found.values():
        if row.training.name not in ("fisher", "vlad", "pretrained"):
            own = ask(row, asked)
            assert own.batch_negatives == (own.loss == "ratio"), row.name
    assert {"hinge", "contrastive"} <= {own.loss for own in asked.values()}


def test_all_but_stage_1_learn_for_as_many_epochs():
    _, found, asked = rows()
    for (_, name), row in found.items():
        own = ask(row, asked)
        if name == "stage-1":
            assert own.stages == TINY.stages[:1]
        elif name in ("mtv", "stage-1-2"):
            assert own.stages == TINY.stages
        elif name in ("siamese", "triplet", "tn", "tn-ap", "tn-vi", "tn-ap-vi"):
            assert own.stages == (Stage(epochs=5),)
        # Nothing else differs from the recipe.
        same = dataclasses.replace(
            own,
            **{
                field: getattr(TINY, field)
                for field in ("loss", "stages", "attribute_prediction", "view_invariance", "seed")
            },
        )
        assert same == TINY
        assert own.seed == (TINY.seed if name == "pretrained" else 7)


def test_the_proposed_network_is_trained_once_for_both_tables():
    _, found, _ = rows()
    assert found["table-1", "mtv"].training is found["table-3", "stage-1-2"].training
    others = {row.training.name: row.training for row in found.values()}
    assert len(others) == len(found) - 1
    for one, other in combinations(others.values(), 2):
        assert one.identity != other.identity


def test_the_recipes_own_losses_tasks_and_seed_change_no_row():
    changed = dataclasses.replace(
        TINY, loss="hinge", attribute_prediction=False, view_invariance=False, seed=9
    )
    kept = dataclasses.replace(TINY, num_workers=1, picture_memory_mb=5, keep_checkpoints=9)
    before = [row.training.identity for row in rows()[1].values()]
    for same in (changed, kept):
        assert [row.training.identity for row in rows(same)[1].values()] == before
    other = dataclasses.replace(TINY, learning_rate=0.5)
    differing = [
        name for (_, name), row in rows(other)[1].items() if row.training.identity not in before
    ]
    assert differing == [
        *("siamese", "triplet", "mtv", "tn", "tn-ap", "tn-vi", "tn-ap-vi", "stage-1", "stage-1-2")
    ]


def test_identities_are_plain_json():
    for row in rows()[1].values():
        assert json.loads(json.dumps(row.training.identity)) == row.training.identity


def test_a_weights_file_counts_by_its_contents(tmp_path):
    def identity(name, contents):
        (tmp_path / name).write_bytes(contents)
        settings = dataclasses.replace(TINY, weights=str(tmp_path / name))
        return rows(settings)[1]["table-2", "tn"].training.identity

    assert identity("a", b"one") == identity("b", b"one") != identity("a", b"two")
    with pytest.raises(ModelError, match="there is no weights file"):
        rows(dataclasses.replace(TINY, weights=str(tmp_path / "none")))


def test_a_warm_up_is_no_longer_than_the_training():
    long = dataclasses.replace(TINY, warmup_epochs=4.0)
    _, found, asked = rows(long)
    assert ask(found["table-3", "stage-1"], asked).warmup_epochs == 3
    assert ask(found["table-2", "tn"], asked).warmup_epochs == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": (Stage(epochs=5),)}, "stages must be two or more"),
        ({"stages": (Stage(share=0.4), Stage(share=0.2))}, "the first without a share"),
        ({"devices": 2}, "devices must be 1 for the tables, got 2"),
        ({"locator": "somewhere"}, "locator must be left out for the tables.*got 'somewhere'"),
    ],
)
def test_recipes_without_these_tables_are_refused(changes, message):
    with pytest.raises(TrainingError, match=message):
        rows(dataclasses.replace(TINY, **changes))


def test_pretrained_features_are_the_backbones_and_have_their_inputs_in_the_fingerprint():
    small, large = (pretrained_features(dataclasses.replace(TINY, size=size)) for size in (32, 48))
    assert small.encoder.dimension != TINY.dimension
    assert small.fingerprint != large.fingerprint
    assert REPRODUCIBLE["mtv"]().tables is mtv_tables
