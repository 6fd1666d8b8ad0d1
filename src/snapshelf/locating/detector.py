"""Faster and Fast R-CNN on the last feature map of any backbone.

Ren, He, Girshick, Sun: Faster R-CNN: Towards Real-Time Object Detection with Region Proposal
Networks, 2015, as torchvision carries it out; Girshick: Fast R-CNN, ICCV 2015, on EdgeBoxes
proposals, as Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, have it.
"""

from typing import Any, TypeAlias

import numpy as np

from snapshelf.features.backbones import create_backbone, feature_map
from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.boxes import Boxes, clip_boxes, scale_boxes
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.locating.edge_boxes import EdgeBoxes
from snapshelf.locating.fast_rcnn import FastRCNN
from snapshelf.locating.region import Region
from snapshelf.locating.region_features import scaled_picture
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.faster_rcnn import (
        FasterRCNN,
        FastRCNNPredictor,
        TwoMLPHead,
    )
    from torchvision.models.detection.roi_heads import RoIHeads
    from torchvision.models.detection.transform import GeneralizedRCNNTransform
    from torchvision.ops import MultiScaleRoIAlign

__all__ = [
    "Detector",
    "MapBackbone",
    "build_detector",
    "detect",
    "detector_input",
    "detector_proposals",
]

Detector: TypeAlias = "FasterRCNN | FastRCNN"

SHAPES = (0.5, 1.0, 2.0)
PROBE = 64

SAMPLED: dict[str, Any] = {"batch_size_per_image": 64, "positive_fraction": 0.25}
"""Boxes of a photo that a detector's second stage learns from in a step, and the part that is
positive if there are so many (Girshick, Section 2.3, which Ren et al. follow). Torchvision's 512
take most of a step's time, and photos hold few objects."""

GIVEN = {"score_thresh": 0.05, "nms_thresh": 0.5, "detections_per_img": 100}
"""Which boxes Fast R-CNN gives: as torchvision's Faster R-CNN by default."""


class MapBackbone(nn.Module):
    """A backbone as torchvision's detectors want one: a map with so many channels.

    The statistics of its batch norms stay as they are in training: batches are too small for new
    ones.

    Args:
        backbone: As `create_backbone` makes it.
        channels: Of the map; a 1 x 1 convolution brings it to them.
    """

    def __init__(self, backbone: nn.Module, channels: int) -> None:
        super().__init__()
        self.body = backbone.eval()
        with torch.inference_mode():
            found = feature_map(backbone, torch.zeros(1, 3, PROBE, PROBE)).shape[1]
        self.reduce = nn.Conv2d(found, channels, 1)
        self.out_channels = channels

    def forward(self, inputs: Tensor) -> Tensor:
        """Give the map.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, channels, H', W') float.
        """
        reduced: Tensor = self.reduce(feature_map(self.body, inputs))
        return reduced

    def train(self, mode: bool = True) -> "MapBackbone":
        """Switch all but the batch norms' statistics."""
        super().train(mode)
        self.body.eval()
        return self


def build_detector(
    settings: DetectorSettings,
    backbone: nn.Module | None = None,
    *,
    positive: float = 0.5,
    negative: float = 0.5,
) -> Detector:
    """Make a detector; all but the backbone has random weights.

    Args:
        settings: What to build.
        backbone: With its weights; None for a new one of random weights.
        positive: In (0, 1]; in training a proposal is an object if their IoU is at least so large.
        negative: In (0, `positive`]; it is background if its IoU with all of them is below. What
            lies between is not learned from.

    Returns:
        A detector in evaluation mode. Its classes are numbered from 1; 0 is the background.

    Raises:
        ModelError: If the backbone is unknown, or gives no feature map.
    """
    regions = settings.regions
    if backbone is None:
        backbone = create_backbone(regions.backbone, regions.options)
    side = max(regions.scaled_size((1, 1)))
    body = MapBackbone(backbone, settings.channels)
    # Pictures come as they are to be seen, so that there is one way to scale them.
    scaling: dict[str, Any] = {
        "min_size": side,
        "max_size": side,
        "image_mean": list(regions.preprocessing.mean),
        "image_std": list(regions.preprocessing.std),
    }
    boxes: dict[str, Any] = {
        "box_roi_pool": MultiScaleRoIAlign(["0"], output_size=regions.bins, sampling_ratio=2),
        "box_head": TwoMLPHead(settings.channels * regions.bins**2, settings.hidden),
        "box_predictor": FastRCNNPredictor(settings.hidden, len(settings.classes) + 1),
    }
    if settings.edge_boxes is None:
        faster: Detector = FasterRCNN(
            body,
            rpn_anchor_generator=AnchorGenerator((settings.anchors,), (SHAPES,)),
            box_fg_iou_thresh=positive,
            box_bg_iou_thresh=negative,
            box_batch_size_per_image=SAMPLED["batch_size_per_image"],
            box_positive_fraction=SAMPLED["positive_fraction"],
            **scaling,
            **boxes,
        )
        return faster.eval()
    heads = RoIHeads(
        **boxes,
        fg_iou_thresh=positive,
        bg_iou_thresh=negative,
        bbox_reg_weights=None,
        **SAMPLED,
        **GIVEN,
    )
    return FastRCNN(body, heads, GeneralizedRCNNTransform(**scaling)).eval()


def detector_input(picture: RGB, settings: DetectorSettings) -> Tensor:
    """Bring a picture to what a detector takes.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        settings: Of the detector.

    Returns:
        (3, h, w) float32, [0, 1].

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    scaled = scaled_picture(picture, settings.regions)
    return torch.from_numpy(scaled).permute(2, 0, 1).float() / 255


def detector_proposals(picture: RGB, settings: DetectorSettings) -> Tensor | None:
    """Propose boxes in a picture, for a detector that does not do so itself.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        settings: Of the detector.

    Returns:
        (P, 4) float32, P >= 1, in the pixels of `detector_input`; the whole picture is one of
        them. None for a detector that proposes its boxes itself.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    if settings.edge_boxes is None:
        return None
    boxes = EdgeBoxes(settings.edge_boxes).propose(picture).boxes
    size = settings.regions.scaled_size(picture.shape)
    return torch.from_numpy(scale_boxes(boxes, picture.shape, size))


def detect(
    detector: Detector, picture: RGB, settings: DetectorSettings, *, device: str = "cpu"
) -> tuple[Region, ...]:
    """Find objects in a picture.

    Args:
        detector: In evaluation mode, on the device.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        settings: Of the detector.
        device: A torch device.

    Returns:
        Regions of at least a pixel within the picture, most confident first; there may be none,
        and those of several classes may cover one object.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    seen = detector_input(picture, settings).to(device)
    proposals = detector_proposals(picture, settings)
    with torch.inference_mode():
        if proposals is None:
            (found,) = detector([seen])
        else:
            (found,) = detector([seen], None, [proposals.to(device)])
    boxes: Boxes = found["boxes"].cpu().numpy()
    boxes = clip_boxes(scale_boxes(boxes, tuple(seen.shape[1:]), picture.shape), picture.shape)
    scores, labels = found["scores"].cpu().numpy(), found["labels"].cpu().numpy()
    regions = []
    for index in np.argsort(-scores, kind="stable"):
        x0, y0, x1, y1 = (float(value) for value in boxes[index])
        if x1 - x0 >= 1 and y1 - y0 >= 1:
            name = settings.classes[int(labels[index]) - 1]
            regions.append(Region((x0, y0, x1, y1), name, float(scores[index])))
    return tuple(regions)
