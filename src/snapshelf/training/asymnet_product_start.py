"""AsymNet's networks begin as a product of features, nearly as good as their cosine.

No part of the paper, which has 26 thousand trajectories to learn from. With some hundred, networks
that begin at random learn the products that they see by heart, and nothing of others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.video_feature_network import VideoFeatureNetwork
from snapshelf.matching.similarity_network import SimilarityNetwork

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["UNITS", "SideAxes", "side_axes", "start_similarity", "start_states"]

UNITS = 4
"""Units of the first layer for each axis."""

AMPLITUDE = 0.25
"""Standard deviation at which the strongest axis enters a tanh, so that it is nearly linear."""

OPEN = 4.0
"""Log-odds of a gate that is as good as open."""

PASSED = 0.9
"""Part that a step has in the running mean of the levels of LSTM above the first."""

SPAN = 2.0
"""Log-odds between the mean of right pairs and the mean of wrong ones."""


@dataclass(frozen=True, slots=True, eq=False)
class SideAxes:
    """Principal axes of features, each side seen from its own mean.

    Attributes:
        axes: (K, D) float32, orthonormal.
        street: (D,) float32, the mean of the trajectories' features.
        shop: (D,) float32, the mean of the shop pictures'.
        scale: Standard deviation along the first axis, above 0.
    """

    axes: NDArray[np.float32]
    street: NDArray[np.float32]
    shop: NDArray[np.float32]
    scale: float


def side_axes(steps: NDArray[np.float32], pictures: NDArray[np.float32], most: int) -> SideAxes:
    """Find the principal axes of trajectories' and pictures' features together.

    Args:
        steps: (N, T, D) float32. A trajectory counts as a picture does, by the mean of its steps.
        pictures: (P, D) float32.
        most: Axes at most, at least 1.
    """
    means = steps.mean(1, dtype=np.float64)
    street, shop = means.mean(0), pictures.mean(0, dtype=np.float64)
    rows = np.concatenate([means - street, pictures - shop])
    _, spread, axes = np.linalg.svd(rows, full_matrices=False)
    kept = axes[: max(min(most, int((spread > 1e-6 * spread[0]).sum())), 1)]
    scale = float(spread[0]) / len(rows) ** 0.5
    return SideAxes(
        kept.astype(np.float32),
        street.astype(np.float32),
        shop.astype(np.float32),
        scale if scale > 0 else 1.0,
    )


@torch.no_grad()
def start_states(video: VideoFeatureNetwork, axes: SideAxes, memory: float) -> None:
    """Let hidden states begin as a running mean of the features along the axes, at their size.

    The gates of the first K units of the first level stand at ``i = memory``, ``f = 1 - memory``
    and ``o = 1``, so that ``c_t = f c_{t-1} + i g_t`` with g nearly linear; levels above pass that
    on. The other units begin at random, as they do without.

    Args:
        video: Changed in place.
        axes: As `side_axes` gives them; those beyond the number of states are left out, and what
            lies along others is lost to the states.
        memory: In (0, 1), the part that a step has in the mean.
    """
    rows = torch.from_numpy(axes.axes[: video.states])
    used, states = len(rows), video.states
    gain = AMPLITUDE / axes.scale
    shifts = -gain * rows @ torch.from_numpy(axes.street)
    video.scale.fill_(1 / gain)
    for level in range(video.levels):
        inputs, recurrent, bias, other = (
            getattr(video.lstm, f"{name}_l{level}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        share = memory if level == 0 else PASSED
        odds = float(np.log(share / (1 - share)))
        for gate, value in enumerate((odds, -odds, 0.0, OPEN)):
            own = slice(gate * states, gate * states + used)
            inputs[own], recurrent[own], bias[own], other[own] = 0, 0, value, 0
        cells = slice(2 * states, 2 * states + used)
        if level == 0:
            inputs[cells], bias[cells] = gain * rows, shifts
        else:
            inputs[cells, :used] = torch.eye(used)


@torch.no_grad()
def start_similarity(
    similarity: SimilarityNetwork,
    axes: SideAxes,
    states: Tensor,
    pictures: Tensor,
    right: Tensor,
    read: tuple[Tensor, Tensor] | None = None,
) -> None:
    """Let the similarity begin as a product of hidden states and pictures, along each axis.

    Four units of the first layer for each axis give ``|q + a| - |q - a|``, which is twice the
    smaller of both sizes where q and a are on one side, and minus that where they are not: large
    numbers count for less than in an inner product. Unlike a distance it does not mind that means
    of many frames lie nearer to the middle than single pictures do. The second layer sums it up,
    so that right and wrong pairs lie on both sides of 0. Other units begin at 0 in that layer.

    Args:
        similarity: Changed in place; as many axes are used as its first layer has units for, at
            least one.
        axes: As the states began with.
        states: (N, H) float, hidden states of some trajectories.
        pictures: (N, M, D) float, pictures of each.
        right: (N, M) bool, which show its product; some do and some do not.
        read: (K, H) and (K,) float: how the features along the axes are read from a state, by a
            product and what is added to it. None where the first K units of a state hold them, as
            `start_states` leaves them.

    Raises:
        ValueError: If the first layer has fewer units than one axis needs.
    """
    first, second = similarity.first, similarity.second
    many = min(len(axes.axes), len(first.weight) // UNITS)
    if read is None:
        many = min(many, similarity.states)
    if not many:
        raise ValueError(f"hidden must be at least {UNITS}, got {len(first.weight)}")
    rows = torch.from_numpy(axes.axes[:many])
    middle = rows @ torch.from_numpy(axes.shop)
    shop = pictures @ rows.T - middle
    if read is None:
        read = torch.eye(many, similarity.states), torch.zeros(many)
    reading, shift = read[0][:many], read[1][:many]
    own = states @ reading.T + shift
    # Both sides are brought to one size: a running mean is the smaller, the fewer steps it has.
    spread = float(own.std(unbiased=False))
    gain = float(shop.std(unbiased=False)) / spread if spread > 0 else 1.0
    unit = 1 / max(float(shop.std(unbiased=False)), 1e-6)
    of_state = torch.tensor([1.0, -1.0, 1.0, -1.0]) * gain * unit
    of_shop = torch.tensor([1.0, -1.0, -1.0, 1.0]) * unit
    weights = torch.zeros(many, UNITS, similarity.states + similarity.features)
    weights[:, :, : similarity.states] = of_state[None, :, None] * reading[:, None]
    weights[:, :, similarity.states :] = of_shop[None, :, None] * rows[:, None]
    used = UNITS * many
    first.weight[:used] = weights.flatten(0, 1)
    first.bias[:used] = (shift[:, None] * of_state - middle[:, None] * of_shop).flatten()
    q, a = own[:, None] * gain * unit, shop * unit
    alike = ((q + a).abs() - (q - a).abs()).sum(-1)
    near, far = float(alike[right].mean()), float(alike[~right].mean())
    slope = SPAN / max(near - far, 0.01 * float(alike.std()) + 1e-6)
    nn.init.zeros_(second.weight)
    second.weight[0, :used] = slope * torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(many)
    second.bias.fill_(-slope * (near + far) / 2)
