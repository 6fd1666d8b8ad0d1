"""The tables of `hybrid`: printed figures, what each row is, and that nothing is done twice."""

import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.torch

import huggingface_hub  # noqa: E402
from printed_labels import Labels  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from snapshelf.errors import DatasetError, MissingWeightsError, ModelError  # noqa: E402
from snapshelf.evaluation import evaluate  # noqa: E402
from snapshelf.evaluation.reproduce import reproduce  # noqa: E402
from snapshelf.features import shared_backbone  # noqa: E402
from snapshelf.features.paper_backbones import PAPER_BACKBONES  # noqa: E402
from snapshelf.matching.local import (  # noqa: E402
    keypoint_method,
    published_reranking,
    verified_reranking,
)
from snapshelf.matching.local.settings import LocalSettings  # noqa: E402
from snapshelf.systems.hybrid import DEFAULT_FUSION  # noqa: E402
from snapshelf.systems.hybrid_tables import hybrid_rows, hybrid_tables  # noqa: E402
from snapshelf.systems.hybrid_variants import HybridTablesSettings, table_name  # noqa: E402
from snapshelf.systems.registry import load_system  # noqa: E402
from snapshelf.systems.reproducible import REPRODUCIBLE  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402

# Read off the paper once more, by hand: line by line, MAC, R-MAC, RA-MAC, SPoC.
PRINTED = """
Table 1: VGGNet
L1 w/o       0.2260 0.1917 0.2040 0.1745
L1 SIFT      0.2517 0.2317 0.2600 0.2387
L2 w/o       0.2229 0.1882 0.2187 0.1783
L2 SIFT      0.2737 0.2478 0.2875 0.2208
Cosine w/o   0.2229 0.1882 0.2187 0.1783
Cosine SIFT  0.2701 0.2415 0.2878 0.2162
Table 2: ResNet
L1 w/o       0.2834 0.2624 0.2938 0.2517
L1 SIFT      0.3762 0.3433 0.3700 0.2942
L2 w/o       0.2822 0.2774 0.2961 0.2327
L2 SIFT      0.3545 0.3392 0.3631 0.2573
Cosine w/o   0.2822 0.2774 0.2961 0.2327
Cosine SIFT  0.3603 0.3392 0.3685 0.2637
Table 3: ResNeXt
L1 w/o       0.3059 0.2709 0.2827 0.2552
L1 SIFT      0.3675 0.3515 0.3423 0.3128
L2 w/o       0.3046 0.2648 0.2750 0.2210
L2 SIFT      0.3658 0.3550 0.3517 0.2945
Cosine w/o   0.3046 0.2648 0.2750 0.2210
Cosine SIFT  0.3725 0.3600 0.3517 0.2942
Table 4: SENet
L1 w/o       0.2786 0.2853 0.2809 0.2629
L1 SIFT      0.3488 0.3301 0.3623 0.3304
L2 w/o       0.2923 0.2964 0.3329 0.2674
L2 SIFT      0.3728 0.3401 0.3653 0.3010
Cosine w/o   0.2923 0.2964 0.3329 0.2674
Cosine SIFT  0.3787 0.3406 0.3703 0.3001
"""
POOLINGS = ("MAC", "R-MAC", "RA-MAC", "SPoC")


def printed():
    """Give the figures by table, line and column."""
    figures, title = {}, ""
    for line in PRINTED.strip().splitlines():
        if line.startswith("Table"):
            title = line
            continue
        name, *numbers = re.split("  +", line, maxsplit=1)
        for pooling, number in zip(POOLINGS, numbers[0].split(), strict=True):
            figures[title, name, pooling] = float(number)
    assert len(figures) == 96
    return figures


def never(variant, folder, monitor):
    raise AssertionError("nothing is made here")


def rows_of(backbone, fitted_on=(), **settings):
    own = HybridTablesSettings(backbones=(backbone,), **settings)
    (table,) = hybrid_rows(own, never, fitted_on=fitted_on)
    return {row.name: row for row in table.rows}


# --- the layout ---------------------------------------------------------------------------


def test_the_printed_figures_stand_beside_every_backbone_of_their_table():
    figures = printed()
    tables = hybrid_rows(HybridTablesSettings(), never)
    assert [table.name for table in tables] == [*map(table_name, PAPER_BACKBONES), "mobilenetv2"]
    for table in tables:
        family = table.title.partition(",")[0]
        found = {(family, *row.place): row.published["map7"] for row in table.rows if row.published}
        own = {place: value for place, value in figures.items() if place[0] == family}
        assert found == own, table.name
        assert len(own) == (0 if table.name == "mobilenetv2" else 24)
    titles = [table.title for table in tables]
    assert titles[0] == "Table 1: VGGNet, vgg16"
    assert titles[3:5] == ["Table 2: ResNet, resnet152", "Table 3: ResNeXt, resnext50"]
    assert titles[-1] == "mobilenetv2, not in the paper"


def test_every_combination_has_a_row_in_a_place_of_its_own():
    (table,) = hybrid_rows(HybridTablesSettings(backbones=("resnet50",)), never)
    assert table.metrics == ("map7",)
    assert len({row.name for row in table.rows}) == len({row.place for row in table.rows}) == 36
    assert list(dict.fromkeys(row.place[0] for row in table.rows)) == [
        *("L1 w/o", "L1 SIFT", "L1 verified", "L2 w/o", "L2 SIFT", "L2 verified"),
        *("Cosine w/o", "Cosine SIFT", "Cosine verified"),
    ]
    assert [row.place[1] for row in table.rows[:4]] == list(POOLINGS)
    names = {row.place: (row.name, row.title) for row in table.rows}
    assert names["L1 w/o", "MAC"] == ("mac-l1", "MAC, L1, w/o")
    assert names["Cosine SIFT", "R-MAC"] == ("r-mac-cosine-sift", "R-MAC, Cosine, SIFT")
    assert names["L2 verified", "SPoC"] == ("spoc-l2-verified", "SPoC, L2, verified")
    assert not [row.name for row in table.rows if row.published and "verified" in row.name]
    assert not any(row.training.seeded for row in table.rows)


def test_claims_are_the_papers_and_ours():
    (table,) = hybrid_rows(HybridTablesSettings(backbones=("mobilenetv2",)), never)
    claims = {claim.title: claim.pairs for claim in table.claims}
    assert [len(pairs) for pairs in claims.values()] == [12, 18, 12, 12]
    names = {row.name for row in table.rows}
    assert all(name in names for pairs in claims.values() for pair in pairs for name in pair)
    better, spoc, *_ = claims.values()
    assert ("ra-mac-l2-sift", "ra-mac-l2") in better
    assert ("mac-l1-sift", "spoc-l1-sift") in spoc
    # What the text says of all combinations is so in the printed tables; of SPoC, nearly.
    figures = printed()
    for family in dict.fromkeys(place[0] for place in figures):
        published = {
            row.name: figures[family, *row.place]
            for row in table.rows
            if (family, *row.place) in figures
        }
        gains = [published[one] - published[other] for one, other in better]
        assert 0.02 < min(gains) < max(gains) < 0.1
        assert sum(published[one] > published[other] for one, other in spoc) >= 16


def test_two_distances_that_rank_alike_are_one_system():
    rows = rows_of("resnet50")
    for row in rows.values():
        if "-l2" in row.name:
            same = rows[row.name.replace("-l2", "-cosine")]
            assert row.training.name == same.training.name
            assert row.training.identity == same.training.identity
    identities = {json.dumps(row.training.identity, sort_keys=True) for row in rows.values()}
    assert len(identities) == len({row.training.name for row in rows.values()}) == 24
    assert all(re.fullmatch("[a-z0-9-]+", row.training.name) for row in rows.values())


def test_only_what_decides_a_row_is_its_identity():
    def changed(fitted_on=(), **settings):
        before, after = rows_of("resnet50", fitted_on), rows_of("resnet50", fitted_on, **settings)
        return {
            name.rpartition("-")[2] if name.count("-") > name.startswith(("r-", "ra-")) + 1 else ""
            for name in before
            if before[name].training.identity != after[name].training.identity
        }

    local = LocalSettings(ratio=0.7)
    assert changed(depth=7) == {"sift", "verified"}
    assert changed(local=local) == {"verified"}
    assert changed(queries=3) == set()
    assert changed(("labels",), queries=3) == {"verified"}
    one, other = rows_of("resnet50"), rows_of("resnet50", ("labels",))
    for name in one:
        differs = one[name].training.identity != other[name].training.identity
        assert differs is other[name].training.trained is ("verified" in name)
        assert not one[name].training.trained


def test_a_weights_file_counts_by_its_contents(tmp_path, monkeypatch):
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("SNAPSHELF_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def identity():
        return rows_of("mobilenetv2")["mac-l1"].training.identity

    hub = identity()
    assert hub["weights"] == "hub"
    file = tmp_path / "mobilenetv2_100_imagenet.safetensors"
    file.write_bytes(b"one")
    first = identity()
    file.write_bytes(b"two")
    assert len({hub["weights"], first["weights"], identity()["weights"]}) == 3


def test_notes_tell_what_is_not_the_papers():
    def note(backbone, fitted_on=()):
        own = HybridTablesSettings(backbones=(backbone,))
        return hybrid_rows(own, never, fitted_on=fitted_on)[0].note

    resnext = note("resnext101")
    assert "timm/resnext101_32x4d.gluon_in1k" in resnext
    assert "does not tell the depth" in resnext
    assert "each of resnext50 and resnext101." in resnext
    assert "depth" not in note("vgg16") + note("mobilenetv2")
    assert "the default one, since the data have no training photos" in note("vgg16")
    assert "on the training photos of grocery, clothing." in note("vgg16", ("grocery", "clothing"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"backbones": ()}, "backbones must name at least one"),
        ({"backbones": ("resnet34",)}, "backbones must be vgg16, .*, got 'resnet34'"),
        ({"backbones": ("timm/",)}, "got 'timm/'"),
        ({"backbones": ("timm",)}, "got 'timm'"),
        ({"backbones": ("timm/resnet18:mac",)}, "without a pooling, got 'timm/resnet18:mac'"),
        ({"backbones": ("hybrid/standard",)}, "got 'hybrid/standard'"),
        ({"backbones": ("../../etc",)}, "got '../../etc'"),
        ({"backbones": ("vgg16", "vgg16")}, "once each, got 'vgg16' more than once"),
        ({"backbones": ("timm/a.b", "timm/a-b")}, "got 'timm-a-b' more than once"),
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"queries": 0}, "queries must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        HybridTablesSettings(**wrong)


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("timm/resnet5O", "did you mean"),
        ("timm/../../weights", r"there is no backbone '\.\./\.\./weights'"),
        ("torchvision/nothing", "there is no backbone 'nothing' in torchvision"),
    ],
)
def test_backbones_that_there_are_not_are_named_before_anything_is_done(
    tmp_path, backbone, message
):
    settings = HybridTablesSettings(backbones=("vgg16", backbone))
    with (
        pytest.raises(ModelError, match=message),
        hybrid_tables([], settings, tmp_path / "made"),
    ):
        raise AssertionError("not reached")
    assert not (tmp_path / "made").exists()


# --- the systems --------------------------------------------------------------------------

TINY = "timm/test_resnet.r160_in1k"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return Labels(tmp_path_factory.mktemp("labels") / "pictures", products=4)


@pytest.fixture
def at_hand(tmp_path, monkeypatch):
    """Weights of one tiny backbone at hand, and a hub that cannot be reached."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(5)
    save_file(
        timm.create_model("test_resnet").state_dict(), folder / "test_resnet.r160_in1k.safetensors"
    )
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(folder))
    monkeypatch.delenv("SNAPSHELF_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture
def counted(monkeypatch):
    """Counts what is costly: pictures through the network, descriptions, comparisons of pairs."""
    counts = Counter()

    def count(module, name, size):
        inner = getattr(module, name)

        def counting(*arguments, **options):
            counts[module.__name__.rpartition(".")[2], name] += size(arguments)
            return inner(*arguments, **options)

        monkeypatch.setattr(module, name, counting)

    count(published_reranking, "find_keypoints", lambda _: 1)
    count(keypoint_method, "find_keypoints", lambda _: 1)
    count(published_reranking, "flann_matches", lambda _: 1)
    count(verified_reranking, "_agree", lambda arguments: len(arguments[1]))
    count(shared_backbone, "feature_map", lambda arguments: len(arguments[1]))
    return counts


SETTINGS = HybridTablesSettings(
    backbones=(TINY, "vgg16"), local=LocalSettings(query_side=200, shop_side=200)
)


@contextmanager
def opened(data, out, settings=SETTINGS, train=True):
    with hybrid_tables([data] if train else [], settings, out / "pictures") as tables:
        yield tables


def run(data, out, settings=SETTINGS, train=True, **options):
    with opened(data, out, settings, train) as tables:
        return reproduce("hybrid", tables, data, [data] if train else [], out=out, **options)


EVERYTHING = {
    # A picture is probed once when the encoder is made; the fit's photos are the queries.
    ("published_reranking", "find_keypoints"): 12,
    ("keypoint_method", "find_keypoints"): 12,
    ("published_reranking", "flann_matches"): 32,
    ("verified_reranking", "_agree"): 32,
    ("shared_backbone", "feature_map"): 1 + 12,
}


def test_nothing_is_done_twice_and_figures_are_those_of_each_system_alone(
    data, at_hand, counted, tmp_path
):
    out = tmp_path / "out"
    found = run(data, out)
    assert counted == EVERYTHING
    table, missing = found.tables
    assert found.queries == {"all": 8, "seen": 8}
    assert not table.missing
    figures = {row.name: row.cells["all"]["map7"].values for row in table.rows}
    for row in table.rows:
        (folder,) = (out / row.training).glob("any-seed-*/system")
        alone = evaluate(load_system(folder), data)
        if row.name.endswith("sift"):  # its trees are random
            assert figures[row.name][0] == pytest.approx(alone.metrics["map7"], abs=0.15)
        else:
            assert figures[row.name] == (alone.metrics["map7"],), row.name
    assert {figures[row.name] for row in table.rows if "verified" in row.name} == {(1.0,)}
    assert all(figures[name.replace("l2", "cosine")] == figures[name] for name in figures)
    assert len(missing.missing) == 1
    assert re.fullmatch(
        r"the weights model\.safetensors of the hub repository timm/vgg16\.tv_in1k are not on "
        r"this machine and cannot be fetched \(.*\)\.",
        missing.missing[0],
    )
    assert not any(row.cells for row in missing.rows)
    assert not list((out / "vgg16-mac-l1").rglob("system"))
    assert run(data, out) == found


@pytest.mark.parametrize("after", [0, 3, 40, 90, 200, 320])
def test_what_was_interrupted_is_not_done_again(data, at_hand, counted, tmp_path, after):
    """Asked to stop at any moment, and gone on with; embeddings of a batch may be lost."""
    settings = replace(SETTINGS, backbones=(TINY,))

    class Stopper(Monitor):
        asked = 0

        def should_stop(self):
            self.asked += 1
            return self.asked > after

    with pytest.raises(TrainingStopped):
        run(data, tmp_path / "out", settings, monitor=Stopper())
    before = dict(counted)
    found = run(data, tmp_path / "out", settings)
    assert all(row.cells for row in found.tables[0].rows)
    for name, most in EVERYTHING.items():
        if name[1] != "feature_map":
            assert counted[name] == most, (name, before)
    # Two probes, and no picture twice, but for those of the batches at the time of the stop.
    assert counted["shared_backbone", "feature_map"] <= 2 + 12 + 8


def test_without_training_data_the_fusion_is_the_default(data, at_hand, tmp_path):
    settings = replace(SETTINGS, backbones=(TINY,))
    found = run(
        data,
        tmp_path / "out",
        settings,
        train=False,
        rows={("timm-test-resnet-r160-in1k", "mac-l1-verified")},
    )
    (file,) = (tmp_path / "out").rglob("system.json")
    written = json.loads(file.read_text())
    assert written["fusion"] == asdict(DEFAULT_FUSION)
    assert written["notes"] == {"data": [], "queries": 0}
    assert (written["base"], written["distance"]) == (f"{TINY}:mac", "l1")
    assert "the default one" in found.tables[0].note
    assert found.data == ("labels",)


def test_photos_of_products_without_shop_pictures_are_nothing_to_fit_on(data, tmp_path):
    class PhotosOnly:
        name = "photos"

        def training_items(self):
            return [replace(item, shop=()) for item in data.items]

    with hybrid_tables([PhotosOnly()], SETTINGS, tmp_path) as tables:
        assert "the default one" in tables[0].note
        assert not any(row.training.trained for row in tables[0].rows)


def make(tables, name, folder):
    (row,) = [row for row in tables[0].rows if row.name == name]
    return row.training.make(0, folder, Monitor())


def test_a_fusion_is_fitted_once(data, at_hand, tmp_path, monkeypatch):
    folder = tmp_path / "one"
    with opened(data, tmp_path) as tables:
        make(tables, "mac-l1-verified", folder)
    written = json.loads((folder / "system.json").read_text())
    assert written["notes"] == {"data": ["labels"], "queries": 8}
    monkeypatch.setattr("snapshelf.systems.hybrid_variants.fit_hybrid", never)
    with opened(data, tmp_path) as tables:
        system = make(tables, "mac-l1-verified", folder)
    assert (system.name, system.distance) == (str(folder), "l1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as JSON"),
        ('{"fusion": {"weight": -1}}', "weight must be a number of at least 0"),
        ('{"fusion": {"heavy": 1}}', "unknown setting 'heavy'"),
        ('{"fusion": [1]}', r"system.json: fusion must be a dict, got \[1\]"),
    ],
)
def test_a_damaged_folder_is_named(data, at_hand, tmp_path, text, message):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "system.json").write_text(text)
    with (
        opened(data, tmp_path) as tables,
        pytest.raises(ModelError, match=message),
    ):
        make(tables, "mac-l1-verified", tmp_path / "one")


def test_damage_to_what_is_remembered_is_named(data, at_hand, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "remembered.sqlite").write_text("something else" * 100)
    with (
        opened(data, tmp_path) as tables,
        pytest.raises(DatasetError, match=r"remembered\.sqlite cannot be used .* remove it"),
    ):
        make(tables, "mac-l1", tmp_path / "one")


def test_damaged_weights_are_no_missing_weights(data, at_hand, tmp_path):
    (tmp_path / "weights" / "test_resnet.r160_in1k.safetensors").write_bytes(b"cut off")
    with (
        opened(data, tmp_path) as tables,
        pytest.raises(
            ModelError, match=r"test_resnet\.r160_in1k\.safetensors cannot be read as safetensors"
        ) as caught,
    ):
        make(tables, "mac-l1", tmp_path / "one")
    assert not isinstance(caught.value, MissingWeightsError)


def test_a_hub_that_cannot_be_reached_is_asked_once(data, at_hand, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "snapshelf.features.hub.httpx.head", lambda *_, **__: asked.append(1) or 1 / 0
    )
    monkeypatch.setattr("snapshelf.features.hub.httpx.HTTPError", ZeroDivisionError)
    settings = replace(SETTINGS, backbones=("vgg16",))
    found = run(data, tmp_path / "out", settings)
    assert len(asked) == 1
    assert len({row.missing for row in found.tables[0].rows}) == 1
    assert found.queries == {}


def test_its_settings_and_tables_are_known_by_name():
    own = REPRODUCIBLE["hybrid"]()
    assert own.tables is hybrid_tables
    assert own.settings() == HybridTablesSettings()
    assert not own.is_random
    assert not own.needs_training
