"""FashionDNA: the convolutions, layers and lengths of Table 5, and its folder."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.errors import MissingWeightsError, ModelError  # noqa: E402
from snapshelf.features.attribute_network import AttributeNetwork  # noqa: E402
from snapshelf.features.backbones import (  # noqa: E402
    check_backbone,
    create_backbone,
    default_preprocessing,
    feature_map,
    load_hub_backbone,
    load_weights,
)
from snapshelf.features.dna_convolutions import DNA_SIZE, DnaConvolutions  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.fashion_dna import (  # noqa: E402
    DnaDescription,
    dna_features,
    load_dna,
    save_dna_network,
    save_dna_projection,
)
from snapshelf.features.network_weights import write_network_weights  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.principal_projection import fit_projection  # noqa: E402

NAME = "snapshelf/fashion-dna"

TABLE_5 = {
    "commodity": (1448, 1024),
    "article_number": (445, 890),
    "silhouette": (80, 160),
    "brand": (3719, 1024),
    "target_group": (153, 306),
    "pattern": (19, 38),  # the table prints 40
    "material": (36, 72),
    "main_colour": (122, 244),
    "second_colour": (70, 140),
}
"""Values of each attribute, and units of its branch's first layer."""


def sizes_of(layer):
    return sum(each.numel() for each in layer.parameters())


def test_sizes_and_parameters_are_those_of_the_table():
    network = AttributeNetwork(
        create_backbone(NAME, {}),
        size=DNA_SIZE,
        grid=(7, 5),
        fc1=1536,
        branch=None,
        attributes=[values for values, _ in TABLE_5.values()],
    ).eval()
    layers = network.backbone.layers
    inputs, shapes = torch.zeros(1, 3, 256, 177), []
    with torch.no_grad():
        for layer in layers:
            inputs = layer(inputs)
            if not isinstance(layer, torch.nn.ReLU):
                channels, height, width = inputs.shape[1:]
                shapes.append(f"{height}x{width}x{channels}")
    assert shapes == [
        *("62x42x96", "31x21x96", "31x21x96"),
        *("31x21x256", "15x10x256", "15x10x256"),
        *("15x10x384", "15x10x384", "15x10x256", "7x5x256"),
    ]
    assert [sizes_of(layer) for layer in layers if isinstance(layer, torch.nn.Conv2d)] == [
        *(34_944, 614_656, 885_120, 1_327_488, 884_992)
    ]
    assert network.first.in_features == 8960
    assert sizes_of(network.first) == 13_764_096
    for branch, (values, units) in zip(network.branches, TABLE_5.values(), strict=True):
        assert (branch[0].out_features, branch[2].out_features) == (units, values)
    # Two units fewer in the branch of the pattern.
    assert sizes_of(network) == 29_301_284 - 2 * (1536 + 1 + 19)


def slow_normalisation(x):
    """AlexNet's, Section 3.3 there: over five neighbouring channels, with sums."""
    out = np.empty_like(x)
    for i in range(len(x)):
        near = x[max(0, i - 2) : i + 3]
        out[i] = x[i] / (2 + 1e-4 * np.square(near).sum(0)) ** 0.75
    return out


def test_local_response_normalisation_is_alexnets():
    layers = DnaConvolutions().layers
    (normalise,) = {layer for layer in layers if isinstance(layer, torch.nn.LocalResponseNorm)}
    x = 30 * torch.rand(7, 3, 2, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(normalise(x[None])[0], slow_normalisation(x.numpy()), rtol=1e-5)


def test_the_convolutions_are_a_backbone_like_any_other(tmp_path):
    check_backbone(NAME)
    torch.manual_seed(0)
    backbone = create_backbone(NAME, {})
    assert default_preprocessing(backbone).size == DNA_SIZE
    write_network_weights(tmp_path / "dna.safetensors", backbone)
    again = create_backbone(NAME, {})
    inputs = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert not torch.equal(feature_map(again, inputs), feature_map(backbone, inputs))
        load_weights(again, tmp_path / "dna.safetensors")
        assert torch.equal(feature_map(again, inputs), feature_map(backbone, inputs))
    with pytest.raises(ModelError, match=r"has no options, got \{'depth': 3\}"):
        create_backbone(NAME, {"depth": 3})
    with pytest.raises(MissingWeightsError, match="published nowhere"):
        load_hub_backbone(NAME, {})
    with pytest.raises(ModelError, match="there is no backbone 'snapshelf/other'"):
        create_backbone("snapshelf/other", {})


@pytest.mark.parametrize("grid", [(0, 5), (7, -1)])
def test_a_grid_has_cells_each_way(grid):
    with pytest.raises(ValueError, match="grid, fc1, branch and the classes"):
        AttributeNetwork(create_backbone("test_resnet", {}), size=(32, 32), grid=grid)


# --- the folder -----------------------------------------------------------------------------


def describe(**changes):
    given = {
        "backbone": "test_resnet",
        "grid": (2, 1),
        "fc1": 6,
        "preprocessing": Preprocessing(size=(48, 32), mean=(0.5,) * 3, std=(0.25,) * 3),
        "attributes": {"colour": (("red", "red"), ("blue", "navy"), ("blue", "sky"))},
    }
    return DnaDescription(**given | changes)


def pictures(count=5):
    return np.random.default_rng(1).integers(0, 256, (count, 48, 32, 3), np.uint8)


def write(folder, description, dimension=3):
    torch.manual_seed(0)
    save_dna_network(folder, description.build())
    features = dna_features(folder, description)
    rows = features.encode(pictures(), Domain.SHOP)
    save_dna_projection(folder, fit_projection(rows, rows, dimension=dimension), features)
    return features, rows


def test_features_are_the_layers_activations_on_their_main_axes(tmp_path):
    description = describe()
    features, rows = write(tmp_path, description)
    encoder, network = load_dna(tmp_path, description)
    assert (features.dimension, encoder.dimension) == (6, 3)
    scaled = torch.from_numpy(((pictures() / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2)).float()
    with torch.no_grad():
        cells = feature_map(network.backbone, scaled)
        cells = torch.nn.functional.adaptive_avg_pool2d(cells, (2, 1)).flatten(1)
        first = network.first(cells).relu().numpy()
    first = first / np.linalg.norm(first, axis=1, keepdims=True)
    np.testing.assert_allclose(rows, first, atol=1e-5)
    centred = first - first.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    short = centred @ axes[:3].T
    short = short / np.linalg.norm(short, axis=1, keepdims=True)
    found = encoder.encode(pictures(), Domain.SHOP)
    np.testing.assert_allclose(np.abs(found), np.abs(short), atol=1e-3)
    np.testing.assert_allclose(found @ found.T, short @ short.T, atol=1e-3)
    assert [len(branch) for branch in network.branches] == [3]


def test_the_description_survives_json(tmp_path):
    description = describe(branch=9)
    values = json.loads(json.dumps(description.to_dict()))
    assert DnaDescription.from_dict(values, tmp_path) == description
    assert description.build().branches[0][0].out_features == 9
    for change, message in {
        ("rows", 0): "rows must be in",
        ("branch", -1): "branch must be in",
        ("fc1", 1 << 20): "fc1 must be in",
        ("fc1", True): "fc1 must be a whole number",
        ("batch_norm", "none"): "batch_norm must be one of fold, freeze, train",
        ("colour", 1): "unknown setting 'colour'",
    }.items():
        with pytest.raises(ModelError, match=message):
            DnaDescription.from_dict(values | dict([change]), tmp_path)
    del values["columns"]
    with pytest.raises(ModelError, match="the setting 'columns' is missing"):
        DnaDescription.from_dict(values, tmp_path)


def test_files_that_do_not_fit(tmp_path):
    description = describe()
    write(tmp_path, description)
    with pytest.raises(ModelError, match="does not fit the settings"):
        load_dna(tmp_path, describe(fc1=7))
    # The same weights make other features of other pictures' means.
    other = Preprocessing(size=(48, 32), mean=(0.4,) * 3, std=(0.25,) * 3)
    with pytest.raises(ModelError, match="was fitted to another encoder"):
        load_dna(tmp_path, describe(preprocessing=other))
    whole = (tmp_path / "network.safetensors").read_bytes()
    (tmp_path / "network.safetensors").write_bytes(whole[:-7])
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        load_dna(tmp_path, description)
    (tmp_path / "network.safetensors").write_bytes(whole)
    (tmp_path / "projection.safetensors").unlink()
    with pytest.raises(ModelError, match="there is no whitening at"):
        load_dna(tmp_path, description)


def test_blank_and_tiny_pictures_have_features(tmp_path):
    description = describe()
    write(tmp_path, description)
    encoder, _ = load_dna(tmp_path, description)
    for picture in (np.full((300, 100, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)):
        found = encoder.encode(encoder.prepare(picture, Domain.SHOP)[None], Domain.SHOP)
        assert np.isfinite(found).all()
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-4) or not found.any()
