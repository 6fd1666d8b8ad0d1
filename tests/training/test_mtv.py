"""Training `mtv`: losses add up as in the paper, stages follow, and products are told apart."""

import dataclasses
import json

import numpy as np
import pytest
from toy_data import toy_data

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.errors import DatasetError, ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.network_folder import NetworkDescription  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.media.decode import decode_picture  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.mtv import train_mtv  # noqa: E402
from snapshelf.training.attributes import AttributeTable  # noqa: E402
from snapshelf.training.batches import ViewBatch  # noqa: E402
from snapshelf.training.item_embeddings import embed_items  # noqa: E402
from snapshelf.training.mining import NegativeSchedule  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.mtv_module import MtvModule  # noqa: E402
from snapshelf.training.mtv_settings import MtvSettings, Stage  # noqa: E402
from snapshelf.training.preparation import stored_pictures  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))
STAGES = (Stage(epochs=1), Stage(epochs=2, share=0.5, weighting=True, refresh_epochs=1))


def settings(**changes):
    given = {
        "backbone": "test_resnet",
        "weights": "random",
        "size": 32,
        "dimension": 8,
        "batch_triplets": 4,
        "learning_rate": 0.01,
        "stages": STAGES,
        "num_workers": 0,
    }
    return MtvSettings(**given | changes)


class Heard(Monitor):
    """Remembers what it hears, and stops after so many batches."""

    def __init__(self, stop_after=None):
        self.notes, self.epochs, self.batches = [], [], 0
        self.stop_after = stop_after

    def note(self, text):
        self.notes.append(text)

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def epoch(self, figures):
        self.epochs.append(figures)

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after


def weights_of(folder):
    from safetensors.torch import load_file

    return load_file(folder / "network.safetensors")


# --- one step -----------------------------------------------------------------------------


def reference_loss(embeddings, views, raw, network, labels, counts, weights, given):
    """Eq. 1-10, written out with loops over the triplets."""
    total = 0.0
    for t in range(len(embeddings)):
        a, p, n = embeddings[t][:3]
        near, far = np.linalg.norm(a - p), np.linalg.norm(a - n)
        if given.batch_negatives:
            others = [embeddings[u][1] for u in range(len(embeddings)) if u != t]
            wrong = np.exp(-far) + sum(np.exp(-np.linalg.norm(a - other)) for other in others)
            loss = (wrong / (np.exp(-near) + wrong)) ** 2
        elif given.loss == "ratio":
            plus = np.exp(near) / (np.exp(near) + np.exp(far))
            minus = np.exp(far) / (np.exp(near) + np.exp(far))
            loss = 0.5 * ((1 - minus) ** 2 + plus**2)
        elif given.loss == "hinge":
            loss = max(0, given.margin + near - far)
        else:
            loss = 0.5 * near**2 + 0.5 * max(0, given.contrastive_margin - far) ** 2
        total += weights[t] * loss
        if given.view_invariance:
            pairs = [np.sum((x - y) ** 2) for x in views[t][3:] for y in views[t][3:]]
            total += given.alpha_v * sum(pairs) / (2 * 3)
        if given.attribute_prediction:
            for m, count in enumerate(counts):
                head = network.attributes[m]
                z = head.weight.detach().numpy() @ raw[t][0] + head.bias.detach().numpy()
                p_class = np.exp(z) / np.exp(z).sum()
                inverse = (1 / np.array(count)) / sum(1 / np.array(count))
                g = labels[t][m]
                if g >= 0:
                    total -= given.beta_a * inverse[g] * np.log(p_class[g]) / len(counts)
    return total / len(embeddings)


@pytest.mark.parametrize(
    ("loss", "batch"), [("ratio", False), ("ratio", True), ("hinge", False), ("contrastive", False)]
)
@pytest.mark.parametrize("tasks", [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("scale", [None, 3.0])
def test_a_step_is_the_papers_sum(loss, batch, tasks, scale):
    given = settings(
        loss=loss, batch_negatives=batch, attribute_prediction=tasks[0],
        view_invariance=tasks[1], embedding_scale=scale, alpha_v=0.3, beta_a=0.7, margin=2.0,
        contrastive_margin=3.0,
    )  # fmt: skip
    torch.manual_seed(0)
    counts = [[3, 1], [1, 2, 1]]
    classes = tuple(tuple((str(g), str(g)) for g in range(len(count))) for count in counts)
    attributes = dict(zip("ab", classes, strict=True)) if tasks[0] else {}
    network = NetworkDescription(
        backbone="test_resnet", preprocessing=SPEC, dimension=8, attributes=attributes
    ).build()
    labels = np.array([[0, 2], [1, -1], [0, 1], [0, 0]])
    module = MtvModule(
        network, SPEC, given, labels=labels, counts=counts if tasks[0] else (),
        negatives=None, steps_per_epoch=1,
    )  # fmt: skip
    module.log_dict = lambda *args, **kwargs: None
    assert all(part.training for part in network.modules())
    generator = torch.Generator().manual_seed(1)
    views = 6 if tasks[1] else 3
    pictures = torch.randint(0, 256, (3, views, 3, 32, 32), dtype=torch.uint8, generator=generator)
    batch = ViewBatch(
        pictures,
        items=torch.tensor([2, 0, 1]),
        weights=torch.tensor([1.0, 0.0, 2.5]),
        recoloured=torch.tensor([False, True, False]),
    )
    result = module.training_step(batch, 0)

    scaled = (pictures.numpy() / 255 - np.reshape(SPEC.mean, (3, 1, 1))) / np.reshape(
        SPEC.std, (3, 1, 1)
    )
    with torch.no_grad():
        raw = network.features(torch.from_numpy(scaled).flatten(0, 1).float()).numpy()
    raw = raw.reshape(3, views, 8).astype(np.float64)
    embeddings = unit = raw
    if scale is not None:
        unit = raw / np.linalg.norm(raw, axis=2, keepdims=True)
        embeddings = scale * unit
    known = labels[[2, 0, 1]]
    known[1] = -1  # of a recoloured product no attribute is known
    expected = reference_loss(
        embeddings, unit, raw, network, known, counts, batch.weights.tolist(), given
    )
    assert float(result.detach()) == pytest.approx(expected, rel=1e-4)
    result.backward()
    assert all(p.grad is not None for p in network.parameters())


def test_the_optimiser_and_the_schedule():
    given = settings(
        schedule="cosine", warmup_epochs=1.0, embedding_rate=10.0, weight_decay=0.02, momentum=0.7
    )
    network = NetworkDescription(backbone="test_resnet", preprocessing=SPEC, dimension=8).build()
    module = MtvModule(
        network, SPEC, given, labels=np.zeros((2, 0), np.int64), counts=(), negatives=None,
        steps_per_epoch=10,
    )  # fmt: skip
    made = module.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    assert isinstance(optimizer, torch.optim.SGD)
    assert all((g["momentum"], g["weight_decay"]) == (0.7, 0.02) for g in optimizer.param_groups)
    assert {id(p) for g in optimizer.param_groups for p in g["params"]} == {
        id(p) for p in network.parameters()
    }
    other = MtvModule(
        network, SPEC, settings(optimizer="adamw", learning_rate=3e-4, weight_decay=0.02),
        labels=np.zeros((2, 0), np.int64), counts=(), negatives=None, steps_per_epoch=10,
    ).configure_optimizers()["optimizer"]  # fmt: skip
    assert isinstance(other, torch.optim.AdamW)
    assert all((g["lr"], g["weight_decay"]) == (3e-4, 0.02) for g in other.param_groups)
    rates = []
    for _ in range(30):
        rates.append(optimizer.param_groups[0]["lr"])
        assert optimizer.param_groups[1]["lr"] == pytest.approx(10 * rates[-1])
        optimizer.step()
        schedule.step()
    assert rates[:10] == pytest.approx([0.01 * (n + 1) / 11 for n in range(10)])
    expected = [0.005 * (1 + np.cos(np.pi * n / 20)) for n in range(20)]
    assert rates[10:] == pytest.approx(expected)


# --- the negatives of each epoch ----------------------------------------------------------


def test_stages_switch_and_pools_are_refreshed():
    given = settings(
        stages=(
            Stage(epochs=2),
            Stage(epochs=5, share=0.4, weighting=True, refresh_epochs=2),
            Stage(epochs=3, share=0.2, refresh_epochs=None),
            Stage(epochs=1),
        )
    )
    items = 11
    table = AttributeTable(
        names=("kind",), classes=((("a", "x"), ("a", "y"), ("b", "z")),), counts=((4, 4, 3),)
    )
    labels = np.arange(items)[:, None] % 3
    asked = []
    line = np.arange(items, dtype=np.float32)[:, None]

    def embed():
        asked.append(epoch)
        return line

    schedule = NegativeSchedule(given, table, labels, np.zeros(items, np.int64), embed)
    rng = np.random.default_rng(0)
    for epoch in range(given.epochs):
        negatives = schedule.at(epoch)
        drawn = [negatives.draw(5, rng) for _ in range(300)]
        others = {item for item, _ in drawn}
        if epoch < 2 or epoch == 10:
            assert others == set(range(items)) - {5}
        elif epoch < 7:
            assert others == {3, 4, 6, 7}
            tree = {0: 1.5, 1: 1.5, 2: 0.0}  # item 5 is of class 2, alone in its group
            assert all(weight == tree[item % 3] for item, weight in drawn)
        else:
            assert others == {4, 6}
        if not 2 <= epoch < 7:
            assert {weight for _, weight in drawn} == {1.0}
    assert asked == [2, 4, 6, 7]


def test_negatives_are_of_the_anchors_data_set():
    given = settings(stages=(Stage(epochs=1), Stage(epochs=1, share=0.5)))
    sources = np.array([0, 0, 0, 1, 1, 1, 1])
    line = np.arange(7, dtype=np.float32)[:, None]
    schedule = NegativeSchedule(
        given, AttributeTable((), (), ()), np.zeros((7, 0), np.int64), sources, lambda: line
    )
    rng = np.random.default_rng(0)
    for epoch, of_2, of_3 in ((0, {0, 1}, {4, 5, 6}), (1, {1}, {4, 5})):
        negatives = schedule.at(epoch)
        assert {negatives.draw(2, rng)[0] for _ in range(100)} == of_2
        assert {negatives.draw(3, rng)[0] for _ in range(100)} == of_3


def test_a_data_set_of_one_product_is_refused(tmp_path):
    data = [toy_data(tmp_path / "a", 4), toy_data(tmp_path / "b", 1, first=7, name="b")]
    with pytest.raises(TrainingError, match="the data set b has 1 product"):
        train_mtv(data, settings(), tmp_path / "out")


@pytest.mark.parametrize(("refresh", "goes_on_in"), [(None, 1), (None, 0), (1, 0), (3, 2)])
def test_a_pool_survives_its_checkpoint(refresh, goes_on_in):
    """Later in its time, or in the midst of the epoch that it was made for."""
    given = settings(stages=(Stage(epochs=4, share=0.4, weighting=True, refresh_epochs=refresh),))
    table = AttributeTable(names=("k",), classes=((("a", "a"), ("b", "b")),), counts=((3, 3),))
    labels = np.arange(6)[:, None] % 2
    together = np.zeros(6, np.int64)
    first = NegativeSchedule(
        given,
        table,
        labels,
        together,
        lambda: np.random.default_rng(0).random((6, 3), np.float32),
    )
    expected = [first.at(0).draw(n % 6, np.random.default_rng(n)) for n in range(30)]

    def embed():
        raise AssertionError("embedded again")

    second = NegativeSchedule(given, table, labels, together, embed)
    second.load_state_dict(first.state_dict())
    pool = second.at(goes_on_in)
    assert [pool.draw(n % 6, np.random.default_rng(n)) for n in range(30)] == expected


def test_embeddings_that_are_not_finite_stop_the_training():
    given = settings(stages=(Stage(epochs=1, share=0.4),))
    table = AttributeTable((), (), ())
    schedule = NegativeSchedule(
        given,
        table,
        np.zeros((4, 0), np.int64),
        np.zeros(4, np.int64),
        lambda: np.full((4, 2), np.nan, np.float32),
    )
    with pytest.raises(TrainingError, match="diverged"):
        schedule.at(0)


@pytest.mark.parametrize("scale", [None, 2.0])
def test_an_item_is_the_mean_of_its_first_shop_pictures(tmp_path, scale):
    data = (
        toy_data(tmp_path / "a", 2, street=1, shop=4),
        toy_data(tmp_path / "b", 1, street=2, shop=0, first=7, name="b"),
    )
    training_set = TrainingSet.collect(data, mattes=True)
    store = stored_pictures(training_set, settings(), tmp_path / "c", Monitor())
    torch.manual_seed(0)
    network = NetworkDescription(backbone="test_resnet", preprocessing=SPEC, dimension=8).build()
    network.train()
    result = embed_items(network, training_set, store, SPEC, views=3, scale=scale, batch_size=2)
    assert network.training
    network.eval()
    from snapshelf.features.preprocessing import normalise, prepare

    for item, pictures in enumerate(training_set.pictures):
        rows = []
        for number in (pictures.shop or pictures.street)[:3]:
            inputs = normalise(prepare(store.picture(number), SPEC)[None], SPEC)
            with torch.no_grad():
                row = network.features(torch.from_numpy(inputs))[0].numpy()
            rows.append(row if scale is None else scale * row / np.linalg.norm(row))
        np.testing.assert_allclose(result[item], np.mean(rows, axis=0), atol=1e-5)


# --- the whole training -------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return [toy_data(tmp_path_factory.mktemp("toy"), 6)]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    heard = Heard()
    train_mtv(data, settings(), out, monitor=heard)
    return out, heard


def test_what_is_written_and_told(data, whole):
    out, heard = whole
    assert sorted(file.name for file in out.iterdir()) == [
        "checkpoints", "log.csv", "network.safetensors", "system.json", "training.json",
    ]  # fmt: skip
    assert sorted(file.name for file in (out / "checkpoints").iterdir()) == [
        "epoch-0002.ckpt", "epoch-0003.ckpt", "last.ckpt",
    ]  # fmt: skip
    assert [figures.epoch for figures in heard.epochs] == [1, 2, 3]
    assert heard.batches == 9
    assert heard.notes == ["toy: 6 items, 12 street and 6 shop pictures", "attributes: kind (3)"]
    notes = json.loads((out / "system.json").read_text())["notes"]
    assert notes["recipe"]["learning_rate"] == 0.01
    assert notes["data"] == [{"name": "toy", "items": 6, "street_pictures": 12, "shop_pictures": 6}]
    rows = (out / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3"]


@pytest.mark.parametrize("stop_after", [2, 3, 5, 7])
def test_cut_off_and_gone_on_with_is_bit_equal(data, whole, tmp_path, stop_after):
    """In stage 1, at its end, in stage 2 before and behind a refresh of the pool."""
    out = tmp_path / "out"
    with pytest.raises(TrainingStopped):
        train_mtv(data, settings(), out, monitor=Heard(stop_after))
    assert not (out / "system.json").exists()
    heard = Heard()
    train_mtv(data, settings(num_workers=1), out, resume=True, monitor=heard)
    assert heard.batches == 9 - stop_after
    expected, result = weights_of(whole[0]), weights_of(out)
    assert expected.keys() == result.keys()
    assert all(torch.equal(expected[name], result[name]) for name in expected)


def test_another_seed_gives_another_network(data, whole, tmp_path):
    train_mtv(data, settings(seed=1), tmp_path / "out")
    expected, result = weights_of(whole[0]), weights_of(tmp_path / "out")
    assert not torch.equal(expected["embedding.weight"], result["embedding.weight"])


@pytest.fixture(scope="module")
def regular(data, tmp_path_factory):
    """A training with dropout, of a backbone whose stages are known, and its settings."""
    given = settings(backbone="mobilenetv2_035", frozen_stages=3, dropout=0.4, mirrored=True)
    out = tmp_path_factory.mktemp("regular") / "out"
    train_mtv(data, given, out)
    return out, given


def test_going_on_with_dropout_is_bit_equal(data, regular, tmp_path):
    out, given = regular
    with pytest.raises(TrainingStopped):
        train_mtv(data, given, tmp_path / "out", monitor=Heard(4))
    train_mtv(data, given, tmp_path / "out", resume=True)
    expected, result = weights_of(out), weights_of(tmp_path / "out")
    assert all(torch.equal(expected[name], result[name]) for name in expected)


def test_frozen_stages_stay_as_they_were(data, regular, tmp_path):
    out, given = regular
    first = dataclasses.replace(given, learning_rate=1e-30, weight_decay=0.0)
    train_mtv(data, first, tmp_path / "out")
    before, after = weights_of(tmp_path / "out"), weights_of(out)
    parts = ("conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2")
    frozen = {name for name in after if name.startswith(tuple(f"backbone.{p}." for p in parts))}
    assert frozen
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    learned = {name for name in after if name.startswith("backbone.blocks.6.")}
    assert learned
    assert not any(torch.equal(before[name], after[name]) for name in learned)


def test_a_mirrored_system_embeds_mirror_images_alike(regular):
    encoder = System.load(regular[0]).encoder
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    inputs = np.stack(
        [encoder.prepare(each, Domain.STREET) for each in (picture, picture[:, ::-1])]
    )
    one, other = encoder.encode(inputs, Domain.STREET)
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_dropout_leaves_pooled_features_out():
    network = NetworkDescription(backbone="test_resnet", preprocessing=SPEC, dimension=8).build()
    module = MtvModule(
        network, SPEC, settings(dropout=0.4), labels=np.zeros((3, 0), np.int64),
        counts=(), negatives=None, steps_per_epoch=1,
    )  # fmt: skip
    pictures = torch.randint(0, 256, (2, 6, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        pooled = network.pooled(module.normalise(pictures.flatten(0, 1)))
        torch.manual_seed(9)
        kept = torch.nn.functional.dropout(torch.ones_like(pooled), 0.4)
        assert sorted(kept.unique().tolist()) == pytest.approx([0, 1 / 0.6])
        torch.manual_seed(9)
        expected = network.embedding(pooled * kept).reshape(2, 6, 8)
        torch.testing.assert_close(module.embed(pictures), expected)


@pytest.fixture(scope="module")
def averaged(data, tmp_path_factory):
    """Two members and the start, and the settings."""
    given = settings(members=2, start_share=0.2, seed=3, stages=STAGES[:1])
    out = tmp_path_factory.mktemp("averaged") / "out"
    heard = Heard()
    train_mtv(data, given, out, monitor=heard)
    assert [note for note in heard.notes if note.startswith("member")] == [
        "member 1 of 2", "member 2 of 2",
    ]  # fmt: skip
    return out, given


def test_members_and_the_start_are_averaged(data, averaged, tmp_path):
    out, given = averaged
    ends = [
        torch.load(out / f"member-{n}" / "checkpoints" / "last.ckpt", weights_only=True)
        for n in (1, 2)
    ]
    ends = [
        {name.removeprefix("network."): value for name, value in each["state_dict"].items()}
        for each in ends
    ]
    alone = dataclasses.replace(
        given, members=1, start_share=0, learning_rate=1e-30, weight_decay=0
    )
    train_mtv(data, alone, tmp_path / "start")
    start, result = weights_of(tmp_path / "start"), weights_of(out)
    assert not torch.equal(ends[0]["embedding.weight"], ends[1]["embedding.weight"])
    for name, value in result.items():
        expected = 0.2 * start[name] + 0.4 * ends[0][name] + 0.4 * ends[1][name]
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stop_after", [2, 3, 4])
def test_going_on_with_members_is_bit_equal(data, averaged, tmp_path, stop_after):
    """In the first, between the two, and in the second."""
    out, given = averaged
    with pytest.raises(TrainingStopped):
        train_mtv(data, given, tmp_path / "out", monitor=Heard(stop_after))
    train_mtv(data, given, tmp_path / "out", resume=True)
    expected, result = weights_of(out), weights_of(tmp_path / "out")
    assert all(torch.equal(expected[name], result[name]) for name in expected)


def test_no_two_members_have_a_seed_in_common():
    seeds = [each.seed for seed in range(5) for each in settings(members=3, seed=seed).as_members()]
    assert len(set(seeds)) == 15
    assert settings(seed=7).as_members() == (settings(seed=7),)


def test_averages_have_no_statistics():
    for changes in ({"members": 2}, {"start_share": 0.1}):
        with pytest.raises(ValueError, match="batch_norm must be 'fold' or 'freeze'"):
            settings(batch_norm="train", **changes)


def test_a_larger_picture_for_the_search_changes_no_weight(data, whole, tmp_path):
    system = train_mtv(data, settings(size=48, training_size=32), tmp_path / "larger")
    assert system.encoder.preprocessing.size == (48, 48)
    expected, result = weights_of(whole[0]), weights_of(tmp_path / "larger")
    assert all(torch.equal(expected[name], result[name]) for name in expected)


def test_products_are_told_apart_in_the_end(tmp_path):
    """Eight products, one shop picture each, 24 street photos; chance is one in eight."""
    (data,) = [toy_data(tmp_path / "toy", 8, street=3)]
    given = settings(
        stages=(Stage(epochs=15), Stage(epochs=5, share=0.5, weighting=True)),
        augmentation=False,
        batch_norm="train",
        learning_rate=0.02,
        gradient_clip=5.0,
        dimension=32,
    )
    encoder = train_mtv([data], given, tmp_path / "out").encoder

    def embed(files, domain):
        inputs = [encoder.prepare(decode_picture(file.read_bytes()), domain) for file in files]
        return encoder.encode(np.stack(inputs), domain)

    gallery = embed([item.shop[0] for item in data.items], Domain.SHOP)
    photos = [photo for item in data.items for photo in item.street]
    found = (embed(photos, Domain.STREET) @ gallery.T).argmax(axis=1)
    assert (found == np.repeat(np.arange(8), 3)).mean() >= 0.875


def test_the_system_is_the_trained_network(data, whole):
    out, _ = whole
    system = System.load(out)
    assert system.name == str(out)
    assert system.encoder.dimension == 8
    assert system.encoder.preprocessing.size == (32, 32)
    embeddings = system.encoder.encode(
        np.stack([system.encoder.prepare(np.full((9, 5, 3), 7, np.uint8), Domain.SHOP)] * 2),
        Domain.SHOP,
    )
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_a_finished_training_is_left_as_it_is(data, whole):
    out, _ = whole
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*")}
    heard = Heard()
    system = train_mtv(data, settings(), out, resume=True, monitor=heard)
    assert system.fingerprint == System.load(out).fingerprint
    assert heard.batches == 0
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*")} == before


def test_items_without_attributes(tmp_path):
    heard = Heard()
    data = [toy_data(tmp_path / "toy", 4, attributes=False)]
    train_mtv(data, settings(batch_triplets=2), tmp_path / "out", monitor=heard)
    assert "attributes: none" in heard.notes
    assert all(figures.losses["attribute"] == 0 for figures in heard.epochs)
    # Nothing to weigh by: all triplets count, and the loss is their mean.
    assert all(
        figures.losses["loss"]
        == pytest.approx(figures.losses["triplet"] + 0.05 * figures.losses["view"], rel=1e-4)
        for figures in heard.epochs
    )


def test_an_attribute_of_one_class_is_left_out_and_told(tmp_path):
    from dataclasses import replace

    from toy_data import ToyData

    toys = toy_data(tmp_path / "toy", 4)
    same = {"colour": ("warm", "red")}
    items = tuple(replace(item, attributes={**item.attributes, **same}) for item in toys.items)
    heard = Heard()
    given = settings(stages=(Stage(epochs=1),))
    train_mtv([ToyData("toy", items)], given, tmp_path / "out", monitor=heard)
    assert any(note.startswith("attribute colour is left out: all 4") for note in heard.notes)


def test_a_bag_of_one_view_without_augmentation_has_no_loss(tmp_path):
    heard = Heard()
    given = settings(augmentation=False, stages=(Stage(epochs=1),))
    train_mtv([toy_data(tmp_path / "toy", 4)], given, tmp_path / "out", monitor=heard)
    assert heard.epochs[0].losses["view"] == 0
    assert heard.epochs[0].losses["triplet"] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 5}, r"recipe\.seed was 0, is 5"),
        ({"learning_rate": 0.5}, r"recipe\.learning_rate was 0\.01, is 0\.5"),
        ({"stages": (Stage(epochs=1),)}, r"recipe\.stages was"),
    ],
)
def test_other_settings_are_not_gone_on_with(data, whole, changes, message):
    with pytest.raises(TrainingError, match=message):
        train_mtv(data, settings(**changes), whole[0], resume=True)


def test_other_data_is_not_gone_on_with(whole, tmp_path):
    with pytest.raises(TrainingError, match=r"data.* was .*, is"):
        train_mtv([toy_data(tmp_path / "toy", 5)], settings(), whole[0], resume=True)


def test_a_damaged_checkpoint_is_told(data, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(TrainingStopped):
        train_mtv(data, settings(), out, monitor=Heard(4))
    last = out / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:5000])
    with pytest.raises(TrainingError, match=r"last\.ckpt cannot be gone on from"):
        train_mtv(data, settings(), out, resume=True)
    (out / "checkpoints" / "epoch-0001.ckpt").rename(last)
    heard = Heard()
    train_mtv(data, settings(), out, resume=True, monitor=heard)
    assert heard.batches == 6


def test_a_checkpoint_cannot_run_code(data, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(TrainingStopped):
        train_mtv(data, settings(), out, monitor=Heard(4))

    class Harm:
        def __reduce__(self):
            return (tmp_path.joinpath("harm").touch, ())

    torch.save(Harm(), out / "checkpoints" / "last.ckpt")
    with pytest.raises(TrainingError, match="cannot be gone on from"):
        train_mtv(data, settings(), out, resume=True)
    assert not (tmp_path / "harm").exists()


def test_a_training_that_diverges_says_so(data, tmp_path):
    given = settings(learning_rate=1e12, stages=(Stage(epochs=2),))
    with pytest.raises(TrainingError, match=r"diverged in epoch .*lower the learning rate"):
        train_mtv(data, given, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"weights": "none.safetensors"}, ModelError),
        ({"backbone": "resnet10t", "frozen_stages": 1}, ModelError),
        ({"backgrounds": "/nowhere"}, DatasetError),
        ({"domain_shift": {"flop": 1}}, TrainingError),
    ],
)
def test_what_is_refused_leaves_no_folder_to_go_on_with(data, tmp_path, changes, error):
    with pytest.raises(error):
        train_mtv(data, settings(**changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domain_shift": {"flop": 1}}, "domain_shift: unknown setting 'flop'"),
        ({"sources": {"other": 1}}, "each of the data sets toy, got other"),
        ({"batch_triplets": 99}, "12 samples, fewer than the 99"),
    ],
)
def test_settings_that_do_not_fit_the_data(data, tmp_path, changes, message):
    with pytest.raises(TrainingError, match=message):
        train_mtv(data, settings(**changes), tmp_path / "out")


def test_bfloat16(data, tmp_path):
    heard = Heard()
    given = settings(precision="bf16-mixed", stages=(Stage(epochs=1),))
    train_mtv(data, given, tmp_path / "out", monitor=heard)
    assert np.isfinite(heard.epochs[0].losses["loss"])
    assert all(value.dtype == torch.float32 for value in weights_of(tmp_path / "out").values())


@pytest.fixture
def locator(tmp_path):
    from snapshelf.locating.edge_boxes import EdgeBoxes
    from snapshelf.locating.locator_file import save_locator
    from snapshelf.locating.ranked_proposals import RankedProposals

    folder = tmp_path / "elsewhere"
    save_locator(folder, RankedProposals(EdgeBoxes(), most=2))
    return folder


def test_a_locator_crops_photos_and_comes_with_the_system(data, whole, locator, tmp_path):
    import shutil

    from snapshelf.locating.locator_folder import locator_from_folder

    out = tmp_path / "out"
    given = settings(locator=str(locator))
    with pytest.raises(TrainingStopped):
        train_mtv(data, given, out, monitor=Heard(2))
    fingerprint = locator_from_folder(locator).fingerprint
    assert json.loads((out / "training.json").read_text())["locator"] == fingerprint
    system = train_mtv(data, given, out, resume=True)
    assert system.locator.fingerprint == fingerprint
    before, after = weights_of(whole[0]), weights_of(out)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    shutil.rmtree(locator)
    shutil.move(out, tmp_path / "moved")
    assert System.load(tmp_path / "moved").fingerprint == system.fingerprint
    file = tmp_path / "moved" / "system.json"
    described = json.loads(file.read_text())
    for value, message in (
        (5, "locator must be a str, got 5"),
        ("../out", "locator must be a file in this folder"),
        ("none", "must be the folder of a locator"),
    ):
        file.write_text(json.dumps(described | {"locator": value}))
        with pytest.raises(ModelError, match=message):
            System.load(tmp_path / "moved")


def test_another_locator_is_not_gone_on_with(data, locator, tmp_path):
    from snapshelf.locating.edge_boxes import EdgeBoxes
    from snapshelf.locating.locator_file import save_locator
    from snapshelf.locating.ranked_proposals import RankedProposals

    given = settings(locator=str(locator))
    with pytest.raises(TrainingStopped):
        train_mtv(data, given, tmp_path / "out", monitor=Heard(2))
    save_locator(locator, RankedProposals(EdgeBoxes(), most=3))
    with pytest.raises(TrainingError, match="locator was"):
        train_mtv(data, given, tmp_path / "out", resume=True)


def test_no_locator_is_named_and_leaves_no_folder(data, tmp_path):
    with pytest.raises(ModelError, match="must be the folder of a locator"):
        train_mtv(data, settings(locator=str(tmp_path / "none")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_trainings_from_before_locators_go_on(data, whole):
    record = json.loads((whole[0] / "training.json").read_text())
    assert "locator" not in record
    del record["recipe"]["locator"]
    (whole[0] / "training.json").write_text(json.dumps(record))
    assert train_mtv(data, settings(), whole[0], resume=True).encoder.dimension == 8
