"""The rows of Tables 3 and 4: the printed figures, and what each row is made of."""

import dataclasses
import json
import shutil
from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from studio_looks import TINY, looks  # noqa: E402

from snapshelf.errors import MissingWeightsError, ModelError  # noqa: E402
from snapshelf.systems.given_system import GivenSystem  # noqa: E402
from snapshelf.systems.reproducible import REPRODUCIBLE  # noqa: E402
from snapshelf.systems.studio2shop_tables import METRICS, studio_rows, studio_tables  # noqa: E402
from snapshelf.systems.studio2shop_variants import VARIANTS, variant_settings  # noqa: E402
from snapshelf.training.monitor import Monitor  # noqa: E402
from snapshelf.training.studio_tables_settings import StudioTablesSettings  # noqa: E402
from tiny_asymnet import random_system  # noqa: E402

# Read off the paper once more, by hand: top-1, top-10, top-1 %, average and median.
PRINTED = {
    "static-fc14-linear": (0.005, 0.022, 0.166, 13502, 8139),
    "static-fc14-non-linear": (0.030, 0.121, 0.609, 1672, 258),
    "fc14-non-linear": (0.131, 0.423, 0.926, 230, 15),
    "128floats-non-linear": (0.132, 0.426, 0.909, 274, 15),
    "fdna-ranking-loss": (0.091, 0.372, 0.933, 177, 20),
    "fdna-linear": (0.121, 0.423, 0.936, 178, 15),
    "all-in-two-nets": (0.033, 0.181, 0.838, 620, 69),
    "studio2shop": (0.238, 0.613, 0.970, 89, 5),
}
TRANSFERRED = {
    "fc14-non-linear": (0.159, 0.565, 0.475, 32, 6),
    "studio2shop": (0.258, 0.712, 0.619, 17, 3),
}
VECTORS = __file__
"""Any file: rows are told apart by what is in it."""

CHECKED = ("top1", "top10", "top1pct", "mean_rank", "median_rank")

SETTINGS = StudioTablesSettings(
    **{field.name: getattr(TINY, field.name) for field in dataclasses.fields(TINY)}
    | {"fc14": "gist", "dimension": 5, "epochs": 1}
)


def rows(settings=SETTINGS):
    return {
        (table.name, row.name): row
        for table in studio_rows(settings, lambda *_: None, GivenSystem("fc14", settings.fc14))
        for row in table.rows
    }


def test_the_printed_figures():
    third, fourth = studio_rows(SETTINGS, lambda *_: None, GivenSystem("fc14", "gist"))
    for table, printed in ((third, PRINTED), (fourth, TRANSFERRED)):
        assert set(table.metrics) == set(METRICS)
        found = {row.name: tuple(row.published[each] for each in CHECKED) for row in table.rows}
        assert found == printed
    assert [row.name for row in third.rows] == list(VARIANTS) == list(PRINTED)
    assert REPRODUCIBLE["studio2shop"]().transferred == (fourth.name,)


def test_the_transferred_rows_are_the_systems_of_table_3():
    found = rows()
    for name in TRANSFERRED:
        assert found["table-4", name].training is found["table-3", name].training


def test_trainings_are_told_apart_by_what_they_depend_on():
    trainings = {row.training.name: row.training for row in rows().values()}
    for one, other in combinations(trainings.values(), 2):
        assert one.identity != other.identity, (one.name, other.name)
    for name, training in trainings.items():
        assert training.seeded == (name != "static-fc14-linear")
        assert json.loads(json.dumps(training.identity)) == training.identity


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({"seed": 9, "num_workers": 1, "depth": 3, "keep_checkpoints": 5}, set()),
        ({"fc14": "classical"}, {name for name in PRINTED if "fc14" in name}),
        (
            {"fashion_dna": dataclasses.replace(TINY.fashion_dna, fc1=17)},
            {"fdna-ranking-loss", "fdna-linear", "studio2shop"},
        ),
        ({"vectors": VECTORS}, {"128floats-non-linear"}),
        ({"epochs": 2}, set(PRINTED) - {"static-fc14-linear"}),
    ],
)
def test_a_setting_changes_the_rows_that_depend_on_it(change, differing):
    before, after = rows(), rows(dataclasses.replace(SETTINGS, **change))
    found = {
        name
        for (table, name), row in before.items()
        if row.training.identity != after[table, name].training.identity
    }
    assert found == differing


def test_features_that_are_trained_again_in_their_folder_are_others(tmp_path):
    folder = random_system(tmp_path / "named", 0)
    settings = dataclasses.replace(SETTINGS, fc14=str(folder))
    first, again = rows(settings), rows(settings)
    shutil.rmtree(folder)
    random_system(tmp_path / "named", 1)
    other = rows(settings)

    def differing(one, another):
        return {
            name
            for (table, name), row in one.items()
            if row.training.identity != another[table, name].training.identity
        }

    assert differing(first, again) == set()
    assert differing(first, other) == {name for name in PRINTED if "fc14" in name}
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match="the setting fc14: there is no system"):
        rows(settings)


def test_the_settings_of_table_2(tmp_path):
    def own(name):
        return variant_settings(name, TINY, tmp_path)

    assert own("static-fc14-non-linear").architecture == "static"
    assert own("fc14-non-linear") == own("studio2shop")
    assert own("studio2shop") == dataclasses.replace(TINY, articles=str(tmp_path), depth=0)
    linear, ranked = own("fdna-linear"), own("fdna-ranking-loss")
    assert (linear.matching, linear.loss, linear.compared) == ("linear", "cross-entropy", 4)
    assert (ranked.matching, ranked.loss, ranked.compared) == ("linear", "ranking", 5)
    both = variant_settings("all-in-two-nets", TINY, None)
    assert (both.architecture, both.loss, both.articles) == ("two-networks", "ranking", None)
    with pytest.raises(ValueError, match="static-fc14-linear trains nothing"):
        own("static-fc14-linear")


def test_every_row_can_be_made_and_features_are_made_once(tmp_path):
    data = looks(tmp_path / "looks")
    vectors = tmp_path / "vectors.npz"
    ids = [item.product_id for item in data.items]
    np.savez(vectors, ids=ids, vectors=np.random.default_rng(0).normal(size=(len(ids), 7)))
    settings = dataclasses.replace(SETTINGS, vectors=str(vectors))
    with studio_tables([data], settings, tmp_path / "pictures") as tables:
        made = {}
        for row in tables[0].rows:
            folder = tmp_path / row.name
            folder.mkdir()
            made[row.name] = row.training.make(0, folder / "system", Monitor())
        again = tables[0].rows[-1].training.make(0, tmp_path / "studio2shop/system", Monitor())
    fingerprints = {name: system.fingerprint for name, system in made.items()}
    assert len(set(fingerprints.values())) == len(made)
    assert again.fingerprint == fingerprints["studio2shop"]
    assert sorted(file.name.partition("-")[0] for file in (tmp_path / "articles").iterdir()) == [
        "fc14",
        "fdna",
    ]
    assert {name for name, system in made.items() if system.reranker is not None} == {
        "static-fc14-non-linear",
        "fc14-non-linear",
        "128floats-non-linear",
        "studio2shop",
    }
    assert made["128floats-non-linear"].encoder.dimension == 7


def test_a_base_whose_weights_are_not_here_leaves_its_rows_out(tmp_path, monkeypatch):
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SNAPSHELF_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    data = looks(tmp_path / "looks")
    settings = dataclasses.replace(SETTINGS, fc14="mobilenetv2")
    with (
        studio_tables([data], settings, tmp_path / "pictures") as tables,
        pytest.raises(MissingWeightsError),
    ):
        tables[0].rows[0].training.make(0, tmp_path / "out", Monitor())


def test_without_vectors_their_row_is_left_out(tmp_path):
    data = looks(tmp_path / "looks")
    with studio_tables([data], SETTINGS, tmp_path / "pictures") as tables:
        (row,) = (each for each in tables[0].rows if each.name == "128floats-non-linear")
        with pytest.raises(MissingWeightsError, match="vectors of articles that are given"):
            row.training.make(0, tmp_path / "out", Monitor())
    with pytest.raises(ModelError, match="there is no file of vectors"):
        rows(dataclasses.replace(SETTINGS, vectors=str(tmp_path / "none.npz")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matching": "linear"}, "matching must be left out for the tables"),
        ({"articles": "gist"}, "articles must be left out for the tables"),
        ({"devices": 2}, "devices must be 1 for the tables"),
        ({"fc14": ""}, "fc14 must be the name or folder"),
        ({"depth": -1}, "depth must be finite and at least 0"),
    ],
)
def test_settings_that_the_rows_differ_in(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, **change)
