"""The papers' backbones: their maps, their weights' names, and every pooling on them."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import timm  # noqa: E402

from snapshelf.features.backbones import (  # noqa: E402
    create_backbone,
    default_preprocessing,
    feature_map,
)
from snapshelf.features.paper_backbones import PAPER_BACKBONES  # noqa: E402
from snapshelf.features.pooling import POOLINGS  # noqa: E402

# The smallest of each family, and a transformer; VGG16 without most of its classifier.
COMPUTED = {
    "vgg16": (PAPER_BACKBONES["vgg16"], {"mlp_ratio": 0.01}),
    "resnet50": (PAPER_BACKBONES["resnet50"], {}),
    "resnext50": (PAPER_BACKBONES["resnext50"], {}),
    "se-resnext50": (PAPER_BACKBONES["se-resnext50"], {}),
    "a transformer": ("test_vit", {"dynamic_img_size": True}),
}


@pytest.mark.parametrize("name", PAPER_BACKBONES)
def test_the_map_has_the_channels_of_the_paper(name):
    with torch.device("meta"):
        backbone = create_backbone(PAPER_BACKBONES[name], {})
        features = feature_map(backbone, torch.empty(2, 3, 64, 96))
        channels = 512 if name == "vgg16" else 2048
        assert features.shape == (2, channels, 2, 3)
        for pooling in POOLINGS.values():
            assert pooling(features).shape == (2, channels)
    assert default_preprocessing(backbone).size == (224, 224)


@pytest.mark.parametrize("name", PAPER_BACKBONES)
def test_the_weights_are_published_as_safetensors(name):
    published = timm.get_pretrained_cfg(PAPER_BACKBONES[name])
    assert published.hf_hub_id == f"timm/{PAPER_BACKBONES[name]}"


@pytest.mark.parametrize("name", COMPUTED)
def test_every_pooling(name):
    torch.manual_seed(0)
    backbone = create_backbone(*COMPUTED[name])
    with torch.inference_mode():
        features = feature_map(backbone, torch.rand(2, 3, 64, 64))
        pooled = {name: pool(features) for name, pool in POOLINGS.items()}
    for vectors in pooled.values():
        assert vectors.shape == (2, features.shape[1])
        assert torch.isfinite(vectors).all()
        assert (vectors.norm(dim=1) > 0).all()
