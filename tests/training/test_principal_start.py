"""An embedding that begins at principal axes: against an independent decomposition."""

import numpy as np
import pytest
from toy_data import toy_data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from torch import nn  # noqa: E402

from snapshelf.features.embedding_network import EmbeddingNetwork  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare  # noqa: E402
from snapshelf.training.picture_store import PictureStore  # noqa: E402
from snapshelf.training.principal_start import (  # noqa: E402
    pooled_features,
    principal_axes,
    start_as_taught,
    start_at_principal_axes,
)
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.5,) * 3, std=(0.5,) * 3)


class Backbone(nn.Module):
    """A convolution and a rectifier."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 12, 4, stride=4)

    def forward_features(self, inputs):
        return self.convolution(inputs).relu()

    def forward(self, inputs):
        return self.forward_features(inputs)


def network(dimension):
    torch.manual_seed(0)
    return EmbeddingNetwork(Backbone(), size=(32, 32), normalised=True, dimension=dimension)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("principal")
    data = [
        toy_data(folder / "both", 6, street=2, shop=1, name="both"),
        toy_data(folder / "shop", 8, street=0, shop=1, name="shop", first=30),
    ]
    training_set = TrainingSet.collect(data, mattes=False)
    store = PictureStore.build(training_set.wanted, side=48, budget=10**7, folder=folder)
    return training_set, store


def test_axes_are_those_of_a_singular_value_decomposition():
    rng = np.random.default_rng(0)
    groups = [rng.normal(5 * n, 1, (40, 6)) * [5, 4, 3, 2, 1, 0.5] for n in range(3)]
    axes = principal_axes(groups, 4)
    _, _, expected = np.linalg.svd(np.concatenate([g - g.mean(0) for g in groups]))
    np.testing.assert_allclose(np.abs(np.sum(axes * expected[:4], axis=1)), 1, atol=1e-9)


def test_the_embedding_keeps_what_the_features_tell(pictures):
    """With all axes kept, distances between embeddings are those between the features."""
    training_set, store = pictures
    model = network(12)
    start_at_principal_axes(model, pooled_features(model, training_set, store, SPEC))
    inputs = np.stack([prepare(store.picture(n), SPEC) for n in range(len(store))])
    with torch.inference_mode():
        tensor = torch.from_numpy(normalise(inputs, SPEC))
        pooled, raw = model.pooled(tensor), model.features(tensor)
    torch.testing.assert_close(
        torch.cdist(raw, raw), torch.cdist(pooled, pooled), atol=2e-3, rtol=0
    )


def test_the_origin_is_between_the_sides_of_data_that_has_both(pictures):
    training_set, store = pictures
    model = network(12)
    start_at_principal_axes(model, pooled_features(model, training_set, store, SPEC))
    sides = []
    for side in ("street", "shop"):
        numbers = [n for p in training_set.pictures[:6] for n in getattr(p, side)]
        inputs = np.stack([prepare(store.picture(n), SPEC) for n in numbers])
        with torch.inference_mode():
            sides.append(model.features(torch.from_numpy(normalise(inputs, SPEC))).mean(0))
    middle = (sides[0] + sides[1]) / 2
    torch.testing.assert_close(middle, torch.zeros_like(middle), atol=1e-5, rtol=0)


def features_of(model, store):
    inputs = np.stack([prepare(store.picture(n), SPEC) for n in range(len(store))])
    with torch.inference_mode():
        tensor = torch.from_numpy(normalise(inputs, SPEC))
        return model.pooled(tensor), model.features(tensor)


@pytest.mark.parametrize("dimension", [10, 4])
def test_begins_as_the_part_of_the_teacher_that_says_most(pictures, dimension):
    """Embeddings have the products with each other that the best matrix of that rank gives."""
    training_set, store = pictures
    taught = nn.Linear(12, 10)
    model = network(dimension)
    start_as_taught(model, taught, pooled_features(model, training_set, store, SPEC))
    pooled, raw = features_of(model, store)
    with torch.inference_mode():
        embeddings = taught(pooled)
    lengths = embeddings.norm(dim=1, keepdim=True)
    left, sizes, right = np.linalg.svd((embeddings / lengths).double().numpy())
    best = left[:, :dimension] * sizes[:dimension] @ right[:dimension]
    found = (raw / lengths).double().numpy()
    np.testing.assert_allclose(found @ found.T, best @ best.T, atol=1e-5)


def test_leaves_the_mode_as_it_was(pictures):
    model = network(4).train()
    start_at_principal_axes(model, pooled_features(model, *pictures, SPEC))
    assert model.training


def test_refuses_more_axes_than_pictures(pictures):
    model = network(12)
    groups = pooled_features(model, *pictures, SPEC, most=2)
    with pytest.raises(TrainingError, match=r"embedding of 12 numbers .* got 6"):
        start_at_principal_axes(model, groups)


def test_rejects_nothing_that_fits(pictures):
    training_set, store = pictures
    model = network(6)
    start_at_principal_axes(model, pooled_features(model, training_set, store, SPEC, most=2))
    assert torch.isfinite(model.embedding.weight).all()
