"""SAG-CNN: its pyramid, FC1 and branches against slow references, and what FC1 starts from."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from safetensors.torch import save_file  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.attribute_network import AttributeNetwork, LevelFeatures  # noqa: E402
from snapshelf.features.backbones import create_backbone, feature_map  # noqa: E402
from snapshelf.features.first_layer import (  # noqa: E402
    FIRST_LAYERS,
    fill_first_layer,
    weights_with_first_layer,
)
from snapshelf.features.spatial_pyramid import pyramid_means  # noqa: E402


def small_network(**changes):
    torch.manual_seed(0)
    given = {"size": (32, 32), "fc1": 6, "branch": 4, "attributes": [3, 2]}
    return AttributeNetwork(create_backbone("test_resnet", {}), **given | changes).eval()


def slow_pyramid(features, grids):
    """Means over cells, with loops."""
    rows = []
    for picture in features:
        row = []
        for n in grids:
            for channel in picture:
                height, width = channel.shape
                for i in range(n):
                    for j in range(n):
                        top, bottom = math.floor(i * height / n), math.ceil((i + 1) * height / n)
                        left, right = math.floor(j * width / n), math.ceil((j + 1) * width / n)
                        row.append(channel[top:bottom, left:right].mean())
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (7, 7), (4, 5), (1, 6)])
@pytest.mark.parametrize("grids", [(2, 1), (3,), (1,)])
def test_the_pyramid_is_the_mean_of_its_cells(shape, grids):
    features = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(1))
    expected = slow_pyramid(features.numpy(), grids)
    np.testing.assert_allclose(pyramid_means(features, grids).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("grids", [(), (0,), (2, -1)])
def test_a_pyramid_needs_grids(grids):
    with pytest.raises(ValueError, match="grids must be at least one number from 1"):
        pyramid_means(torch.zeros(1, 1, 2, 2), grids)


@pytest.mark.parametrize("grid", [1, 2])
def test_the_network_is_fc1_and_two_layers_for_each_attribute(grid):
    network = small_network(grid=grid)
    inputs = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        features = feature_map(network.backbone, inputs).numpy()
        fc1 = network(inputs)
        logits = network.attribute_logits(fc1)
        described = LevelFeatures(network)(inputs).numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    cells = slow_pyramid(features, (grid,))
    expected = np.maximum(cells @ weights["first.weight"].T + weights["first.bias"], 0)
    np.testing.assert_allclose(fc1.numpy(), expected, atol=1e-5)
    assert [each.shape for each in logits] == [(2, 3), (2, 2)]
    for number, found in enumerate(logits):
        first, last = f"branches.{number}.0", f"branches.{number}.2"
        own = np.maximum(expected @ weights[f"{first}.weight"].T + weights[f"{first}.bias"], 0)
        own = own @ weights[f"{last}.weight"].T + weights[f"{last}.bias"]
        np.testing.assert_allclose(found.numpy(), own, atol=1e-5)
    pyramid = slow_pyramid(features, (2, 1))
    length = LevelFeatures(network).pyramid_length
    assert described.shape == (2, 5 * network.channels + 6)
    assert length == pyramid.shape[1]
    for part, whole in ((described[:, :length], pyramid), (described[:, length:], expected)):
        np.testing.assert_allclose(
            part, whole / np.linalg.norm(whole, axis=1, keepdims=True), atol=1e-5
        )


def test_alexnet_gives_the_papers_length():
    backbone = create_backbone("torchvision/alexnet", {})
    layer = FIRST_LAYERS["torchvision/alexnet"]
    network = AttributeNetwork(backbone, size=(224, 224), grid=layer.grid, fc1=layer.dimension)
    with torch.no_grad():
        assert LevelFeatures(network.eval())(torch.zeros(1, 3, 224, 224)).shape == (1, 5376)


@pytest.mark.parametrize("changes", [{"grid": 0}, {"fc1": 0}, {"branch": 0}, {"attributes": [0]}])
def test_numbers_out_of_range(changes):
    with pytest.raises(ValueError, match="must be at least 1"):
        small_network(**changes)


def test_batch_norms_train_only_where_they_are_to():
    kept = small_network(batch_norm="freeze").train()
    assert kept.first.training
    assert not any(m.training for m in kept.modules() if isinstance(m, torch.nn.BatchNorm2d))
    trained = small_network(batch_norm="train").train()
    assert all(m.training for m in trained.modules())


# --- what FC1 starts from -------------------------------------------------------------------


def test_without_a_published_layer_fc1_passes_the_pooled_features_on():
    network = small_network(fc1=None)
    fill_first_layer(network.first, "test_resnet", None)
    inputs = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        pooled = feature_map(network.backbone, inputs).mean((2, 3))
        torch.testing.assert_close(network(inputs), pooled.relu())
    shorter = small_network(fc1=5)
    fill_first_layer(shorter.first, "test_resnet", None)
    weight = shorter.first.weight
    torch.testing.assert_close(weight @ weight.T, torch.eye(5), atol=1e-5, rtol=0)


def test_the_published_layer_is_taken_from_its_file(tmp_path):
    import torchvision

    whole = torchvision.models.squeezenet1_1(weights=None)  # any other network has none
    save_file(whole.state_dict(), tmp_path / "other")
    layer = torch.nn.Linear(8, 4)
    name = FIRST_LAYERS["torchvision/alexnet"].tensor
    tensors = {f"{name}.weight": torch.rand(4, 8), f"{name}.bias": torch.rand(4)}
    save_file(tensors, tmp_path / "right")
    fill_first_layer(layer, "torchvision/alexnet", tmp_path / "right")
    assert torch.equal(layer.weight, tensors[f"{name}.weight"])
    assert torch.equal(layer.bias, tensors[f"{name}.bias"])
    with pytest.raises(ModelError, match=r"does not hold the first fully connected layer"):
        fill_first_layer(torch.nn.Linear(7, 4), "torchvision/alexnet", tmp_path / "right")
    with pytest.raises(ModelError, match=r"expected classifier\.1\.weight of shape \(4, 8\)"):
        fill_first_layer(layer, "torchvision/alexnet", tmp_path / "other")


def test_where_the_published_layer_is(tmp_path, monkeypatch):
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    assert weights_with_first_layer("mobilenetv2_100", None) is None
    assert weights_with_first_layer("torchvision/alexnet", "random") is None
    assert weights_with_first_layer("torchvision/alexnet", "hub") is None
    assert weights_with_first_layer("torchvision/vgg16", "own.safetensors").name == (
        "own.safetensors"
    )
    file = tmp_path / "alexnet-owt-7be5be79.safetensors"
    file.touch()
    assert weights_with_first_layer("torchvision/alexnet", None) == file


@pytest.mark.parametrize("name", ["torchvision/alexnet", "torchvision/vgg11"])
def test_the_published_layers_are_torchvisions(name):
    import torchvision

    with torch.device("meta"):
        whole = torchvision.models.get_model(name.removeprefix("torchvision/"), weights=None)
    layer = FIRST_LAYERS[name]
    linears = [n for n, m in whole.named_modules() if isinstance(m, torch.nn.Linear)]
    assert linears[0] == layer.tensor
    first = whole.get_submodule(layer.tensor)
    assert first.out_features == layer.dimension
    assert whole.avgpool.output_size == (layer.grid, layer.grid)
