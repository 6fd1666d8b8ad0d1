"""Studio2Shop's query network: the published sizes, its layers, and its folder."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbones import create_backbone, feature_map  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.query_folder import (  # noqa: E402
    QUERY_FILE,
    QueryDescription,
    load_query_network,
    save_query_network,
)
from snapshelf.features.query_network import QUERY_SIZE, QueryNetwork  # noqa: E402


def small(**changes):
    torch.manual_seed(0)
    given = {"size": (64, 32), "hidden": 6, "dimension": 3}
    return QueryNetwork(create_backbone("test_resnet", {}), **given | changes).eval()


def weights_of(layer):
    return sum(each.numel() for each in layer.parameters())


def test_the_published_sizes_and_parameters():
    with torch.device("meta"):  # the weights are of no interest, and fill 200 MB
        backbone = create_backbone("torchvision/vgg16", {})
    network = QueryNetwork(backbone.to_empty(device="cpu"), batch_norm="freeze")
    assert QUERY_SIZE == (224, 155)
    assert network.grid == (7, 4)
    assert weights_of(network.backbone) == 14_714_688
    counts = [weights_of(each) for each in network.layers if isinstance(each, torch.nn.Linear)]
    assert counts == [29_362_176, 4_196_352, 262_272]
    kept = [each.p for each in network.layers if isinstance(each, torch.nn.Dropout)]
    assert kept == [0.5, 0.5]


@pytest.mark.parametrize("grid", [None, (1, 1), (2, 1)])
def test_features_are_dense_layers_over_the_map(grid):
    network = small(grid=grid)
    inputs = torch.randn(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = network(inputs).numpy()
        cells = feature_map(network.backbone, inputs).numpy()
    height, width = cells.shape[2:]
    assert (height, width) == (2, 1)
    if grid == (1, 1):
        cells = cells.mean((2, 3), keepdims=True)
    values = cells.reshape(2, -1)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    for number in (0, 3, 6):
        name = f"layers.{number}"
        values = values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        if number < 6:
            values = np.maximum(values, 0)
    np.testing.assert_allclose(found, values, atol=1e-5)
    assert found.shape == (2, 3)


def test_dropout_and_all_layers_learn():
    network = small(dropout=0.5).train()
    inputs = torch.randn(4, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(1)
    first = network(inputs)
    assert not torch.equal(first, network(inputs))
    first.sum().backward()
    assert all(each.grad is not None and each.grad.any() for each in network.layers.parameters())
    assert any(each.grad is not None and each.grad.any() for each in network.backbone.parameters())
    assert torch.equal(network.eval()(inputs), network(inputs))


def test_batch_norms_train_only_where_they_are_to():
    kept = small(batch_norm="freeze").train()
    assert kept.layers.training
    assert not any(m.training for m in kept.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert all(m.training for m in small(batch_norm="train").train().modules())
    folded = small(batch_norm="fold")
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.backbone.modules())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 0}, "must be at least 1, got 0, 3"),
        ({"dimension": 0}, "must be at least 1, got 6, 0"),
        ({"grid": (0, 1)}, "must be at least 1"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"batch_norm": "none"}, "batch_norm must be one of fold, freeze, train"),
    ],
)
def test_numbers_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        small(**change)


# --- the folder -----------------------------------------------------------------------------


def describe(**changes):
    given = {
        "backbone": "test_resnet",
        "grid": (2, 1),
        "hidden": 6,
        "dimension": 3,
        "preprocessing": Preprocessing(size=(64, 32), mean=(0.5,) * 3, std=(0.25,) * 3),
    }
    return QueryDescription(**given | changes)


def test_written_and_read(tmp_path):
    description = describe()
    values = json.loads(json.dumps(description.to_dict()))
    assert QueryDescription.from_dict(values, tmp_path) == description
    network = description.build(dropout=0.0).eval()
    save_query_network(tmp_path, network)
    again = load_query_network(tmp_path, description)
    assert not again.training
    inputs = torch.rand(1, 3, 64, 32)
    with torch.no_grad():
        assert torch.equal(again(inputs), network(inputs))


def test_settings_and_files_that_cannot_be_used(tmp_path):
    values = describe().to_dict()
    for change, message in {
        ("rows", 0): "rows must be in",
        ("hidden", 1 << 20): "hidden must be in",
        ("dimension", "3"): "dimension must be a whole number",
        ("batch_norm", "none"): "batch_norm must be one of",
        ("dropout", 0.5): "unknown setting 'dropout'",
    }.items():
        with pytest.raises(ModelError, match=message):
            QueryDescription.from_dict(values | dict([change]), tmp_path)
    with pytest.raises(ModelError, match="there is no weights file"):
        load_query_network(tmp_path, describe())
    save_query_network(tmp_path, describe().build())
    with pytest.raises(ModelError, match="does not fit the settings"):
        load_query_network(tmp_path, describe(dimension=4))
    with pytest.raises(ModelError, match="there is no backbone 'no_such'"):
        load_query_network(tmp_path, describe(backbone="no_such"))
    whole = (tmp_path / QUERY_FILE).read_bytes()
    (tmp_path / QUERY_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        load_query_network(tmp_path, describe())
