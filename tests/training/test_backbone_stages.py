"""The stages of a backbone: nothing twice, nothing left out, and those that stay as they are."""

import pytest

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.training.backbone_stages import backbone_stages, freeze_stages  # noqa: E402


@pytest.fixture
def network():
    torch.manual_seed(0)
    return timm.create_model("mobilenetv2_035", num_classes=0).eval()


def test_stages_one_after_the_other_are_the_backbone(network):
    inputs = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(5))
    expected = network.forward_features(inputs)
    made = inputs
    for stage in backbone_stages(network):
        made = stage(made)
    torch.testing.assert_close(made, expected)


def test_stages_share_the_backbones_weights(network):
    own = {id(parameter) for parameter in network.parameters()}
    staged = [
        id(parameter) for stage in backbone_stages(network) for parameter in stage.parameters()
    ]
    assert len(staged) == len(set(staged)), "no weight is in two stages"
    assert set(staged) == own, "no weight is left out"


@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224"])
def test_refuses_another_family(name):
    network = timm.create_model(name, num_classes=0)
    with pytest.raises(ModelError, match="MobileNet and EfficientNet family only"):
        backbone_stages(network)
    with pytest.raises(ModelError, match="MobileNet and EfficientNet family only"):
        freeze_stages(network, 1)
    freeze_stages(network, 0)
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("count", [0, 1, 3, 8])
def test_the_first_stages_are_frozen(network, count):
    freeze_stages(network, count)
    for number, stage in enumerate(backbone_stages(network)):
        assert all(each.requires_grad == (number >= count) for each in stage.parameters())


def test_more_stages_than_there_are(network):
    with pytest.raises(ModelError, match="at most the backbone's 8, got 9"):
        freeze_stages(network, 9)
