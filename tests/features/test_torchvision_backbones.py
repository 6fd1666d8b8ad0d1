"""torchvision's backbones end at their last feature map, and take torchvision's own weights."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import torchvision  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbone_encoder import backbone_encoder  # noqa: E402
from snapshelf.features.backbones import (  # noqa: E402
    create_backbone,
    default_preprocessing,
    feature_map,
    load_weights,
)

INPUTS = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(3))

LAST_MAPS = {
    "resnet18": "layer4",
    "squeezenet1_1": "features",
    "shufflenet_v2_x0_5": "conv5",
    "mobilenet_v3_small": "features",
}
"""The module whose output is the last feature map, by torchvision's source."""


@pytest.mark.parametrize("name", LAST_MAPS)
def test_is_the_output_of_the_last_convolutional_part(tmp_path, name):
    torch.manual_seed(1)
    whole = torchvision.models.get_model(name, weights=None).eval()
    save_file(whole.state_dict(), tmp_path / "w")
    seen = []
    whole.get_submodule(LAST_MAPS[name]).register_forward_hook(lambda *call: seen.append(call[2]))
    backbone = create_backbone(f"torchvision/{name}", {})
    load_weights(backbone, tmp_path / "w")
    with torch.no_grad():
        whole(INPUTS)
        features = feature_map(backbone, INPUTS)
    assert features.ndim == 4
    assert torch.equal(features, seen[0])


def test_the_activation_behind_the_last_norm_belongs_to_the_map():
    """DenseNet pools the ReLU of its features."""
    backbone = create_backbone("torchvision/densenet121", {})
    with torch.no_grad():
        features = feature_map(backbone, INPUTS)
    assert features.shape == (2, 1024, 2, 3)
    assert features.min() == 0


def test_dropout_and_norms_follow_the_mode():
    backbone = create_backbone("torchvision/shufflenet_v2_x0_5", {})
    backbone.train()
    with torch.no_grad():
        training = feature_map(backbone, INPUTS)
        backbone.eval()
        assert not torch.allclose(training, feature_map(backbone, INPUTS))


def test_the_preprocessing_is_that_of_the_published_weights():
    spec = default_preprocessing(create_backbone("torchvision/squeezenet1_1", {}))
    preset = torchvision.models.SqueezeNet1_1_Weights.DEFAULT.transforms()
    assert spec.size == (preset.crop_size[0],) * 2
    assert spec.crop_pct == pytest.approx(preset.crop_size[0] / preset.resize_size[0])
    assert (list(spec.mean), list(spec.std)) == (preset.mean, preset.std)
    assert spec.fit == "crop"
    assert spec.interpolation == preset.interpolation.value


def test_published_weights_that_were_converted_are_found(tmp_path, monkeypatch):
    torch.manual_seed(1)
    model = torchvision.models.squeezenet1_1(weights=None)
    save_file(model.state_dict(), tmp_path / "squeezenet1_1-b8a52dc0.safetensors")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    encoder = backbone_encoder("torchvision/squeezenet1_1", weights="hub")
    assert encoder.dimension == 512


def test_a_pickle_is_not_loaded_and_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", "")
    monkeypatch.delenv("SNAPSHELF_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        backbone_encoder("torchvision/squeezenet1_1", weights="hub")
    message = str(caught.value)
    for part in (
        "only as the pickle squeezenet1_1-b8a52dc0.pth",
        "save_file(torch.load('FILE.pth', weights_only=True)",
        "SNAPSHELF_WEIGHTS",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vgg1", r"no backbone 'vgg1' in torchvision.*did you mean vgg"),
        ("", "there is no backbone ''"),
        ("fasterrcnn_resnet50_fpn", "there is no backbone"),
        ("vit_b_16", "has no last feature map"),
    ],
)
def test_what_cannot_be_had(name, message):
    with pytest.raises(ModelError, match=message):
        create_backbone(f"torchvision/{name}", {})


def test_options():
    with pytest.raises(ModelError, match="no_such"):
        create_backbone("torchvision/resnet18", {"no_such": 1})
    with pytest.raises(ValueError, match="num_classes"):
        create_backbone("torchvision/resnet18", {"num_classes": 3})
    wide = create_backbone("torchvision/resnet18", {"replace_stride_with_dilation": None})
    assert wide is not None


def test_the_weights_of_another_are_refused(tmp_path):
    save_file(torchvision.models.squeezenet1_1(weights=None).state_dict(), tmp_path / "w")
    with pytest.raises(ModelError, match=r"conv1\.weight"):
        backbone_encoder("torchvision/resnet18", weights=tmp_path / "w")
