"""The recipes of the repository: each is read, and the paper's is the paper's."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from snapshelf.datasets import open_dataset
from snapshelf.features.level_weights import LevelWeights
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings
from snapshelf.training.augmentation import DomainShift
from snapshelf.training.compact_settings import CompactSettings
from snapshelf.training.mtv_settings import MtvSettings, Stage
from snapshelf.training.settings import read_toml, settings_from
from snapshelf.training.studio_tables_settings import StudioTablesSettings
from snapshelf.training.three_level_settings import ThreeLevelSettings

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def recipe(name):
    return settings_from(MtvSettings, read_toml(RECIPES / name), name)


@pytest.mark.parametrize("name", sorted(file.name for file in RECIPES.glob("mtv*.toml")))
def test_recipes_of_mtv_make_every_row_of_the_tables(name):
    given = recipe(name)
    assert len(given.stages) >= 2
    assert given.stages[0].share is None
    assert given.devices == 1


def test_the_recipe_of_the_shipped_encoder():
    given = settings_from(CompactSettings, read_toml(RECIPES / "compact.toml"), "compact.toml")
    assert given.dimension + 1 <= 256, "the hubness correction adds a number"
    assert given.weights is None
    shift, default = DomainShift.from_dict(given.domain_shift), DomainShift()
    for name in ("exposure", "focus_blur", "jpeg", "glass"):
        assert getattr(shift, name).probability < getattr(default, name).probability, name


@pytest.mark.parametrize("name", sorted(file.name for file in RECIPES.glob("asymnet*.toml")))
def test_recipes_of_asymnet_make_its_tables(name):
    given = settings_from(AsymNetTablesSettings, read_toml(RECIPES / name), name)
    assert given.frozen
    assert "snapshelf reproduce asymnet" in (RECIPES / name).read_text()


@pytest.mark.parametrize("name", sorted(file.name for file in RECIPES.glob("three-level*.toml")))
def test_recipes_of_three_level_make_every_row_of_the_table(name):
    given = settings_from(ThreeLevelSettings, read_toml(RECIPES / name), name)
    assert given.levels == LevelWeights()
    assert given.devices == 1
    assert DomainShift.from_dict(given.domain_shift)


def test_the_published_numbers_of_three_level():
    """Read off the paper's Sections III-B and IV-A once more, by hand."""
    name = "three-level-paper.toml"
    given = settings_from(ThreeLevelSettings, read_toml(RECIPES / name), name)
    assert given.backbone == "torchvision/alexnet"
    assert (given.parts_dimension, given.dimension, given.regions) == (1024, 1024, 5)


def test_the_published_numbers():
    """Read off the paper's Sections 3.3, 3.4 and 5 once more, by hand."""
    given = recipe("mtv-paper.toml")
    assert (given.backbone, given.size, given.dimension) == ("torchvision/vgg16", 224, 512)
    assert given.batch_triplets * (3 + given.views) == 48
    assert (given.learning_rate, given.momentum, given.weight_decay) == (1e-3, 0.9, 1e-4)
    assert (given.alpha_v, given.beta_a) == (0.05, 0.05)
    assert (given.w1, given.w2, given.w3) == (0.7, 1.5, 0.4)
    first, second = given.stages
    assert (first.epochs, first.share, first.weighting) == (10, None, False)
    assert (second.share, second.weighting) == (0.4, True)
    # The defaults are the published numbers too, but for the network and its inputs.
    assert (second, first) == (Stage(epochs=10, share=0.4, weighting=True), Stage(epochs=10))
    same = {"backbone": "mobilenetv2_100", "size": 128, "augmentation": True}
    changed = {name: getattr(given, name) for name in given.__slots__}
    assert MtvSettings(**changed | same) == MtvSettings()


@pytest.mark.data
def test_photos_held_out_are_those_of_seen_products(data_dir, tmp_path):
    whole = open_dataset(f"grocery:{data_dir / 'grocery'}")
    words = ["--data", data_dir / "grocery", "--to", tmp_path / "cut"]
    subprocess.run([sys.executable, RECIPES / "hold_out.py", *words], check=True)
    cut = open_dataset(f"grocery:{tmp_path / 'cut'}")

    def photos(data_set, split):
        found = data_set.queries(split)
        return {query.picture.relative_to(data_set.root): query.products for query in found}

    assert photos(cut, "test") == photos(whole, "test")
    train = photos(whole, "train")
    held = photos(cut, "val").items() - photos(whole, "val").items()
    assert held == train.items() - photos(cut, "train").items()
    held_of = Counter(product for _, (product,) in held)
    photos_of = Counter(product for (product,) in train.values())
    for product in (each.id for each in whole.products()):
        share = round(photos_of[product] / 5) if whole.is_seen(product) else 0
        assert held_of[product] == share, product


@pytest.mark.parametrize("name", sorted(file.name for file in RECIPES.glob("studio2shop*.toml")))
def test_recipes_of_studio2shop_begin_at_fashion_dna(name):
    given = settings_from(StudioTablesSettings, read_toml(RECIPES / name), name)
    dna = given.fashion_dna
    assert (given.start, given.articles, given.devices) == ("articles", None, 1)
    # Of another grid or backbone it could not be copied.
    assert (given.backbone, given.size, given.grid) == (dna.backbone, dna.size, dna.grid)
    assert given.hidden >= dna.fc1
    assert given.augmentation == ("clothing" in name)
    assert f"--config recipes/{name}" in (RECIPES / name).read_text()
