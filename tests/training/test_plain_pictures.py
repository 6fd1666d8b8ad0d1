"""Running a network on stored pictures: in their order, a batch at a time."""

import numpy as np
import pytest
from toy_data import toy_data

torch = pytest.importorskip("torch")
pytest.importorskip("timm")
pytestmark = pytest.mark.torch

from snapshelf.features.network_folder import NetworkDescription  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare  # noqa: E402
from snapshelf.training.monitor import Monitor  # noqa: E402
from snapshelf.training.mtv_settings import MtvSettings  # noqa: E402
from snapshelf.training.plain_pictures import run_on_pictures  # noqa: E402
from snapshelf.training.preparation import stored_pictures  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture
def network():
    torch.manual_seed(0)
    description = NetworkDescription(backbone="test_resnet", preprocessing=SPEC, dimension=8)
    return description.build().train()


@pytest.fixture
def store(tmp_path):
    data = TrainingSet.collect([toy_data(tmp_path / "toy", 3, street=1, shop=2)], mattes=False)
    return stored_pictures(data, MtvSettings(size=32), tmp_path / "kept", Monitor())


def test_each_picture_by_itself_and_in_order(network, store):
    numbers = [5, 0, 3, 3, 8]
    run = network.features
    batches = list(run_on_pictures(network, run, store.picture, numbers, SPEC, batch_size=2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert network.training, "as it was before"
    network.eval()
    for number, row in zip(numbers, np.concatenate(batches), strict=True):
        inputs = normalise(prepare(store.picture(number), SPEC)[None], SPEC)
        with torch.no_grad():
            expected = network.features(torch.from_numpy(inputs))[0].numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_the_network_trains_on_when_the_rest_is_left(network, store):
    batches = run_on_pictures(network, network.pooled, store.picture, range(6), SPEC, batch_size=2)
    next(batches)
    assert not network.training
    assert torch.is_grad_enabled(), "between batches others may learn"
    batches.close()
    assert network.training


def test_no_pictures(network, store):
    assert list(run_on_pictures(network, network.features, store.picture, [], SPEC)) == []
    assert network.training
