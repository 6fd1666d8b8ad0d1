"""Settings from TOML: what is right comes through, and every mistake is named."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.mtv_settings import MtvSettings, Stage  # noqa: E402
from snapshelf.training.settings import (  # noqa: E402
    read_toml,
    settings_from,
    settings_to_dict,
)
from snapshelf.training.training_error import TrainingError  # noqa: E402


def read(tmp_path, text):
    file = tmp_path / "c.toml"
    file.write_text(text, encoding="utf-8")
    return settings_from(MtvSettings, read_toml(file), str(file))


def test_nothing_gives_the_published_recipe(tmp_path):
    settings = read(tmp_path, "")
    assert settings == MtvSettings()
    assert (settings.learning_rate, settings.momentum, settings.weight_decay) == (1e-3, 0.9, 1e-4)
    assert (settings.batch_triplets, settings.views, settings.dimension) == (8, 3, 512)
    assert (settings.alpha_v, settings.beta_a) == (0.05, 0.05)
    assert (settings.w1, settings.w2, settings.w3) == (0.7, 1.5, 0.4)
    assert (settings.anchors, settings.positives, settings.negatives) == ("street", "shop", "shop")
    first, second = settings.stages
    assert (first.epochs, first.share, first.weighting) == (10, None, False)
    assert (second.epochs, second.share, second.weighting) == (10, 0.4, True)


def test_every_kind_of_value(tmp_path):
    settings = read(
        tmp_path,
        'backbone = "torchvision/vgg16"\nsize = 64\nlearning_rate = 1\naugmentation = false\n'
        'loss = "hinge"\nembedding_scale = 4\noptions = {drop_rate = 0.1}\n'
        "stages = [{epochs = 3}, {epochs = 1, share = 1.0, weighting = true}]\n"
        "[sources]\ngrocery = 2\nclothing = 0.5\n[domain_shift]\nflip = 0.0\n",
    )
    assert settings.backbone == "torchvision/vgg16"
    assert settings.learning_rate == 1.0
    assert isinstance(settings.learning_rate, float)
    assert settings.augmentation is False
    assert settings.embedding_scale == 4.0
    assert settings.options == {"drop_rate": 0.1}
    assert settings.stages == (Stage(epochs=3), Stage(epochs=1, share=1.0, weighting=True))
    assert settings.sources == {"grocery": 2, "clothing": 0.5}
    assert settings.domain_shift == {"flip": 0.0}
    assert settings.epochs == 4


def test_a_round_trip_through_plain_values(tmp_path):
    settings = read(tmp_path, 'stages = [{epochs = 2, share = 0.3}]\noptions = {a = "b"}\nseed = 9')
    assert settings_from(MtvSettings, settings_to_dict(settings), "again") == settings


BAD = {
    "learning_rat = 1": "unknown setting 'learning_rat'; did you mean 'learning_rate'?",
    "zzz = 1": "unknown setting 'zzz'; expected backbone, weights",
    "size = 8": r"size must be in \[16, 1024\], got 8",
    "size = 64.0": "size must be a whole number, got 64.0",
    "size = true": "size must be a whole number, got True",
    'size = "64"': "size must be a whole number, got '64'",
    'learning_rate = "fast"': "learning_rate must be a number, got 'fast'",
    "learning_rate = 0": "learning_rate must be finite and above 0, got 0.0",
    "learning_rate = nan": "learning_rate must be finite and above 0, got nan",
    "learning_rate = inf": "learning_rate must be finite and above 0, got inf",
    "augmentation = 1": "augmentation must be true or false, got 1",
    "backbone = 7": "backbone must be a text, got 7",
    'pooling = "max"': "pooling must be one of gap, gem, mac, r-mac, ra-mac, spoc, got 'max'",
    'batch_norm = "off"': "batch_norm must be one of 'fold', 'freeze', 'train', got 'off'",
    'loss = "triplet"': "loss must be one of 'ratio', 'hinge', 'contrastive', got 'triplet'",
    'loss = "hinge"\nbatch_negatives = true': "batch_negatives needs the loss 'ratio', got 'hinge'",
    'optimizer = "adam"': "optimizer must be one of 'adamw', 'sgd', got 'adam'",
    'anchors = "phone"': "anchors must be one of 'street', 'shop', 'any', got 'phone'",
    'precision = "8"': "precision must be one of '32-true'",
    "stages = []": "stages must hold at least one stage",
    "stages = 3": "stages must be a list, got 3",
    "stages = [3]": r"stages\[0\] must be a table, got 3",
    "stages = [{epoch = 3}]": r"stages\[0\]: unknown setting 'epoch'; did you mean 'epochs'?",
    "stages = [{epochs = 1}, {epochs = 0}]": r"stages\[1\]: epochs must be .* at least 1, got 0",
    "stages = [{share = 0}]": r"share must be in \(0, 1\], got 0.0",
    "stages = [{share = 1.5}]": r"share must be in \(0, 1\], got 1.5",
    "stages = [{weighting = true}]": "weighting needs a share",
    "stages = [{refresh_epochs = 0}]": "refresh_epochs must be finite and at least 1",
    "w1 = 2.0": "0 <= w1 <= w2",
    "w3 = -1": "w3 must be finite and at least 0, got -1.0",
    "momentum = 1": r"momentum must be in \[0, 1\), got 1.0",
    "warmup_epochs = 21": "warmup_epochs must be at most the 20 epochs",
    "views = 0": "views must be finite and at least 1, got 0",
    "batch_triplets = 0": "batch_triplets must be finite and at least 1",
    "triplets_per_epoch = 0": "triplets_per_epoch must be finite and at least 1",
    "num_workers = -1": "num_workers must be finite and at least 0",
    "gradient_clip = 0": "gradient_clip must be finite and above 0",
    "seed = -1": "seed must be finite and at least 0",
    "sources = 3": "sources must be a table, got 3",
    'sources = {a = "b"}': "sources.a must be a number, got 'b'",
    "sources = {a = true}": "sources.a must be a number, got True",
    "sources = {a = 0}": "sources.a must be finite and above 0, got 0",
    "options = []": r"options must be a table, got \[\]",
    "size = ": "cannot be read as TOML",
    "a = 1\na = 2": "cannot be read as TOML",
}


@pytest.mark.parametrize("text", BAD)
def test_a_mistake_is_named(tmp_path, text):
    with pytest.raises(TrainingError, match=BAD[text]) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "c.toml") in str(caught.value)
    assert "\n" not in str(caught.value).partition("TOML: ")[0]


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(TrainingError, match="there is no configuration file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(TrainingError, match="cannot be read as TOML"):
        read_toml(tmp_path)
    (tmp_path / "b").write_bytes(b"\xff\xfe")
    with pytest.raises(TrainingError, match="cannot be read as TOML"):
        read_toml(tmp_path / "b")


def test_stages_by_epoch():
    settings = MtvSettings(stages=(Stage(epochs=2), Stage(epochs=1, share=0.5), Stage(epochs=3)))
    expected = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2)]
    assert [settings.stage_at(epoch) for epoch in range(6)] == expected
    for epoch in (-1, 6):
        with pytest.raises(ValueError, match=r"epoch must be in \[0, 6\)"):
            settings.stage_at(epoch)
