"""The training of the compact encoder: whole, cut off and gone on with, and what it refuses."""

import csv

import numpy as np
import pytest
from toy_data import toy_data

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from safetensors.torch import load_file  # noqa: E402

from snapshelf.errors import DatasetError, ModelError  # noqa: E402
from snapshelf.features.embedding_network import EmbeddingNetwork  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.compact import train_compact  # noqa: E402
from snapshelf.training.batches import ViewBatch  # noqa: E402
from snapshelf.training.compact_settings import CompactSettings, Phase  # noqa: E402
from snapshelf.training.cross_domain_module import CrossDomainModule  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.settings import settings_from  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402


def settings(**changes):
    given = {
        "backbone": "mobilenetv2_035",
        "weights": "random",
        "dimension": 8,
        "size": 32,
        "hint_size": 32,
        "hint_epochs": 2,
        "hint_views": 12,
        "hint_batch": 4,
        "phases": (Phase(size=32, epochs=2), Phase(size=48, epochs=1)),
        "phase_batches": 3,
        "batch_pairs": 4,
        "warmup_batches": 1,
        "num_workers": 0,
        "picture_side": 48,
    }
    return CompactSettings(**given | changes)


class Heard(Monitor):
    """Stops after so many batches."""

    def __init__(self, stop_after=None):
        self.batches, self.stop_after = 0, stop_after

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compact")
    return [
        toy_data(folder / "both", 5, street=2, name="both"),
        toy_data(folder / "shop", 6, street=0, name="shop", first=40),
    ]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "out"
    return out, train_compact(data, settings(), out)


def test_the_system_is_a_folder_that_loads(whole):
    out, system = whole
    again = System.load(out)
    assert again.fingerprint == system.fingerprint
    assert again.encoder.dimension == 8
    assert again.encoder.preprocessing.size == (32, 32)
    inputs = again.encoder.prepare(np.full((20, 10, 3), 90, np.uint8), Domain.SHOP)[None]
    assert np.linalg.norm(again.encoder.encode(inputs, Domain.SHOP)) == pytest.approx(1, abs=1e-5)


def test_a_mirrored_system_embeds_mirror_images_alike(data, tmp_path):
    short = settings(mirrored=True, hint_epochs=1, phases=(Phase(size=32, epochs=1),))
    encoder = train_compact(data, short, tmp_path / "out").encoder
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    inputs = np.stack([encoder.prepare(each, Domain.SHOP) for each in (picture, picture[:, ::-1])])
    one, other = encoder.encode(inputs, Domain.STREET)
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_each_step_of_the_recipe_has_its_log(whole):
    out, _ = whole
    for step, epochs in (("hints", 2), ("phase-1", 2), ("phase-2", 1)):
        with (out / step / "log.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == epochs


@pytest.mark.parametrize("batches", [2, 3, 6, 9, 13])
def test_gone_on_with_gives_the_same_weights(data, whole, tmp_path, batches):
    """Cut off in the hints, at their end, between steps, and in the second phase."""
    out = tmp_path / "out"
    with pytest.raises(TrainingStopped):
        train_compact(data, settings(), out, monitor=Heard(batches))
    train_compact(data, settings(), out, resume=True)
    expected, result = (load_file(each / "network.safetensors") for each in (whole[0], out))
    assert expected.keys() == result.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, result[name]), name


def test_a_finished_training_is_left_as_it_is(data, whole):
    heard = Heard()
    train_compact(data, settings(), whole[0], resume=True, monitor=heard)
    assert heard.batches == 0


def test_no_weight_of_the_teacher_is_in_the_student(whole):
    """Both are random here, from one generator: what is left are no equal tensors."""
    from snapshelf.training.preparation import make_backbone

    torch.manual_seed(settings().seed)
    teacher, _, _ = make_backbone(settings())
    student = load_file(whole[0] / "network.safetensors")
    for name, tensor in teacher.state_dict().items():
        if tensor.ndim == 4:
            assert not torch.allclose(tensor, student[f"backbone.{name}"])


def test_a_trained_network_can_teach(data, whole, tmp_path):
    from snapshelf.systems.trained_network import trained_network

    teacher, of_teacher = trained_network(whole[0])
    losses = []
    for epochs in (1, 12):
        out = tmp_path / str(epochs)
        given = settings(
            teacher=str(whole[0]), backbone="no-such", hint_epochs=epochs, phases=(Phase(size=32),)
        )
        train_compact(data, given, out)
        student, description = trained_network(out)
        assert description.backbone == of_teacher.backbone
        assert description.preprocessing == of_teacher.preprocessing
        with (out / "hints" / "log.csv").open() as log:
            losses.append(float(list(csv.DictReader(log))[-1]["loss"]))
    assert losses[1] < losses[0]
    for name, tensor in teacher.backbone.state_dict().items():
        if tensor.ndim == 4:
            assert not torch.allclose(tensor, student.backbone.state_dict()[name])


def test_the_student_of_a_trained_network_begins_with_its_embedding(data, whole, tmp_path):
    """Hardly moved from there, its similarities are those of the teacher's layer."""
    from snapshelf.systems.trained_network import trained_network

    still = (Phase(size=32, epochs=1, learning_rate=1e-30),)
    given = settings(teacher=str(whole[0]), dimension=8, phases=still, weight_decay=0.0)
    train_compact(data, given, tmp_path / "out")
    teacher, _ = trained_network(whole[0])
    student, _ = trained_network(tmp_path / "out")
    with torch.no_grad():
        pooled = student.pooled(torch.randn(6, 3, 32, 32))
        expected, found = (torch.nn.functional.normalize(each.embedding(pooled))
                           for each in (teacher, student))  # fmt: skip
    torch.testing.assert_close(found @ found.T, expected @ expected.T)


def test_a_teacher_of_fewer_numbers_is_refused_at_once(data, whole, tmp_path):
    heard = Heard()
    with pytest.raises(TrainingError, match="of 9 numbers cannot begin as the teacher's of 8"):
        train_compact(
            data, settings(teacher=str(whole[0]), dimension=9), tmp_path / "out", monitor=heard
        )
    assert heard.batches == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"system\.json cannot be read as JSON"),
        ("{", r"system\.json cannot be read as JSON"),
        ('{"system": "onnx"}', "made of compact or mtv, got the system 'onnx'"),
        ("[]", "got the system None"),
        ('{"system": "mtv"}', "the setting 'backbone' is missing"),
    ],
)
def test_a_teacher_that_is_none_is_refused(data, tmp_path, text, message):
    if text is not None:
        (tmp_path / "system.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        train_compact(data, settings(teacher=str(tmp_path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_refused_leaves_no_folder_to_go_on_with(data, tmp_path):
    """So the mended settings train there, without another word."""
    with pytest.raises(DatasetError, match="holds no picture that can be a background"):
        train_compact(data, settings(backgrounds=str(tmp_path)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_loss_is_the_mean_of_both_directions():
    from torch import nn

    class Backbone(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = nn.Conv2d(3, 6, 4, stride=4)

        def forward_features(self, inputs):
            return self.convolution(inputs)

        forward = forward_features

    torch.manual_seed(0)
    network = EmbeddingNetwork(Backbone(), size=(16, 16), dimension=5)
    spec = Preprocessing(size=(16, 16), mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    module = CrossDomainModule(
        network, spec, temperature=0.2, learning_rate=1e-3, weight_decay=0.0, warmup=0, steps=1
    )
    module.log = lambda *args, **kwargs: None
    pictures = torch.randint(0, 256, (4, 2, 3, 16, 16), dtype=torch.uint8)
    nothing = torch.zeros(4)
    batch = ViewBatch(pictures, nothing.long(), nothing, nothing.bool())
    result = module.training_step(batch, 0)

    mean, std = (np.reshape(each, (3, 1, 1)) for each in (spec.mean, spec.std))
    inputs = (pictures.numpy() / 255 - mean) / std
    with torch.no_grad():
        flat = torch.from_numpy(inputs).flatten(0, 1).float()
        raw = network(flat).double().numpy().reshape(4, 2, 5)
    embeddings = raw / np.linalg.norm(raw, axis=-1, keepdims=True)
    total = 0.0
    for i in range(4):
        for a, b in ((0, 1), (1, 0)):
            logits = [embeddings[i, a] @ embeddings[k, b] / 0.2 for k in range(4)]
            total -= np.log(np.exp(logits[i]) / np.sum(np.exp(logits)))
    assert result.item() == pytest.approx(total / 8, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_pairs": 11}, "6 different products of both, which has 5"),
        ({"dimension": 200}, "an embedding of 200 numbers needs at least as many pictures"),
        ({"sources": {"both": 1, "other": 2}}, "sources must give a weight for each"),
        ({"hint_sources": {"shop": 1}}, "sources must give a weight for each"),
        ({"domain_shift": {"flop": 1}}, "domain_shift: unknown setting 'flop'"),
    ],
)
def test_what_the_data_cannot_give_is_refused(data, tmp_path, changes, message):
    with pytest.raises(TrainingError, match=message):
        train_compact(data, settings(**changes), tmp_path / "out")


def test_a_backbone_of_another_family_is_refused(data, tmp_path):
    with pytest.raises(ModelError, match="MobileNet and EfficientNet family"):
        train_compact(data, settings(backbone="resnet10t"), tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pooling": "max"}, "pooling must be one of gap, gem, mac, r-mac, ra-mac, spoc"),
        ({"phases": []}, "phases must hold at least one phase"),
        ({"phases": [{"size": 8}]}, r"phases\[0\]: size must be in \[32, 1024\], got 8"),
        ({"phases": [{"epochs": 0}]}, r"phases\[0\]: epochs must be finite and at least 1"),
        ({"phases": [{"learning_rate": 0}]}, "learning_rate must be finite and above 0"),
        ({"size": 5000}, r"size must be in \[32, 1024\], got 5000"),
        ({"hint_factors": []}, "hint_factors must be at least one number"),
        ({"hint_factors": [1.0, 0.0]}, "hint_factors must be at least one number"),
        ({"hint_views": 10}, "hint_views must be at least hint_batch"),
        ({"hint_street": 1.5}, r"hint_street must be in \[0, 1\], got 1.5"),
        ({"phases": [{"recoloured": -0.1}]}, r"recoloured must be in \[0, 1\], got -0.1"),
        ({"temperature": 0}, "temperature must be finite and above 0"),
        ({"batch_pairs": 1}, "batch_pairs must be finite and at least 2"),
        ({"sources": {"grocery": 0}}, "sources.grocery must be finite and above 0"),
        ({"sources": {"grocery": "x"}}, "sources.grocery must be a number"),
        ({"tau": 1}, "unknown setting 'tau'"),
    ],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(TrainingError, match=message):
        settings_from(CompactSettings, values, "compact.toml")
