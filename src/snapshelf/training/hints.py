"""Hints: a student backbone learns its teacher's feature maps, stage by stage.

Romero et al.: FitNets: Hints for Thin Deep Nets, 2015, teach inner layers by a teacher's feature
maps. Here each stage of the student is given what the teacher's stage before it makes, so all
stages learn at once, each a shallow network that is told what every place of its map should be.
That takes a hundredth of the pictures that learning from the last layer alone does.
"""

from collections.abc import Sequence
from typing import Any

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["even_out", "hint_losses"]

LEAST = 1e-3
"""Deviation below which a channel counts as constant."""

FIRST_SHARE = 0.5
"""Part of the teacher's deviation that a stage's channels begin with."""


def even_out(
    students: Sequence[nn.Sequential], teachers: Sequence[nn.Sequential], inputs: Tensor
) -> None:
    """Scale random weights so that every convolution's output has mean 0 and deviation 1.

    Mishkin, Matas: All you need is a good init, 2016 (layer-sequential unit variance), by channel,
    on what the teacher feeds each stage. A network without batch norms needs it to learn at all.
    What a stage gives out is then brought to half the teacher's deviation, channel by channel,
    except the last stage, which ends in an activation.

    Args:
        students: Stages, changed in place; convolutions have biases.
        teachers: Stages of the same shapes.
        inputs: (B, 3, H, W) float, normalised, B * H * W large enough for a deviation.
    """
    with torch.no_grad():
        fed = inputs
        for number, (student, teacher) in enumerate(zip(students, teachers, strict=True)):
            convolutions = [part for part in student.modules() if isinstance(part, nn.Conv2d)]
            for convolution in convolutions:
                _even_out(convolution, student, fed)
            wanted = teacher(fed)
            if number < len(students) - 1:
                made = _deviations(student(fed))
                _scale(convolutions[-1], FIRST_SHARE * _deviations(wanted) / made)
            fed = wanted


def hint_losses(
    students: Sequence[nn.Sequential], teachers: Sequence[nn.Sequential], inputs: Tensor
) -> Tensor:
    """Compare each stage's map with the teacher's, given the teacher's map before it.

    ``L_i = mean (s_i(t_(i-1)) - t_i)^2 / var(t_i)``: 1 for a stage that knows only the mean.

    Args:
        students: S stages.
        teachers: S stages of the same shapes.
        inputs: (B, 3, H, W) float, normalised.

    Returns:
        (S,) float32.
    """
    losses = []
    fed = inputs
    for student, teacher in zip(students, teachers, strict=True):
        with torch.no_grad():
            wanted = teacher(fed)
        losses.append(_relative(student(fed), wanted))
        fed = wanted
    return torch.stack(losses)


def _relative(made: Tensor, wanted: Tensor) -> Tensor:
    wanted = wanted.float()
    return (made.float() - wanted).square().mean() / wanted.var().clamp(min=LEAST**2)


def _even_out(convolution: nn.Conv2d, stage: nn.Sequential, fed: Tensor) -> None:
    found: list[tuple[Tensor, Tensor]] = []

    def look(_: nn.Module, __: Any, output: Tensor) -> None:
        # Here, not later: the activation behind it may work in place.
        found.append((output.mean(dim=(0, 2, 3)), _deviations(output)))

    hook = convolution.register_forward_hook(look)
    try:
        stage(fed)
    finally:
        hook.remove()
    ((mean, deviation),) = found
    convolution.weight /= deviation.reshape(-1, 1, 1, 1)
    if convolution.bias is not None:
        convolution.bias.copy_((convolution.bias - mean) / deviation)


def _scale(convolution: nn.Conv2d, factors: Tensor) -> None:
    convolution.weight *= factors.reshape(-1, 1, 1, 1)
    if convolution.bias is not None:
        convolution.bias *= factors


def _deviations(output: Tensor) -> Tensor:
    """Give the deviation of each channel of a map, (C,)."""
    return output.std(dim=(0, 2, 3)).clamp(min=LEAST)
