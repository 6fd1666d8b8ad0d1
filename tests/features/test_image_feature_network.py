"""AsymNet's image feature network: pyramids against loops, regions of any size, its folder."""

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbones import create_backbone, feature_map  # noqa: E402
from snapshelf.features.image_feature_folder import (  # noqa: E402
    IMAGE_FILE,
    ImageFeatureDescription,
    load_image_network,
    save_image_network,
)
from snapshelf.features.image_feature_network import ImageFeatureNetwork  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.spatial_pyramid import pyramid_maxima  # noqa: E402


def small(**changes):
    torch.manual_seed(0)
    given = {"size": (64, 32), "grids": (2, 1), "dense": (6, 3), "dropout": 0.0}
    return ImageFeatureNetwork(create_backbone("test_resnet", {}), **given | changes).eval()


def noise(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def slow_pyramid(cells, grids, pick):
    """The cells of each grid of each channel, pixel by pixel."""
    found = []
    channels, height, width = cells.shape
    for grid in grids:
        for channel in range(channels):
            for i in range(grid):
                for j in range(grid):
                    rows = range(i * height // grid, math.ceil((i + 1) * height / grid))
                    columns = range(j * width // grid, math.ceil((j + 1) * width / grid))
                    found.append(pick([cells[channel, y, x] for y in rows for x in columns]))
    return np.array(found)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 5)])
def test_maxima_over_any_map(shape):
    cells = noise(2, 3, *shape)
    found = pyramid_maxima(cells, (3, 2, 1)).numpy()
    assert found.shape == (2, 3 * 14)
    for row, each in zip(found, cells.numpy(), strict=True):
        np.testing.assert_array_equal(row, slow_pyramid(each, (3, 2, 1), max))
    assert pyramid_maxima(cells).shape == (2, 3 * 50)
    for wrong in ((), (2, 0)):
        with pytest.raises(ValueError, match="grids must be at least one number from 1"):
            pyramid_maxima(cells, wrong)


@pytest.mark.parametrize("pyramid", ["max", "mean"])
def test_features_are_dense_layers_over_the_pyramid(pyramid):
    network, inputs = small(pyramid=pyramid, size=(96, 64)), noise(2, 3, 96, 160)
    with torch.no_grad():
        found = network(inputs).numpy()
        cells = feature_map(network.backbone, inputs).numpy()
    assert min(cells.shape[2:]) >= 2
    values = np.stack(
        [slow_pyramid(each, (2, 1), max if pyramid == "max" else np.mean) for each in cells]
    )
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    for name in ("layers.0", "layers.3"):
        values = np.maximum(values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"], 0)
    np.testing.assert_allclose(found, values, atol=1e-5)
    assert found.shape == (2, network.dimension) == (2, 3)
    assert found.any()


def test_the_published_layers():
    with torch.device("meta"):  # the weights are of no interest, and fill 600 MB
        network = ImageFeatureNetwork(
            create_backbone("torchvision/vgg16", {}), size=(224, 224), batch_norm="freeze"
        )
    assert sum(each.numel() for each in network.backbone.parameters()) == 14_714_688
    dense = [each for each in network.layers if isinstance(each, torch.nn.Linear)]
    assert [(each.in_features, each.out_features) for each in dense] == [
        (512 * (36 + 9 + 4 + 1), 4096),
        (4096, 4096),
    ]
    kept = [each.p for each in network.layers if isinstance(each, torch.nn.Dropout)]
    assert kept == [0.5, 0.5]


def test_regions_of_any_size_come_in_their_order():
    network = small()
    sizes = [(1, 1), (64, 32), (1, 300), (40, 200), (64, 32), (33, 31), (300, 2)]
    regions = [noise(3, *size, seed=n) for n, size in enumerate(sizes)]
    with torch.no_grad():
        found = network.regions(regions)
        alone = torch.cat([network(each[None]) for each in regions])
    assert found.shape == (len(sizes), 3)
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)
    assert len({tuple(row.tolist()) for row in found.round(decimals=4)}) > 3
    assert torch.isfinite(found).all()
    assert network.regions([]).shape == (0, 3)
    blank = network.regions([torch.zeros(3, 1, 1), torch.zeros(3, 5, 9)])
    torch.testing.assert_close(blank[0], blank[1])


def test_dropout_and_all_layers_learn_and_batch_norms_only_where_they_are_to():
    network, inputs = small(dropout=0.5, dense=(64,)).train(), noise(4, 3, 64, 32)
    torch.manual_seed(1)
    first = network(inputs)
    assert not torch.equal(first, network(inputs))
    first.sum().backward()
    assert all(each.grad is not None and each.grad.any() for each in network.layers.parameters())
    assert any(each.grad is not None and each.grad.any() for each in network.backbone.parameters())
    norms = torch.nn.BatchNorm2d
    kept = small(batch_norm="freeze").train()
    assert not any(m.training for m in kept.modules() if isinstance(m, norms))
    assert all(m.training for m in small(batch_norm="train").train().modules())
    assert not any(isinstance(m, norms) for m in small().modules())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dense": ()}, "dense must be at least one length from 1"),
        ({"dense": (4, 0)}, "dense must be at least one length from 1"),
        ({"least_side": 0}, "least_side at least 1"),
        ({"grids": ()}, "grids must be at least one number from 1"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"pyramid": "sum"}, "pyramid must be one of max, mean, got 'sum'"),
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
        "grids": (2, 1),
        "dense": (6, 3),
        "preprocessing": Preprocessing(size=(64, 32), mean=(0.5,) * 3, std=(0.25,) * 3),
    }
    return ImageFeatureDescription(**given | changes)


def test_written_and_read(tmp_path):
    description = describe()
    values = json.loads(json.dumps(description.to_dict()))
    assert ImageFeatureDescription.from_dict(values, tmp_path) == description
    network = description.build(dropout=0.0).eval()
    save_image_network(tmp_path, network)
    again = load_image_network(tmp_path, description)
    assert not again.training
    inputs = noise(1, 3, 50, 70)
    with torch.no_grad():
        assert torch.equal(again(inputs), network(inputs))


def test_settings_and_files_that_cannot_be_used(tmp_path):
    values = describe().to_dict()
    for change, message in {
        ("grids", "3"): "grids must be a list",
        ("dropout", 0.5): "unknown setting 'dropout'",
        ("least_side", 0): "least_side must be in",
        ("batch_norm", "none"): "batch_norm must be one of",
        ("pyramid", "sum"): "pyramid must be one of max, mean",
    }.items():
        with pytest.raises(ModelError, match=message):
            ImageFeatureDescription.from_dict(values | dict([change]), tmp_path)
    for name, wrong in {"grids": [True], "dense": [], "preprocessing": {}}.items():
        with pytest.raises(ModelError, match=name):
            ImageFeatureDescription.from_dict(values | {name: wrong}, tmp_path)
    with pytest.raises(ModelError, match="there is no weights file"):
        load_image_network(tmp_path, describe())
    save_image_network(tmp_path, describe().build())
    with pytest.raises(ModelError, match="does not fit the settings"):
        load_image_network(tmp_path, describe(dense=(6, 4)))
    with pytest.raises(ModelError, match="there is no backbone 'no_such'"):
        load_image_network(tmp_path, describe(backbone="no_such"))
    whole = (tmp_path / IMAGE_FILE).read_bytes()
    (tmp_path / IMAGE_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        load_image_network(tmp_path, describe())
