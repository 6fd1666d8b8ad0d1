"""The settings of a training of `mtv`: the published recipe, and every ablation of its tables."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.features.pooling import POOLINGS
from snapshelf.training.ranges import (
    above_zero,
    at_least,
    below_one,
    check_running,
    check_weights,
    in_range,
    one_of,
)

__all__ = ["MtvSettings", "Side", "Stage"]

Side = Literal["street", "shop", "any"]
Loss = Literal["ratio", "hinge", "contrastive"]
Optimizer = Literal["adamw", "sgd"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A run of epochs whose negatives come from one kind of pool.

    Attributes:
        epochs: At least 1.
        share: In (0, 1]: negatives come from this part of the other items that is nearest to
            the anchor's; None for all of them.
        weighting: Whether triplets are weighted by their attributes' distance (Eq. 8-10). Only
            with a share.
        refresh_epochs: After so many epochs the items are embedded again and the pool made
            anew, at least 1; None for once, at the stage's beginning.
    """

    epochs: int = 10
    share: float | None = None
    weighting: bool = False
    refresh_epochs: int | None = 2

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        at_least(self, 1, "epochs")
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError(f"share must be in (0, 1], got {self.share}")
        if self.weighting and self.share is None:
            raise ValueError("weighting needs a share: only negatives of a pool are weighted")
        if self.refresh_epochs is not None:
            at_least(self, 1, "refresh_epochs")


PUBLISHED_STAGES = (Stage(epochs=10), Stage(epochs=10, share=0.4, weighting=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class MtvSettings:
    """How an MTV-CNN is made and trained; the defaults are those of the paper.

    The paper (Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Section 5) has a VGG16, inputs of
    224 pixels and does not say how many epochs its second stage took; the backbone, `size` and
    the second stage's 10 epochs are this project's choice.

    Attributes:
        backbone: A timm name, or ``torchvision/NAME``.
        weights: A safetensors file of the backbone's, ``"hub"`` for the published ones, or
            ``"random"`` for none. None: for ``mobilenetv2_100`` those of the system `mobilenetv2`,
            else ``"hub"``.
        options: Keyword arguments of the backbone.
        pooling: A name of `POOLINGS`.
        size: Side of the square inputs of the finished network in pixels, in [16, 1024].
        training_size: Side of the inputs that it learns on, in [16, 1024]; None for `size`. No part
            of the paper: things stand larger in augmented views than in whole pictures, so a
            network does best on pictures larger than it learned on (Touvron et al., Fixing the
            train-test resolution discrepancy, 2019).
        dimension: Length of the embedding, at least 1.
        normalised: Whether pooled features are L2-normalised before the embedding.
        principal_start: Whether the embedding begins at the principal axes of the backbone's
            features, or, as published, at random.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`.
        frozen_stages: At least 0; so many of the backbone's first stages stay as they are, which is
            faster. Above 0 only for the MobileNet and EfficientNet family. No part of the paper.
        dropout: In [0, 1), the part of the pooled features that is left out in training. No part
            of the paper.
        mirrored: Whether the finished network adds the embedding of a picture's mirror image to
            the picture's own, at twice the cost. No part of the paper.
        loss: ``ratio`` (Eq. 3), or the baselines ``hinge`` (a triplet network) and
            ``contrastive`` (a Siamese network: anchor and positive, anchor and negative).
        batch_negatives: Whether the ratio loss compares each anchor with the positives of the
            batch's other products too, and not with its own negative alone. No part of the paper.
        margin: Above 0, of the hinge loss: how much farther a negative is to be than the positive.
        contrastive_margin: Above 0, of the contrastive loss: how far a negative is to be.
        embedding_scale: None to compare embeddings as they come, as published. A number above 0 to
            L2-normalise them: triplets then compare them times this, views as they are.
        attribute_prediction: Whether the auxiliary task AP takes part (Eq. 4-5).
        view_invariance: Whether the auxiliary task VI takes part (Eq. 6).
        alpha_v: At least 0, weight of the view-invariance loss.
        beta_a: At least 0, weight of the attribute loss.
        views: Pictures in a positive bag (n_d), at least 1.
        stages: At least one.
        w1: Distance of attribute values of one group (Eq. 9).
        w2: Distance of attribute values of two groups (Eq. 9).
        w3: Distance where a value is not known; see `attribute_distances`.
        minimum_weight: At least 0; smaller triplet weights are raised to it.
        normalise_weights: Whether triplet weights are divided by their mean.
        draws_per_item: Negatives kept for each item at a refresh, at least 1.
        locator: The folder of a locator, see `locator_from_folder`: street photos are cropped to
            its likeliest region, in training and in search, where they have no plain border. It is
            copied into the system's folder. None for whole pictures.
        anchors: The side that anchors come from.
        positives: The side that positives and bags come from.
        negatives: The side that negatives come from.
        sources: A weight above 0 for each data set by its name: how large a part of the
            triplets it gets. Empty: one triplet for each of its anchor pictures.
        batch_triplets: Triplets (and bags) in a batch, at least 1.
        triplets_per_epoch: At least 1; None for one for each anchor picture.
        recoloured: In [0, 1], the part of the triplets whose hues are turned, which makes products
            that nobody has.
        augmentation: Whether pictures are changed by domain-shift augmentation.
        domain_shift: Settings of the augmentation that differ from their defaults; see
            `DomainShift`.
        backgrounds: A folder of photos that cut-out items are shown on; None: drawn clutter.
        optimizer: ``sgd``, as published, or ``adamw``.
        momentum: Of SGD, in [0, 1).
        learning_rate: Above 0.
        embedding_rate: Above 0; the embedding and attribute heads, which start from random
            weights, learn at this many times the learning rate.
        weight_decay: At least 0.
        schedule: The learning rate stays ``constant``, as published, or falls as a ``cosine``
            to 0 over all stages.
        warmup_epochs: At least 0; the learning rate rises from 0 over this many epochs.
        gradient_clip: Above 0, the largest norm of the gradient; None for no limit.
        members: At least 1; so many trainings from one start, each with triplets of its own, whose
            weights are averaged, see `average_weights`. No part of the paper.
        start_share: In [0, 1), the part of the start in that average. No part of the paper.
        precision: Of the arithmetic, in Lightning's words.
        devices: Number of devices, at least 1.
        num_workers: Processes that make pictures, at least 0; None to choose by the cores.
        picture_side: Largest side in pixels that pictures are kept at; None for twice what
            is learned on.
        picture_memory_mb: Pictures beyond this many megabytes are kept on disk, at least 0.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last, at least 0.
        seed: At least 0; decides the initial weights, triplets, views and negatives.
    """

    backbone: str = "mobilenetv2_100"
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    pooling: str = "gap"
    size: int = 128
    training_size: int | None = None
    dimension: int = 512
    normalised: bool = False
    principal_start: bool = False
    batch_norm: BatchNorm = "fold"
    frozen_stages: int = 0
    dropout: float = 0.0
    mirrored: bool = False

    loss: Loss = "ratio"
    batch_negatives: bool = False
    margin: float = 1.0
    contrastive_margin: float = 1.0
    embedding_scale: float | None = None
    attribute_prediction: bool = True
    view_invariance: bool = True
    alpha_v: float = 0.05
    beta_a: float = 0.05
    views: int = 3

    stages: tuple[Stage, ...] = PUBLISHED_STAGES
    w1: float = 0.7
    w2: float = 1.5
    w3: float = 0.4
    minimum_weight: float = 0.0
    normalise_weights: bool = False
    draws_per_item: int = 64

    locator: str | None = None
    anchors: Side = "street"
    positives: Side = "shop"
    negatives: Side = "shop"
    sources: Mapping[str, float] = field(default_factory=dict)
    batch_triplets: int = 8
    triplets_per_epoch: int | None = None
    recoloured: float = 0.0
    augmentation: bool = True
    domain_shift: Mapping[str, Any] = field(default_factory=dict)
    backgrounds: str | None = None

    optimizer: Optimizer = "sgd"
    momentum: float = 0.9
    learning_rate: float = 1e-3
    embedding_rate: float = 1.0
    weight_decay: float = 1e-4
    schedule: Schedule = "constant"
    warmup_epochs: float = 0.0
    gradient_clip: float | None = None

    members: int = 1
    start_share: float = 0.0
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
        in_range(self, 16, 1024, "size", "training_size")
        in_range(self, 0, 1, "recoloured")
        one_of(self, POOLINGS, "pooling")
        one_of(self, BATCH_NORMS, "batch_norm")
        if self.batch_negatives and self.loss != "ratio":
            raise ValueError(f"batch_negatives needs the loss 'ratio', got {self.loss!r}")
        if not self.stages:
            raise ValueError("stages must hold at least one stage, got none")
        if not 0 <= self.w1 <= self.w2 < math.inf:
            raise ValueError(f"expected finite 0 <= w1 <= w2, got w1={self.w1}, w2={self.w2}")
        below_one(self, "start_share")
        if self.warmup_epochs > self.epochs:
            raise ValueError(
                f"warmup_epochs must be at most the {self.epochs} epochs of all stages, "
                f"got {self.warmup_epochs}"
            )
        if self.averages and self.batch_norm == "train":
            raise ValueError(
                "batch_norm must be 'fold' or 'freeze' where weights are averaged, got 'train': "
                "the average has other statistics"
            )
        at_least(self, 1, "members", "dimension", "views", "draws_per_item", "batch_triplets")
        at_least(self, 1, "triplets_per_epoch")
        at_least(self, 0, "alpha_v", "beta_a", "w3", "minimum_weight", "warmup_epochs")
        at_least(self, 0, "frozen_stages")
        above_zero(self, "margin", "contrastive_margin", "embedding_scale", "embedding_rate")
        check_running(self)
        check_weights("sources", self.sources)

    @property
    def epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def averages(self) -> bool:
        """Whether the finished network is an average."""
        return self.members > 1 or self.start_share > 0

    def as_members(self) -> "tuple[MtvSettings, ...]":
        """Give the settings of each training, every one with a seed that no other has."""
        return tuple(
            dataclasses.replace(self, members=1, seed=self.seed * self.members + number)
            for number in range(self.members)
        )

    @property
    def training_side(self) -> int:
        """Side in pixels of the inputs that are learned on."""
        return self.training_size or self.size

    @property
    def stored_side(self) -> int:
        """Largest side in pixels that pictures are kept at."""
        return self.picture_side or 2 * self.training_side

    def stage_at(self, epoch: int) -> tuple[int, int]:
        """Say which stage an epoch belongs to.

        Args:
            epoch: Counted from 0 over all stages.

        Returns:
            The stage's number, and the epoch's number within it, both from 0.

        Raises:
            ValueError: If there is no such epoch.

        Example:
            >>> MtvSettings().stage_at(12)
            (1, 2)
        """
        first = 0
        for number, stage in enumerate(self.stages):
            if first <= epoch < first + stage.epochs:
                return number, epoch - first
            first += stage.epochs
        raise ValueError(f"epoch must be in [0, {first}), got {epoch}")
