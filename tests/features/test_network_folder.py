"""`EmbeddingNetwork` and its folder: what comes back is the same, and damage is told."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from safetensors.torch import load_file, save_file  # noqa: E402
from torch import nn  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbones import create_backbone, feature_map  # noqa: E402
from snapshelf.features.embedding_network import EmbeddingNetwork  # noqa: E402
from snapshelf.features.network_folder import (  # noqa: E402
    NetworkDescription,
    load_network,
    save_network,
)
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.5,) * 3, std=(0.5,) * 3)
DESCRIPTION = NetworkDescription(
    backbone="test_resnet",
    preprocessing=SPEC,
    dimension=8,
    attributes={"kind": (("Fruit", "Apple"), ("Fruit", "Pear"), ("Packages", "Milk"))},
)
INPUTS = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(4)
    return DESCRIPTION.build().eval()


@pytest.fixture
def folder(tmp_path, network):
    save_network(tmp_path / "n", network, DESCRIPTION, system="mtv", notes={"seed": 4})
    return tmp_path / "n"


def settings_of(folder, **changes):
    settings = json.loads((folder / "system.json").read_text())
    assert settings.pop("system") == "mtv"
    assert settings.pop("notes") == {"seed": 4}
    settings |= changes
    return {name: value for name, value in settings.items() if value is not None}


def test_is_a_linear_map_of_the_pooled_features(network):
    with torch.no_grad():
        pooled = feature_map(network.backbone, INPUTS).mean(dim=(2, 3)).numpy()
        raw = network.features(INPUTS).numpy()
        (logits,) = network.attribute_logits(torch.from_numpy(raw))
    weight, bias = (each.detach().numpy() for each in network.embedding.parameters())
    np.testing.assert_allclose(raw, pooled @ weight.T + bias, atol=1e-5)
    head = network.attributes[0]
    np.testing.assert_allclose(
        logits.detach().numpy(),
        raw @ head.weight.detach().numpy().T + head.bias.detach().numpy(),
        atol=1e-5,
    )


@pytest.mark.parametrize(("mode", "norms", "moves"), [("fold", 0, False), ("freeze", 1, False),
                                                      ("train", 1, True)])  # fmt: skip
def test_what_becomes_of_batch_norms(mode, norms, moves):
    torch.manual_seed(0)
    backbone = create_backbone("test_resnet", {})
    network = EmbeddingNetwork(backbone, size=(32, 32), dimension=4, batch_norm=mode)
    found = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert bool(found) == bool(norms)
    network.train()
    assert network.training
    assert all(module.training == moves for module in found)
    before = [module.running_mean.clone() for module in found]
    network(INPUTS).sum().backward()
    changed = [not torch.equal(a, b.running_mean) for a, b in zip(before, found, strict=True)]
    assert all(changed) if moves else not any(changed)
    assert all(p.grad is not None for p in network.backbone.parameters())


def test_folded_and_frozen_are_the_same_function():
    embeddings = []
    for mode in ("fold", "freeze"):
        torch.manual_seed(0)
        network = EmbeddingNetwork(
            create_backbone("test_resnet", {}), size=(32, 32), dimension=4, batch_norm=mode
        )
        with torch.no_grad():
            embeddings.append(network.train()(INPUTS))
    assert torch.allclose(*embeddings, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pooling": "max"}, "pooling must be one of gap"),
        ({"batch_norm": "no"}, "batch_norm must be one of fold"),
        ({"dimension": 0}, "dimension .* at least 1"),
        ({"attributes": [2, 0]}, "attribute must be at least 1"),
    ],
)
def test_mistakes_of_the_caller(change, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingNetwork(create_backbone("test_resnet", {}), size=(32, 32), **change)


def test_comes_back_as_it_was(folder, network):
    loaded, description, fingerprint = load_network(folder, settings_of(folder))
    assert description == DESCRIPTION
    assert len(fingerprint) == 32
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(loaded(INPUTS), network(INPUTS))
        assert torch.equal(
            loaded.attribute_logits(loaded(INPUTS))[0], network.attribute_logits(network(INPUTS))[0]
        )
    assert load_network(folder, settings_of(folder))[2] == fingerprint


@pytest.mark.parametrize("mode", ["freeze", "train"])
def test_comes_back_with_its_batch_norms(tmp_path, mode):
    description = NetworkDescription(
        backbone="test_resnet", preprocessing=SPEC, dimension=4, batch_norm=mode
    )
    network = description.build().train()
    network(INPUTS)
    save_network(tmp_path, network, description, system="mtv", notes={"seed": 4})
    loaded, _, _ = load_network(tmp_path, settings_of(tmp_path))
    with torch.no_grad():
        assert torch.equal(loaded(INPUTS), network.eval()(INPUTS))


def test_the_fingerprint_tells_weights_and_settings(folder):
    base = load_network(folder, settings_of(folder))[2]
    seen = {base}
    spec = SPEC.to_dict()
    for change in (
        {"pooling": "mac"},
        {"preprocessing": {**spec, "mean": [0.4, 0.5, 0.5]}},
        {"preprocessing": {**spec, "fit": "squash"}},
        {"options": {"drop_rate": 0.1}},
        {"mirrored": True},
    ):
        seen.add(load_network(folder, settings_of(folder, **change))[2])
    tensors = load_file(folder / "network.safetensors")
    tensors["embedding.bias"][0] += 1e-3
    save_file(tensors, folder / "network.safetensors")
    seen.add(load_network(folder, settings_of(folder))[2])
    assert len(seen) == 7


BAD = {
    "backbone": (None, "the setting 'backbone' is missing"),
    "preprocessing": (None, "the setting 'preprocessing' is missing"),
    "dimension": ("8", "dimension must be a whole number, got '8'"),
    "mirrored": (1, "mirrored must be true or false, got '1'"),
    "options": ([], "options must be an object"),
    "pooling": ("best", "pooling must be one of gap"),
    "batch_norm": ("off", "batch_norm must be one of fold"),
    "extra": (1, "unknown setting 'extra'; expected backbone"),
    "attributes": ({"kind": [["a"]]}, "attribute 'kind' must be a list of"),
}


@pytest.mark.parametrize("name", BAD)
def test_settings_that_cannot_be_used(folder, name):
    value, message = BAD[name]
    with pytest.raises(ModelError, match=message) as caught:
        load_network(folder, settings_of(folder, **{name: value}))
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"dimension": True},
        {"dimension": 0},
        {"dimension": 10**9},
        {"backbone": "no_such"},
        {"backbone": "hf-hub:timm/resnet18"},
        {"options": {"no_such": 1}},
        {"options": {"pretrained": True}},
        {"preprocessing": {"size": [32, 32]}},
        {"dimension": 9},
        {"batch_norm": "train"},
        {"attributes": {}},
        {"backbone": "test_vit"},
    ],
    ids=str,
)
def test_settings_that_do_not_fit(folder, change):
    with pytest.raises(ModelError):
        load_network(folder, settings_of(folder, **change))


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "other", "pickle"])
def test_damaged_weights(folder, damage):
    file = folder / "network.safetensors"
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "text":
        file.write_text("no weights")
    elif damage == "other":
        save_file({"a": torch.zeros(1)}, file)
    else:
        torch.save({"embedding.bias": torch.zeros(8)}, file)
    with pytest.raises(ModelError, match=r"network\.safetensors"):
        load_network(folder, settings_of(folder))


def test_a_kill_while_writing_leaves_the_old_file(folder, network, monkeypatch):
    before = (folder / "network.safetensors").read_bytes()
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        save_network(folder, network, DESCRIPTION, system="mtv", notes={})
    assert (folder / "network.safetensors").read_bytes() == before
