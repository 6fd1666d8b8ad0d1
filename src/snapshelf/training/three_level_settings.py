"""The settings of a training of `three-level`: the published system, and every level left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.features.level_weights import LevelWeights
from snapshelf.locating.grid_parts import GridParts
from snapshelf.training.mtv_settings import Optimizer, Precision, Schedule
from snapshelf.training.ranges import (
    above_zero,
    at_least,
    check_running,
    check_weights,
    in_range,
    one_of,
)

__all__ = ["ThreeLevelSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeLevelSettings:
    """How the two SAG-CNNs and the two projections are made.

    The paper (Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature
    Representation, Section III) has AlexNet with inputs of 227 pixels and tells the lengths of
    the features and which pictures are trained on, but nothing of the optimiser, the epochs or the
    branches' inner lengths: those are this project's choice.

    Attributes:
        backbone: A timm name, or ``torchvision/NAME``; the paper's is ``torchvision/alexnet``.
        weights: A safetensors file of the backbone's, ``"hub"`` for the published ones, or
            ``"random"`` for none. None: for ``mobilenetv2_100`` those of the system `mobilenetv2`,
            else ``"hub"``.
        options: Keyword arguments of the backbone.
        size: Side of the square inputs, of patches and in training, in pixels, in [16, 1024].
        fc1: Length of FC1, at least 1; None for the published one's, or, where the backbone has no
            published FC1, for as many numbers as it has channels: FC1 then begins as the pooled
            features themselves.
        branch: Length of the first layer of an attribute's branch, at least 1.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`.
        dropout: In [0, 1), the part of FC1 that is left out in training.
        attributes: The attributes to learn, by name; none for all that there are.
        balanced: Whether the values of an attribute weigh inversely to how often they are, as in
            MTV-CNN; the paper tells of no such weights.
        levels: How much each level counts; 0 leaves it out.
        locator: The folder of a locator, whose first region of a photo is level 2; None takes the
            whole picture. Pictures on a plain background stay whole.
        part_model: The folder of a deformable part model, whose parts are level 3; None for a grid.
        parts: The grid of the parts, where there is no part model.
        projected: Whether the levels are shortened by PCAs, as published, or compared as they are.
        parts_dimension: Length of level 3 after its PCA, at least 1.
        dimension: Length of an embedding after the last PCA, at least 1.
        projection_pictures: Pictures of a side that the PCAs are fitted to at most, at least 2.
        regions: Regions of a street photo that are trained on, the most confident first, at least
            1. A locator that takes the whole picture gives one.
        street_epochs: Of the street side's network, at least 1.
        shop_epochs: Of the shop side's network, at least 1.
        batch: Pictures in a batch, at least 1.
        pictures_per_epoch: At least 1; None for as many as the side has.
        sources: A weight above 0 for each data set by its name; empty for equal parts.
        augmentation: Whether pictures are changed by domain-shift augmentation.
        domain_shift: Settings of the augmentation that differ from their defaults; see
            `DomainShift`.
        backgrounds: A folder of photos that cut-out items are shown on; None: drawn clutter.
        optimizer: ``sgd`` or ``adamw``.
        momentum: Of SGD, in [0, 1).
        learning_rate: Above 0.
        branch_rate: Above 0; the branches, which start from random weights, learn at this many
            times the learning rate.
        weight_decay: At least 0.
        schedule: ``constant``, or falling as a ``cosine`` to 0.
        warmup_epochs: At least 0; the learning rate rises from 0 over this many epochs.
        gradient_clip: Above 0, the largest norm of the gradient; None for no limit.
        precision: Of the arithmetic, in Lightning's words.
        devices: Number of devices, at least 1.
        num_workers: Processes that make pictures, at least 0; None to choose by the cores.
        picture_side: Largest side in pixels that pictures are kept at; None for twice `size`.
        picture_memory_mb: Pictures beyond this many megabytes are kept on disk, at least 0.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last, at least 0.
        seed: At least 0; decides the initial weights and the views.
    """

    backbone: str = "mobilenetv2_100"
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size: int = 128
    fc1: int | None = None
    branch: int = 256
    batch_norm: BatchNorm = "fold"
    dropout: float = 0.5

    attributes: tuple[str, ...] = ()
    balanced: bool = False

    levels: LevelWeights = field(default_factory=LevelWeights)
    locator: str | None = None
    part_model: str | None = None
    parts: GridParts = field(default_factory=GridParts)
    projected: bool = True
    parts_dimension: int = 1024
    dimension: int = 1024
    projection_pictures: int = 3000

    regions: int = 5
    street_epochs: int = 10
    shop_epochs: int = 10
    batch: int = 32
    pictures_per_epoch: int | None = None
    sources: Mapping[str, float] = field(default_factory=dict)
    augmentation: bool = True
    domain_shift: Mapping[str, Any] = field(default_factory=dict)
    backgrounds: str | None = None

    optimizer: Optimizer = "sgd"
    momentum: float = 0.9
    learning_rate: float = 1e-3
    branch_rate: float = 10.0
    weight_decay: float = 5e-4
    schedule: Schedule = "cosine"
    warmup_epochs: float = 0.0
    gradient_clip: float | None = None

    precision: Precision = "32-true"
    devices: int = 1
    num_workers: int | None = None
    picture_side: int | None = None
    picture_memory_mb: int = 2048
    keep_checkpoints: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        in_range(self, 16, 1024, "size")
        one_of(self, BATCH_NORMS, "batch_norm")
        shorter = min(self.street_epochs, self.shop_epochs)
        if self.warmup_epochs > shorter:
            raise ValueError(
                f"warmup_epochs must be at most the {shorter} epochs of each network, "
                f"got {self.warmup_epochs}"
            )
        at_least(self, 1, "fc1", "branch", "parts_dimension", "dimension", "regions")
        at_least(self, 1, "street_epochs", "shop_epochs", "batch", "pictures_per_epoch")
        at_least(self, 2, "projection_pictures")
        at_least(self, 0, "warmup_epochs")
        above_zero(self, "branch_rate")
        check_running(self)
        check_weights("sources", self.sources)

    @property
    def stored_side(self) -> int:
        """Largest side in pixels that pictures are kept at."""
        return self.picture_side or 2 * self.size
