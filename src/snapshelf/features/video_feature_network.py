"""`VideoFeatureNetwork`: the features of a trajectory's steps to hidden states, AsymNet's VFN.

Cheng, Wu, Liu, Hua: Video2Shop, Section 3.2.
"""

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["MOST_LEVELS", "VideoFeatureNetwork"]

MOST_LEVELS = 4
"""Levels of LSTM that the paper compares (Fig. 3)."""


class VideoFeatureNetwork(nn.Module):
    """LSTM units, one level on top of the other; the hidden states of the last are given.

    Eq. 1, with m_t the features of step t, or the hidden state of the level below::

        (i, f, o) = sigmoid(M (h_{t-1}, m_t))    g = tanh(M (h_{t-1}, m_t))
        c_t = f * c_{t-1} + i * g                h_t = o * tanh(c_t)

    M is affine: it has a bias. The first h and c are 0. What is given is h of the last level times
    `scale`, 1 unless it is set: no part of the paper. Hidden states are far smaller than features
    where cells are nearly linear, and what compares the two learns little of the smaller.

    Args:
        features: Length D of a step's features, at least 1.
        states: Length H of a hidden state, at least 1.
        levels: In [1, `MOST_LEVELS`]; the paper's choice is 2.

    Attributes:
        features: As given.
        states: As given.
        levels: As given.
        scale: () float32, kept with the weights and not learned.

    Raises:
        ValueError: If a number is out of range.
    """

    scale: Tensor

    def __init__(self, features: int, states: int = 256, *, levels: int = 2) -> None:
        super().__init__()
        if min(features, states) < 1 or not 1 <= levels <= MOST_LEVELS:
            raise ValueError(
                f"features and states must be at least 1 and levels in [1, {MOST_LEVELS}], got "
                f"{features}, {states} and {levels}"
            )
        self.features, self.states, self.levels = features, states, levels
        self.lstm = nn.LSTM(features, states, num_layers=levels, batch_first=True)
        self.register_buffer("scale", torch.ones(()))

    def forward(self, steps: Tensor) -> Tensor:
        """Give all hidden states of the last level.

        Args:
            steps: (B, T, D) float, T >= 1.

        Returns:
            (B, T, H) float, in (-scale, scale).

        Raises:
            ValueError: If the shape is another.
        """
        if steps.ndim != 3 or steps.shape[2] != self.features or not steps.shape[1]:
            raise ValueError(
                f"steps must be (B, T, {self.features}) with T >= 1, got {tuple(steps.shape)}"
            )
        states: Tensor = self.lstm(steps)[0]
        return self.scale * states
