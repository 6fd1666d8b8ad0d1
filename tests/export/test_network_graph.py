"""Pooled backbones as graphs: every kind of map, every pooling, any number of pictures."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.torch

import onnxruntime  # noqa: E402
from torch import nn  # noqa: E402

from snapshelf.export.network_graph import network_graph  # noqa: E402
from snapshelf.features.backbone_encoder import PooledBackbone  # noqa: E402
from snapshelf.features.backbones import create_backbone  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.network_encoder import NetworkEncoder  # noqa: E402
from snapshelf.features.pooling import POOLINGS  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402


class Map(nn.Module):
    """A backbone of one layer, whose map has activations of either sign."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layer = nn.Conv2d(3, 24, 8, 8)

    def forward_features(self, inputs):
        return self.layer(inputs)


def transformer():
    torch.manual_seed(3)
    backbone = create_backbone("test_vit", {})
    # All scales equal, the sums over the channels would be all the same.
    nn.init.uniform_(backbone.norm.weight, 0.5, 1.5)
    return backbone


def compare(backbone, pooling, size):
    """Compare the graph with the network for batches of 1, 2 and 5."""
    spec = Preprocessing(size=size, mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))
    network = PooledBackbone(backbone, pooling).eval()
    model = network_graph(network, spec)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    encoder = NetworkEncoder(network, preprocessing=spec, fingerprint="0")
    inputs = np.random.default_rng(5).integers(0, 256, (5, *size, 3), np.uint8)
    for count in (1, 2, 5):
        expected = encoder.encode(inputs[:count], Domain.SHOP)
        (result,) = session.run(None, {"inputs": inputs[:count]})
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_a_transformer_takes_any_number_of_pictures():
    compare(transformer(), "gap", (160, 160))


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("size", [(32, 40), (56, 56)], ids=str)
def test_every_pooling(pooling, size):
    compare(Map(), pooling, size)


@pytest.mark.parametrize("pooling", ["r-mac", "ra-mac"])
def test_regions_of_tokens(pooling):
    compare(transformer(), pooling, (160, 160))
