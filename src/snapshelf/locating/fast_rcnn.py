"""Fast R-CNN: proposals from outside are told apart and moved, on one feature map.

Girshick: Fast R-CNN, ICCV 2015, with the parts of torchvision's Faster R-CNN, so that both
detectors differ in where their proposals come from and in nothing else.
"""

from collections.abc import Sequence

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torchvision.models.detection.roi_heads import RoIHeads
    from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes
    from torchvision.ops import clip_boxes_to_image, remove_small_boxes

__all__ = ["FastRCNN"]

LEAST_SIDE = 1.0
"""Pixels of the input. A smaller proposal is none: there is nothing to see in it."""


class FastRCNN(nn.Module):
    """A detector that is called as torchvision's are, but for the proposals.

    Args:
        backbone: Gives a map of pictures: (B, 3, H, W) float to (B, C, H', W').
        roi_heads: Pools boxes from the map named ``"0"``, tells their classes and moves them. In
            training it adds the objects' own boxes to the proposals.
        transform: Normalises pictures and puts them into one batch.
    """

    def __init__(
        self, backbone: nn.Module, roi_heads: RoIHeads, transform: GeneralizedRCNNTransform
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.roi_heads = roi_heads
        self.transform = transform

    def forward(
        self,
        images: Sequence[Tensor],
        targets: Sequence[dict[str, Tensor]] | None,
        proposals: Sequence[Tensor],
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Detect, or give the losses of a detection.

        Args:
            images: B of (3, h, w) float, [0, 1].
            targets: Of each image its ``boxes``, (N, 4) float of at least a pixel, and ``labels``,
                (N,) int64 from 1; in training only.
            proposals: Of each image (P, 4) float, P >= 0. What sticks out is cut off, and what has
                no area then, or is no number, left out; where none remains the whole image is
                looked at.

        Returns:
            In training the two losses, ``loss_classifier`` and ``loss_box_reg`` (Eq. 1 of the
            paper). Else of each image ``boxes``, (D, 4) float, ``labels``, (D,) int64, and
            ``scores``, (D,) float in [0, 1].

        Raises:
            ValueError: If there are not as many proposals as images, or no targets in training.
        """
        if len(proposals) != len(images):
            raise ValueError(
                f"proposals must be of each of the {len(images)} images, got {len(proposals)}"
            )
        before = [(int(image.shape[-2]), int(image.shape[-1])) for image in images]
        batch, scaled = self.transform(list(images), None if targets is None else list(targets))
        placed = [
            _usable(boxes, was, size)
            for boxes, was, size in zip(proposals, before, batch.image_sizes, strict=True)
        ]
        features = {"0": self.backbone(batch.tensors)}
        found, losses = self.roi_heads(features, placed, batch.image_sizes, scaled)
        if self.training:
            return dict(losses)
        detections: list[dict[str, Tensor]] = self.transform.postprocess(
            found, batch.image_sizes, before
        )
        return detections


def _usable(boxes: Tensor, before: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Carry proposals over to the size that their image was scaled to; at least one comes out."""
    scaled = resize_boxes(boxes.reshape(-1, 4), list(before), list(size))
    clipped = clip_boxes_to_image(scaled, size)
    usable: Tensor = clipped[remove_small_boxes(clipped, LEAST_SIDE)]
    if len(usable):
        return usable
    height, width = size
    return torch.tensor([[0, 0, width, height]], dtype=boxes.dtype, device=boxes.device)
