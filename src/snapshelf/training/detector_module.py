"""`DetectorModule`: Faster or Fast R-CNN under Lightning, and its training as one call."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.detector import Detector, MapBackbone, build_detector
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.training.backbone_stages import freeze_stages
from snapshelf.training.detector_batches import DetectorBatch, DetectorBatches
from snapshelf.training.detector_training import DetectorTraining
from snapshelf.training.fit import FitSettings, fit
from snapshelf.training.monitor import Monitor
from snapshelf.training.rates import cosine_rate

with torch_extra():
    import lightning
    import torch
    from torch import Tensor, nn

__all__ = ["DetectorModule", "train_detector"]

LARGEST_GRADIENT = 10.0
WARMUP = 100

POSITIVE = 0.5
"""Ren et al. 2015 and torchvision: proposals from this IoU on are objects, the others are not."""

OUTSIDE_POSITIVE = 0.7
"""Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Section 5, likewise for Fast R-CNN: "the positive
examples are those cropped images which satisfy IoU > 0.7; otherwise, they are used as negative
examples"."""


class DetectorModule(lightning.LightningModule):
    """The losses of a detector, added up.

    Of Faster R-CNN they are four (Ren et al. 2015, Eq. 1, for both stages), of Fast R-CNN the two
    of its one stage (Girshick 2015, Eq. 1).

    Args:
        detector: To be trained.
        training: Learning rate and weight decay.
        steps: Batches of the whole training.
        warmup: Of them, those that the learning rate rises over.
    """

    def __init__(
        self, detector: Detector, training: DetectorTraining, *, steps: int, warmup: int
    ) -> None:
        super().__init__()
        self.detector = detector.train()
        self._training, self._steps, self._warmup = training, steps, warmup

    def training_step(self, batch: DetectorBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the loss of a batch.

        Args:
            batch: Pictures, their targets and what was proposed in them, if need be.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        losses: dict[str, Tensor] = self.detector(*batch)
        loss = torch.stack(list(losses.values())).sum()
        self.log_dict(
            {"loss": loss.detach()} | {name: value.detach() for name, value in losses.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(batch[0]),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make AdamW, and the learning rate's schedule by steps."""
        optimizer = torch.optim.AdamW(
            self.detector.parameters(),
            lr=self._training.learning_rate,
            weight_decay=self._training.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: cosine_rate(step, steps=self._steps, warmup=self._warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def train_detector(
    photos: Sequence[BoxedPhoto],
    settings: DetectorSettings,
    training: DetectorTraining | None = None,
    *,
    out: Path,
    backbone: nn.Module | None = None,
    monitor: Monitor | None = None,
) -> Detector:
    """Train a detector, from the last checkpoint in the folder if there is one.

    Args:
        photos: With all of their items boxed and labelled.
        settings: Of the detector.
        training: None for the default.
        out: Where checkpoints and the log go.
        backbone: With the weights to begin with; None for random ones.
        monitor: Hears how it goes, and may stop it.

    Returns:
        The detector, in evaluation mode.

    Raises:
        ValueError: If there is no photo, or `negative` is above what `positive` comes to.
        ModelError: If the backbone has no such stages to freeze.
        PictureError: If a photo cannot be read.
        TrainingStopped: If the monitor asked to stop.
        TrainingError: If a loss is not finite, or the checkpoint cannot be used.
    """
    training = training or DetectorTraining()
    positive = training.positive or (POSITIVE if settings.edge_boxes is None else OUTSIDE_POSITIVE)
    negative = training.negative or positive
    if negative > positive:
        raise ValueError(f"negative must be at most positive, got {negative} and {positive}")
    batches = DetectorBatches(
        photos, settings, batch=training.batch, mirrored=training.mirrored, seed=training.seed
    )
    torch.manual_seed(training.seed)
    detector = build_detector(settings, backbone, positive=positive, negative=negative)
    assert isinstance(detector.backbone, MapBackbone)
    freeze_stages(detector.backbone.body, training.frozen_stages)
    out.mkdir(parents=True, exist_ok=True)
    steps = training.epochs * len(batches)
    module = DetectorModule(detector, training, steps=steps, warmup=min(WARMUP, len(batches)))
    fit(
        module,
        batches,
        out,
        FitSettings(epochs=training.epochs, gradient_clip=LARGEST_GRADIENT, seed=training.seed),
        pictures_per_batch=training.batch,
        monitor=monitor or Monitor(),
    )
    return detector.eval()
