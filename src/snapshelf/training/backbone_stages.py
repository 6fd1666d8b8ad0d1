"""The stages of a backbone, which follow one another."""

from snapshelf.errors import ModelError
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    from torch import nn

__all__ = ["backbone_stages", "freeze_stages"]


def backbone_stages(backbone: nn.Module) -> list[nn.Sequential]:
    """Split a backbone into stages that follow one another.

    Args:
        backbone: Of timm's MobileNet and EfficientNet families, whose parts are a stem, blocks
            and a head.

    Returns:
        Stages whose composition is the backbone's last feature map; they share its weights.

    Raises:
        ModelError: If the backbone is of another family.
    """
    try:
        stem = [backbone.conv_stem, backbone.bn1]
        blocks = list(backbone.blocks)  # type: ignore[arg-type]
        head = [backbone.conv_head, backbone.bn2]
    except AttributeError:
        raise ModelError(
            "the stages of a backbone are known for the MobileNet and EfficientNet family only, "
            f"got {type(backbone).__name__}"
        ) from None
    first, *rest = blocks
    parts = [[*stem, first], *([block] for block in rest), head]
    return [nn.Sequential(*part) for part in parts]


def freeze_stages(backbone: nn.Module, count: int) -> None:
    """Keep the weights of a backbone's first stages as they are; gradients end there.

    Args:
        backbone: As of `backbone_stages`; of any other family if `count` is 0.
        count: How many stages.

    Raises:
        ModelError: If the backbone is of another family, or has fewer stages.
    """
    if not count:
        return
    stages = backbone_stages(backbone)
    if count > len(stages):
        raise ModelError(f"frozen_stages must be at most the backbone's {len(stages)}, got {count}")
    for stage in stages[:count]:
        stage.requires_grad_(False)
