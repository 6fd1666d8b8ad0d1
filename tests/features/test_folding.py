"""Folded batch norms: the same outputs, from fewer layers; and nothing folded that must not be."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from timm.layers.norm_act import BatchNormAct2d  # noqa: E402
from torch import nn  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbones import create_backbone  # noqa: E402
from snapshelf.features.folding import fold_batch_norm  # noqa: E402

INPUTS = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))


def unsettle(network):
    """Give every batch norm statistics and scales that do something."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight, 0.5, 1.5),
                (module.bias, -0.3, 0.3),
                (module.running_mean, -0.3, 0.3),
                (module.running_var, 0.3, 3.0),
            ):
                if tensor is not None:
                    tensor.data.uniform_(low, high, generator=generator)
    return network.eval()


def norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def fold(network):
    """Fold, and give the outputs before and after."""
    unsettle(network)
    with torch.no_grad():
        before = network(INPUTS)
        folded = fold_batch_norm(network, INPUTS)
        return folded, before, folded(INPUTS)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("test_resnet", 0),
        ("mobilenetv2_035", 0),  # with BatchNormAct2d
        ("torchvision/shufflenet_v2_x0_5", 0),
        ("test_vit", 0),
    ],
)
def test_a_backbone_gives_what_it_gave(name, left):
    options = {"img_size": 32} if name == "test_vit" else {}
    network, before, after = fold(create_backbone(name, options))
    assert norms(network) == left
    assert (before - after).abs().max() <= 1e-5 * max(1, before.abs().max())


def test_padding_as_tensorflow_does():
    network, before, after = fold(create_backbone("mobilenetv2_035", {"pad_type": "same"}))
    assert norms(network) == 0
    assert (before - after).abs().max() <= 1e-5 * max(1, before.abs().max())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("groups", [1, 3])
def test_one_convolution(bias, affine, groups):
    torch.manual_seed(0)
    network, before, after = fold(
        nn.Sequential(
            nn.Conv2d(3, 6, 3, bias=bias, groups=groups), nn.BatchNorm2d(6, affine=affine)
        )
    )
    assert norms(network) == 0
    assert torch.allclose(before, after, atol=1e-6)
    assert after.std() > 0.01


def test_the_activation_of_a_norm_stays():
    torch.manual_seed(0)
    network, before, after = fold(
        nn.Sequential(nn.Conv2d(3, 4, 1), BatchNormAct2d(4, act_layer=nn.SiLU))
    )
    assert norms(network) == 0
    assert any(isinstance(module, nn.SiLU) for module in network.modules())
    assert torch.allclose(before, after, atol=1e-6)


@pytest.mark.parametrize(
    "between", [nn.ReLU(inplace=True), nn.ReLU(), nn.MaxPool2d(2)], ids=["in place", "new", "pool"]
)
def test_a_norm_behind_something_else_stays(between):
    torch.manual_seed(0)
    network, before, after = fold(nn.Sequential(nn.Conv2d(3, 4, 1), between, nn.BatchNorm2d(4)))
    assert norms(network) == 1
    assert torch.equal(before, after)


def test_a_convolution_used_twice_stays():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

        def forward(self, x):
            return self.second(self.conv(self.first(self.conv(x))))

    network, before, after = fold(Twice())
    assert norms(network) == 2
    assert torch.equal(before, after)


def test_a_subclass_that_changes_its_weight_stays():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
            return nn.functional.conv2d(x, weight, self.bias)

    network, before, after = fold(nn.Sequential(Standardised(3, 4, 1), nn.BatchNorm2d(4)))
    assert norms(network) == 1
    assert torch.equal(before, after)


def test_an_output_that_is_read_elsewhere_is_refused():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x):
            made = self.conv(x)
            return self.norm(made) + made

    with pytest.raises(ModelError, match=r"Skip cannot be folded.*Freeze them"):
        fold(Skip())


def test_the_folded_network_learns():
    network, _, _ = fold(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    network.train()(INPUTS).square().mean().backward()
    conv = network[0]
    assert conv.weight.grad.abs().sum() > 0
    assert conv.bias.grad.abs().sum() > 0
