"""AsymNet's video feature network: hidden states against Eq. 1 step by step, and its folder."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.video_feature_folder import (  # noqa: E402
    VideoFeatureDescription,
    load_video_network,
    save_video_network,
)
from snapshelf.features.video_feature_network import VideoFeatureNetwork  # noqa: E402


def logistic(x):
    return 1 / (1 + np.exp(-x))


def slow_states(network, steps):
    """Eq. 1 in float64: one affine map of (h, m) for each gate, step by step."""
    weights = {name: value.double().numpy() for name, value in network.lstm.state_dict().items()}
    for level in range(network.levels):
        of_inputs, of_state = weights[f"weight_ih_l{level}"], weights[f"weight_hh_l{level}"]
        bias = weights[f"bias_ih_l{level}"] + weights[f"bias_hh_l{level}"]
        matrix = np.concatenate([of_state, of_inputs], axis=1)
        hidden = cell = np.zeros(network.states)
        found = []
        for step in steps:
            # PyTorch keeps the gates in the order input, forget, candidate, output.
            i, f, g, o = np.split(matrix @ np.concatenate([hidden, step]) + bias, 4)
            cell = logistic(f) * cell + logistic(i) * np.tanh(g)
            hidden = logistic(o) * np.tanh(cell)
            found.append(hidden)
        steps = found
    return np.array(steps)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_hidden_states_are_those_of_the_equation(levels):
    torch.manual_seed(levels)
    network = VideoFeatureNetwork(5, 4, levels=levels)
    steps = 3 * torch.randn(3, 6, 5)
    with torch.no_grad():
        found = network(steps).numpy()
    assert found.shape == (3, 6, 4)
    for row, each in zip(found, steps.double().numpy(), strict=True):
        np.testing.assert_allclose(row, slow_states(network, each), atol=1e-6)
    network.scale.fill_(2.5)
    with torch.no_grad():
        np.testing.assert_allclose(network(steps).numpy(), 2.5 * found, rtol=1e-6)


def test_a_state_knows_the_past_and_not_the_future():
    torch.manual_seed(0)
    network, steps = VideoFeatureNetwork(5, 4), torch.randn(1, 6, 5)
    changed = steps.clone()
    changed[:, 3] += 1
    with torch.no_grad():
        before, after = network(steps), network(changed)
    assert torch.equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] != after[:, 3:]).any(2).all()
    with torch.no_grad():
        assert network(steps[:, :1]).shape == (1, 1, 4)
        assert network(steps[:0]).shape == (0, 6, 4)


def test_what_is_no_trajectory():
    network = VideoFeatureNetwork(5, 4)
    for shape in ((2, 0, 5), (2, 6, 4), (6, 5)):
        with pytest.raises(ValueError, match=r"steps must be \(B, T, 5\) with T >= 1"):
            network(torch.zeros(shape))
    for given in ({"levels": 5}, {"levels": 0}, {"states": 0}, {"features": 0}):
        with pytest.raises(ValueError, match=r"levels in \[1, 4\]"):
            VideoFeatureNetwork(**{"features": 5} | given)


def test_written_and_read(tmp_path):
    description = VideoFeatureDescription(features=5, states=4, levels=3)
    values = json.loads(json.dumps(description.to_dict()))
    assert VideoFeatureDescription.from_dict(values, tmp_path) == description
    network, steps = description.build(), torch.randn(1, 6, 5)
    network.scale.fill_(3)
    save_video_network(tmp_path, network)
    again = load_video_network(tmp_path, description)
    with torch.no_grad():
        assert torch.equal(again(steps), network(steps))
    with pytest.raises(ModelError, match="does not fit the settings"):
        load_video_network(tmp_path, VideoFeatureDescription(features=5, states=4, levels=2))
    for name, wrong in {"levels": 5, "states": 0, "features": "5"}.items():
        with pytest.raises(ModelError, match=name):
            VideoFeatureDescription.from_dict(values | {name: wrong}, tmp_path)
