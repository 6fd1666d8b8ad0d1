"""Training `studio2shop` on a data set that has no photos: views of its own pictures are drawn."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from PIL import Image  # noqa: E402
from studio_looks import TINY, Heard, Looks, looks  # noqa: E402

from snapshelf.datasets.training_item import TrainingItem  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.matching.reranker import Candidate  # noqa: E402
from snapshelf.systems.studio2shop import train_studio2shop  # noqa: E402
from snapshelf.tensor_file import read_tensors  # noqa: E402
from snapshelf.training.augmentation import Source, street_view  # noqa: E402
from snapshelf.training.drawn_photos import decide_augmentation  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.preparation import (  # noqa: E402
    make_augmentation,
    make_views,
    stored_pictures,
)
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

STREET, SHOP = Domain.STREET, Domain.SHOP

COUNT = 6

SPEC = Preprocessing(size=(48, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))


def titles(folder, count=COUNT):
    """Articles of a colour each on white, with a title picture and not one photo."""
    folder.mkdir()
    colours = np.random.default_rng(0).integers(0, 200, (count, 3))
    items = []
    for number, colour in enumerate(colours):
        picture = np.full((48, 40, 3), 255, np.uint8)
        picture[8:-8, 8:-8] = colour
        file = folder / f"{number}.png"
        Image.fromarray(picture).save(file)
        kind = "warm" if number % 2 else "cold"
        items.append(TrainingItem(f"t{number}", (), (file,), {"kind": (kind, kind)}))
    return Looks(tuple(items), "titles")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return titles(tmp_path_factory.mktemp("data") / "titles")


def picture_of(item):
    return np.array(Image.open(item.shop[0]).convert("RGB"))


def street_views(item, count):
    """Views that no training has drawn."""
    source = Source(picture_of(item), None, SHOP)
    return [
        street_view(source, size=(48, 32), rng=np.random.default_rng((99, seed)))
        for seed in range(count)
    ]


def embed(encoder, pictures, domain):
    inputs = np.stack([encoder.prepare(picture, domain) for picture in pictures])
    return encoder.encode(inputs, domain)


# --- whether anything is drawn --------------------------------------------------------------


def decided(*data, augmentation=None):
    settings = dataclasses.replace(TINY, augmentation=augmentation)
    collected = TrainingSet.collect(data, mattes=augmentation is not False)
    settings, found = decide_augmentation(settings, collected)
    return settings.augmentation, {each.matte for each in found.wanted}


def test_a_recipe_that_says_nothing_leaves_it_to_the_data(data, tmp_path):
    worn = looks(tmp_path / "looks")
    assert decided(data) == (True, {True})
    assert decided(worn) == (False, {False})
    # Photos have no mattes: they keep their background.
    assert decided(worn, data) == (True, {True, False})
    assert decided(data, augmentation=False) == (False, {False})
    assert decided(worn, augmentation=True) == (True, {True, False})


def test_a_recipe_without_augmentation_is_refused(data, tmp_path):
    settings = dataclasses.replace(TINY, augmentation=False)
    with pytest.raises(TrainingError, match=r"got 0 photos .* 6 articles.* leave the setting aug"):
        train_studio2shop([data], settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- what is drawn --------------------------------------------------------------------------


def test_a_still_view_is_a_street_view_and_always_the_same(data, tmp_path):
    worn = looks(tmp_path / "looks", 2)
    settings = dataclasses.replace(TINY, augmentation=True)
    found = TrainingSet.collect([worn, data], mattes=True)
    store = stored_pictures(found, settings, tmp_path / "pictures", Monitor())
    augmentation = make_augmentation(settings, SPEC, Monitor())
    views = make_views(found, store, SPEC, augmentation, seed=0)
    plain = make_views(found, store, SPEC, None, seed=0)
    seen = []
    for number, domain in enumerate(found.domains):
        stored = store.picture(number)
        np.testing.assert_array_equal(plain.still(number), stored)
        view = views.still(number)
        if domain is STREET:
            np.testing.assert_array_equal(view, stored)
            continue
        assert view.shape == (48, 32, 3)
        np.testing.assert_array_equal(view, views.still(number))
        seen.append(view)
    # Another place, another background: hardly a pixel is where it was.
    for number, view in enumerate(seen[-COUNT:]):
        title = np.array(Image.fromarray(picture_of(data.items[number])).resize((32, 48)))
        assert np.abs(view.astype(int) - title).mean() > 20
    assert len({view.tobytes() for view in seen}) == len(seen)


# --- trainings ------------------------------------------------------------------------------


def test_drawn_views_teach_to_find_articles(data, tmp_path):
    settings = dataclasses.replace(
        TINY,
        epochs=10,
        photos_per_epoch=60,
        hidden=64,
        matcher_hidden=32,
        head_rate=10.0,
        learning_rate=1e-3,
        # Its articles' features are a random network's: nothing to begin with.
        start="random",
    )
    heard, out = Heard(), tmp_path / "out"
    system = train_studio2shop([data], settings, out, monitor=heard)
    assert "titles has no photos: street views are drawn of its articles' own pictures" in (
        heard.notes
    )
    assert json.loads((out / "training.json").read_text())["recipe"]["augmentation"] is True
    assert len(heard.epochs) == 2 + 10 + 10
    # An article is its title picture as it is.
    own = [picture_of(item) for item in data.items]
    features = embed(system.encoder, own, SHOP)
    kept = read_tensors(out / "features.safetensors")["features"]
    np.testing.assert_allclose(features, kept, atol=1e-5)
    described = [system.reranker.describe(picture, SHOP) for picture in own]
    cosine, matched = [], []
    for number, item in enumerate(data.items):
        for view in street_views(item, 10):
            (row,) = embed(system.encoder, [view], STREET)
            cosine.append((features @ row).argmax() == number)
            query = system.reranker.describe(view, STREET)
            judged = system.reranker.rerank(query, [Candidate(0.0, each) for each in described])
            matched.append(np.argmax([one.similarity for one in judged]) == number)
    assert np.mean(cosine) > 1.5 / COUNT
    assert np.mean(matched) > 1.5 / COUNT


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"articles": "gist", "architecture": "static"},
        {"architecture": "two-networks", "matching": "linear", "loss": "ranking"},
    ],
    ids=["query-network", "static", "two-networks"],
)
def test_every_architecture_goes_on_where_it_was_cut_off(data, tmp_path, changes):
    settings = dataclasses.replace(TINY, **changes)
    whole = train_studio2shop([data], settings, tmp_path / "whole")
    with pytest.raises(TrainingStopped):
        train_studio2shop([data], settings, tmp_path / "cut", monitor=Heard(1))
    again = train_studio2shop([data], settings, tmp_path / "cut", resume=True)
    assert again.fingerprint == whole.fingerprint
    assert not (tmp_path / "cut" / "pictures").exists()


def test_static_features_are_of_drawn_views_and_of_photos_as_they_are(data, tmp_path):
    worn = looks(tmp_path / "looks", 3)
    settings = dataclasses.replace(TINY, articles="gist", architecture="static", epochs=1)
    system = train_studio2shop([worn, data], settings, tmp_path / "out")
    kept = {
        name: read_tensors(tmp_path / "out" / f"{name}.safetensors")["features"]
        for name in ("photos", "features")
    }
    shown = dict.fromkeys(file for item in worn.items for file in item.street)
    photos = embed(system.encoder, [np.array(Image.open(file)) for file in shown], STREET)
    np.testing.assert_allclose(kept["photos"][: len(photos)], photos, atol=1e-5)
    drawn, articles = kept["photos"][len(photos) :], kept["features"][len(worn.items) :]
    assert drawn.shape == articles.shape == (COUNT, system.encoder.dimension)
    alike = (drawn * articles).sum(1)
    assert (alike < 0.999).all()
