"""Presets: names that exist, weights in a folder, and what is said offline."""

import json
import re

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.features.presets import PRESETS, Preset
from snapshelf.systems.presets import preset


def test_an_unknown_preset_lists_the_choices():
    with pytest.raises(ModelError, match="no preset 'dinov9', choose one of dinov2, dinov3, s"):
        preset("dinov9")


@pytest.mark.parametrize("name", PRESETS)
def test_the_table_says_everything(name):
    chosen = PRESETS[name]
    assert re.fullmatch(r"[a-z0-9]+", name), "one word"
    assert chosen.licence
    assert chosen.figure
    assert chosen.source
    assert chosen.usage
    json.dumps(dict(chosen.options))


@pytest.mark.torch
@pytest.mark.parametrize("name", PRESETS)
def test_the_table_is_what_timm_publishes(name):
    timm = pytest.importorskip("timm")
    import torch

    chosen = PRESETS[name]
    published = timm.get_pretrained_cfg(chosen.model)
    assert chosen.model in timm.list_pretrained(chosen.model)
    assert published.hf_hub_id == f"timm/{chosen.model}"
    assert published.license.split("-")[0].lower() in chosen.licence.lower()
    with torch.device("meta"):  # nothing of its real size is made
        model = timm.create_model(chosen.model, num_classes=0, **chosen.options)
    assert model.num_features == chosen.dimension
    millions = sum(each.numel() for each in model.parameters()) / 1e6
    assert millions == pytest.approx(chosen.parameters, abs=0.06)


@pytest.mark.torch
@pytest.mark.parametrize("name", PRESETS)
def test_offline_the_wanted_file_is_named(name, monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("SNAPSHELF_DATA", "")
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub, "is_offline_mode", lambda: True)
    with pytest.raises(ModelError) as caught:
        preset(name)
    for part in (f"timm/{PRESETS[name].model}", "model.safetensors", "SNAPSHELF_WEIGHTS"):
        assert part in str(caught.value)
    assert f"{PRESETS[name].model}.safetensors" in str(caught.value)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("model", "options", "size"),
    [("test_vit.r160_in1k", {"img_size": 64, "global_pool": "token"}, 64)],
)
def test_is_the_networks_own_output(model, options, size, monkeypatch, tmp_path):
    pytest.importorskip("torch")
    import timm
    import torch
    from safetensors.torch import save_file

    from snapshelf.features.encoder import Domain
    from snapshelf.features.preprocessing import prepare

    torch.manual_seed(3)
    network = timm.create_model("test_vit", **options).eval()
    save_file(network.state_dict(), tmp_path / f"{model}.safetensors")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    small = Preset(
        model=model,
        options=options,
        parameters=0.4,
        size=size,
        dimension=64,
        licence="Apache-2.0",
        figure="-",
        source="-",
        usage="-",
    )
    monkeypatch.setattr("snapshelf.systems.presets.PRESETS", {"small": small})
    system = preset("small")
    spec = system.encoder.preprocessing
    assert (system.name, spec.size, spec.fit, spec.crop_pct) == ("small", (64, 64), "pad", 1.0)
    assert system.encoder.dimension == 64
    picture = np.random.default_rng(0).integers(0, 256, (40, 90, 3), np.uint8)
    inputs = prepare(picture, spec)[None]
    scaled = (inputs / 255.0 - np.array(spec.mean)) / np.array(spec.std)
    network.reset_classifier(0, "token")
    with torch.no_grad():
        expected = network(torch.from_numpy(scaled).permute(0, 3, 1, 2).float()).numpy()
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(system.encoder.encode(inputs, Domain.SHOP), expected, atol=1e-5)
    again = preset("small")
    assert again.fingerprint == system.fingerprint
