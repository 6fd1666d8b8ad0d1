"""`backbone_encoder`: real backbones with random weights in real files, convolutional and not."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import timm  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbone_encoder import backbone_encoder  # noqa: E402
from snapshelf.features.backbones import create_backbone, default_preprocessing  # noqa: E402
from snapshelf.features.backbones import feature_map as map_of  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402

SPEC = Preprocessing(size=(64, 96), mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))
SQUARE = Preprocessing(size=(160, 160), mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))


def save_weights(path, name="test_resnet", options=None, **kwargs):
    torch.manual_seed(7)
    model = timm.create_model(name, **(options or {}), **kwargs)
    save_file(model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_weights(tmp_path_factory.mktemp("weights") / "resnet.safetensors")


@pytest.fixture(scope="module")
def encoder(weights):
    return backbone_encoder("test_resnet", weights=weights, preprocessing=SPEC)


def pictures(count, height=50, width=70):
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (count, 5, 7, 3), np.uint8)
    return small.repeat(height // 5, 1).repeat(width // 7, 2)


def prepared(encoder, count):
    return np.stack([encoder.prepare(picture, Domain.SHOP) for picture in pictures(count)])


def test_is_the_pooled_normalised_feature_map(encoder, weights):
    from safetensors.torch import load_file

    inputs = prepared(encoder, 3)
    model = timm.create_model("test_resnet").eval()
    model.load_state_dict(load_file(weights))
    scaled = (inputs / 255.0 - np.array(SPEC.mean)) / np.array(SPEC.std)
    with torch.no_grad():
        features = model.forward_features(torch.from_numpy(scaled).permute(0, 3, 1, 2).float())
    expected = features.numpy().mean((2, 3))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    result = encoder.encode(inputs, Domain.SHOP)
    assert result.dtype == np.float32
    assert result.shape == (3, encoder.dimension)
    np.testing.assert_allclose(result, expected, atol=2e-6)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9, 17])
def test_the_batch_makes_no_difference(encoder, count):
    inputs = prepared(encoder, count)
    together = encoder.encode(inputs, Domain.STREET)
    alone = np.concatenate([encoder.encode(one[None], Domain.SHOP) for one in inputs])
    assert ((together * alone).sum(1) >= 0.99999).all()
    if count > 1:
        assert (together @ alone.T)[0, 1] < 0.99999


def test_torch_keeps_its_number_of_threads(encoder):
    before = torch.get_num_threads()
    encoder.encode(prepared(encoder, 9), Domain.SHOP)
    assert torch.get_num_threads() == before
    from threading import Thread

    seen = []
    thread = Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_mambaout", "test_vit_relpos"])
@pytest.mark.parametrize("pooling", ["gap", "gem", "mac", "r-mac", "ra-mac"])
def test_every_kind_of_backbone(tmp_path, name, pooling):
    path = save_weights(tmp_path / "w.safetensors", name)
    encoder = backbone_encoder(name, weights=path, pooling=pooling, preprocessing=SQUARE)
    embeddings = encoder.encode(prepared(encoder, 3), Domain.SHOP)
    assert embeddings.shape == (3, timm.create_model(name).num_features)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_tokens_become_a_map_without_the_class_token():
    options = {"dynamic_img_size": True}
    backbone = create_backbone("test_vit", options)
    inputs = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        tokens = backbone.forward_features(inputs)
        features = map_of(backbone, inputs)
    assert tokens.shape == (2, 1 + 4 * 6, 64)
    assert features.shape == (2, 64, 4, 6)
    for row in range(4):
        for column in range(6):
            assert torch.equal(features[:, :, row, column], tokens[:, 1 + row * 6 + column])


def test_channels_last_maps_are_turned(monkeypatch):
    backbone = create_backbone("test_mambaout", {})
    inputs = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        theirs, ours = backbone.forward_features(inputs), map_of(backbone, inputs)
    assert theirs.shape == (1, 2, 3, 64)
    assert torch.equal(ours, theirs.permute(0, 3, 1, 2))


def test_a_backbone_without_a_map_is_refused():
    class Flat(torch.nn.Module):
        def forward_features(self, inputs):
            return inputs.mean((2, 3))

    with pytest.raises(ModelError, match="Flat gives neither"):
        map_of(Flat(), torch.rand(1, 3, 4, 4))


def test_a_feature_of_zeros_stays_defined(tmp_path):
    model = timm.create_model("test_resnet")
    save_file({name: value * 0 for name, value in model.state_dict().items()}, tmp_path / "w")
    encoder = backbone_encoder("test_resnet", weights=tmp_path / "w", preprocessing=SPEC)
    assert (encoder.encode(prepared(encoder, 2), Domain.SHOP) == 0).all()


def test_half_precision_files_compute_in_float32(tmp_path, weights):
    from safetensors.torch import load_file

    halved = {
        name: value.half() if value.is_floating_point() else value
        for name, value in load_file(weights).items()
    }
    save_file(halved, tmp_path / "w")
    encoder = backbone_encoder("test_resnet", weights=tmp_path / "w", preprocessing=SPEC)
    assert all(value.dtype == torch.float32 for value in encoder.network.parameters())
    full = backbone_encoder("test_resnet", weights=weights, preprocessing=SPEC)
    inputs = prepared(full, 2)
    similarity = (encoder.encode(inputs, Domain.SHOP) * full.encode(inputs, Domain.SHOP)).sum(1)
    assert (similarity > 0.999).all()


def test_a_classifier_in_the_file_makes_no_difference(tmp_path, weights, encoder):
    for classes in (0, 7):
        path = save_weights(tmp_path / f"{classes}", num_classes=classes)
        other = backbone_encoder("test_resnet", weights=path, preprocessing=SPEC)
        assert other.dimension == encoder.dimension


def test_the_default_preprocessing_is_that_of_the_weights(weights):
    encoder = backbone_encoder("test_resnet", weights=weights)
    config = timm.data.resolve_model_data_config(timm.create_model("test_resnet"))
    spec = encoder.preprocessing
    assert spec.size == config["input_size"][1:]
    assert spec.fit == "crop"
    assert (spec.mean, spec.std) == (config["mean"], config["std"])
    assert (spec.crop_pct, spec.interpolation) == (config["crop_pct"], config["interpolation"])


def test_a_preprocessing_that_is_not_covered_has_to_be_given():
    backbone = create_backbone("test_resnet", {})
    backbone.pretrained_cfg = {**backbone.pretrained_cfg, "input_size": (1, 64, 64)}
    with pytest.raises(ModelError, match="give the preprocessing"):
        default_preprocessing(backbone)


class TestFingerprint:
    def test_is_the_same_for_the_same(self, weights, encoder):
        again = backbone_encoder("test_resnet", weights=weights, preprocessing=SPEC)
        assert again.fingerprint == encoder.fingerprint

    def test_does_not_depend_on_where_the_file_is(self, tmp_path, weights, encoder):
        copy = tmp_path / "copy.safetensors"
        copy.write_bytes(weights.read_bytes())
        again = backbone_encoder("test_resnet", weights=copy, preprocessing=SPEC)
        assert again.fingerprint == encoder.fingerprint

    @pytest.mark.parametrize(
        "change", [{"pooling": "mac"}, {"preprocessing": SQUARE}, {"options": {"drop_rate": 0.1}}]
    )
    def test_changes_with_every_setting(self, weights, encoder, change):
        settings = {"preprocessing": SPEC, **change}
        other = backbone_encoder("test_resnet", weights=weights, **settings)
        assert other.fingerprint != encoder.fingerprint

    def test_changes_with_one_weight(self, tmp_path, weights, encoder):
        from safetensors.torch import load_file

        tensors = load_file(weights)
        first = next(iter(tensors))
        tensors[first].view(-1)[0] += 1
        save_file(tensors, tmp_path / "w")
        other = backbone_encoder("test_resnet", weights=tmp_path / "w", preprocessing=SPEC)
        assert other.fingerprint != encoder.fingerprint


class TestMistakes:
    def test_an_unknown_backbone_lists_close_names(self, weights):
        with pytest.raises(ModelError, match=r"no backbone 'mobilenetv2_10'.*mobilenetv2_100"):
            backbone_encoder("mobilenetv2_10", weights=weights)

    @pytest.mark.parametrize("name", ["", "zzzzzzzzzz", "hf-hub:timm/resnet18", "local-dir:/tmp"])
    def test_what_is_no_name(self, weights, name):
        with pytest.raises(ModelError, match="there is no backbone"):
            backbone_encoder(name, weights=weights)

    def test_an_unknown_tag(self, weights):
        for source in (weights, "hub"):
            with pytest.raises(
                ModelError, match=r"'mobilenetv2_100.nope'.*mobilenetv2_100.ra_in1k"
            ):
                backbone_encoder("mobilenetv2_100.nope", weights=source)

    def test_a_size_that_the_backbone_does_not_take(self, tmp_path):
        path, options = save_weights(tmp_path / "w", "test_vit"), {"dynamic_img_size": False}
        with pytest.raises(ModelError, match=r"does not take inputs of \(64, 96\) pixels"):
            backbone_encoder("test_vit", weights=path, options=options, preprocessing=SPEC)

    def test_an_option_that_does_not_fit(self, weights):
        with pytest.raises(ModelError, match="no_such_option"):
            backbone_encoder("test_resnet", weights=weights, options={"no_such_option": 1})

    @pytest.mark.parametrize("option", ["in_chans", "num_classes", "pretrained"])
    def test_an_option_that_is_ours(self, weights, option):
        with pytest.raises(ValueError, match=option):
            backbone_encoder("test_resnet", weights=weights, options={option: 1})

    def test_options_that_json_cannot_hold(self, weights):
        with pytest.raises(ValueError, match="JSON"):
            backbone_encoder("test_resnet", weights=weights, options={"act_layer": torch.nn.ReLU})

    def test_an_unknown_pooling_lists_the_choices(self, weights):
        with pytest.raises(ValueError, match="gap, gem, mac, r-mac, ra-mac, spoc, got 'max'"):
            backbone_encoder("test_resnet", weights=weights, pooling="max")

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(ModelError, match="no weights file at"):
            backbone_encoder("test_resnet", weights=tmp_path / "none.safetensors")

    def test_the_weights_of_another_backbone(self, tmp_path):
        path = save_weights(tmp_path / "w", "test_vit")
        with pytest.raises(ModelError) as caught:
            backbone_encoder("test_resnet", weights=path)
        message = str(caught.value)
        assert "conv1.0.weight" in message
        assert "missing" in message
        assert "blocks.0.attn.qkv.bias" in message
        assert "unexpected" in message
        assert "more" in message

    def test_tensors_of_another_shape(self, tmp_path, weights):
        from safetensors.torch import load_file

        tensors = load_file(weights)
        tensors["bn1.bias"] = torch.zeros(3)
        save_file(tensors, tmp_path / "w")
        with pytest.raises(
            ModelError, match=r"bn1.bias \(3,\) instead of \(\d+,\) of another shape"
        ):
            backbone_encoder("test_resnet", weights=tmp_path / "w")

    def test_one_missing_tensor_is_not_passed_over(self, tmp_path, weights):
        from safetensors.torch import load_file

        tensors = load_file(weights)
        del tensors["bn1.running_mean"]
        save_file(tensors, tmp_path / "w")
        with pytest.raises(ModelError, match=r"bn1\.running_mean missing"):
            backbone_encoder("test_resnet", weights=tmp_path / "w")


@pytest.mark.data
def test_real_weights_find_real_products(data_dir):
    """Forty street photos against the shop pictures; chance would be 1 of 81."""
    import csv

    from PIL import Image

    weights = data_dir / "weights" / "mobilenetv2_100_imagenet.safetensors"
    encoder = backbone_encoder(
        "mobilenetv2_100",
        weights=weights,
        options={"pad_type": "same"},
        preprocessing=Preprocessing(size=(224, 224), mean=(0.5,) * 3, std=(0.5,) * 3),
    )

    def embed(paths, domain):
        read = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
        return encoder.encode(np.stack([encoder.prepare(one, domain) for one in read]), domain)

    folder = data_dir / "grocery"
    with (folder / "classes.csv").open() as file:
        rows = {
            int(row["Class ID (int)"]): folder / row["Iconic Image Path (str)"].lstrip("/")
            for row in csv.DictReader(file)
        }
    lines = (folder / "val.txt").read_text().splitlines()[::8]
    photos = [(folder / line.split(",")[0].strip(), int(line.split(",")[1])) for line in lines]
    gallery = embed([rows[product] for product in sorted(rows)], Domain.SHOP)
    queries = embed([path for path, _ in photos], Domain.STREET)
    similarity = queries @ gallery.T
    own = similarity[np.arange(len(photos)), [sorted(rows).index(product) for _, product in photos]]
    rank = (similarity > own[:, None]).sum(1)
    assert encoder.dimension == 1280
    assert len(photos) >= 35
    assert (rank < 1).mean() > 0.2
    assert (rank < 20).mean() > 0.8
