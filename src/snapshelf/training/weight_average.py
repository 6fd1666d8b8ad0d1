"""The weights of several networks as one."""

from collections.abc import Mapping, Sequence

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["average_weights"]


def average_weights(
    states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]
) -> dict[str, Tensor]:
    """Average networks that were trained from the same start, weight by weight.

    Networks that have a start in common lie in one valley of the loss, and their mean is often
    better than each of them, above all on what none was trained on: Wortsman et al., Model soups,
    ICML 2022. The start itself may take part: Wortsman et al., Robust fine-tuning of zero-shot
    models (WiSE-FT), CVPR 2022.

    Args:
        states: At least one, of the same names and shapes, floating point.
        shares: As many, at least 0, of any positive sum.

    Returns:
        A tensor for each name, of its dtype; sums are float64.

    Raises:
        ValueError: If the numbers differ, a share cannot be used, or weights are no fractions.

    Example:
        >>> states = [{"w": torch.tensor([1.0])}, {"w": torch.tensor([4.0])}]
        >>> average_weights(states, [2, 1])
        {'w': tensor([2.])}
    """
    if not states or len(states) != len(shares):
        raise ValueError(f"expected a share for each state, got {len(states)} and {len(shares)}")
    if min(shares) < 0 or not sum(shares) > 0:
        raise ValueError(f"shares must be at least 0 and not all 0, got {list(shares)}")
    first, total = states[0], sum(shares)
    for name, value in first.items():
        if not value.is_floating_point():
            raise ValueError(f"{name} holds {value.dtype}, which has no average")
    parts = [share / total for share in shares]
    return {
        name: sum(
            (part * state[name].double() for part, state in zip(parts, states, strict=True)),
            torch.zeros_like(value, dtype=torch.float64),
        ).to(value.dtype)
        for name, value in first.items()
    }
