"""The settings of a training of `compact`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshelf.features.pooling import POOLINGS
from snapshelf.training.mtv_settings import Precision
from snapshelf.training.ranges import above_zero, at_least, check_weights, in_range

__all__ = ["CompactSettings", "Phase"]

SIZES = (32, 1024)
"""Smallest and largest side of inputs in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A run of epochs across domains at one resolution.

    Attributes:
        size: Side of the views in pixels, in [32, 1024].
        epochs: At least 1.
        learning_rate: Above 0, where the phase begins; it falls to 0 along a cosine.
        generated: In [0, 1], the part of the street views that are made from shop pictures though
            there are street photos.
        recoloured: In [0, 1], the part of the pairs whose hues are turned.
    """

    size: int = 128
    epochs: int = 10
    learning_rate: float = 5e-4
    generated: float = 0.25
    recoloured: float = 0.6

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        in_range(self, *SIZES, "size")
        at_least(self, 1, "epochs")
        above_zero(self, "learning_rate")
        in_range(self, 0, 1, "generated", "recoloured")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactSettings:
    """How the compact encoder is made.

    Attributes:
        backbone: A timm name of the MobileNet or EfficientNet family, for teacher and student.
        weights: Of the teacher: a safetensors file, or ``"hub"`` for the published ones. None: for
            ``mobilenetv2_100`` a file that is at hand, else ``"hub"``.
        options: Keyword arguments of the backbone.
        teacher: The folder of a trained network that teaches, as ``snapshelf train mtv`` writes it;
            `backbone`, `weights`, `options` and `pooling` are then its own, and the student's
            embedding begins as its. None: the weights.
        pooling: A name of `POOLINGS`.
        dimension: Length of the embedding, at least 1.
        size: Side of the square inputs that the finished encoder takes, in [32, 1024] pixels.
        mirrored: Whether the finished encoder adds the embedding of a picture's mirror image to the
            picture's own, at twice the cost.
        hint_size: Side of the views that hints are learned on, in [32, 1024] pixels.
        hint_epochs: Epochs of learning from the teacher, at least 1.
        hint_views: Views in such an epoch, at least 1.
        hint_batch: Views in a batch, at least 2.
        hint_rate: Above 0, learning rate of the hints.
        hint_factors: Above 0, of that rate, for the first stages; the last is for all others.
        hint_sources: A weight for each data set by its name; empty for equal parts.
        hint_street: In [0, 1], the part of the views that are of the street side.
        phases: Across domains, at least one.
        phase_batches: Batches in an epoch of a phase, at least 1.
        batch_pairs: Pairs in a batch, at least 2.
        sources: A weight for each data set by its name: its part of a batch; empty for equal parts.
        temperature: Above 0, of the similarities in the loss.
        weight_decay: At least 0.
        warmup_batches: At least 0, over which the learning rate of hints and phases rises.
        domain_shift: Settings of the augmentation that differ from their defaults; see
            `DomainShift`.
        backgrounds: A folder of photos that cut-out items are shown on; None: drawn clutter.
        precision: Of the arithmetic, in Lightning's words.
        devices: Number of devices, at least 1.
        num_workers: Processes that make pictures, at least 0; None to choose by the cores.
        picture_side: Largest side in pixels that pictures are kept at, at least 1.
        picture_memory_mb: Pictures beyond this many megabytes are kept on disk, at least 0.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last, at least 0.
        seed: At least 0; decides the initial weights and the views.
    """

    backbone: str = "mobilenetv2_100"
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    teacher: str | None = None
    pooling: str = "gap"
    dimension: int = 256
    size: int = 192
    mirrored: bool = False

    hint_size: int = 128
    hint_epochs: int = 40
    hint_views: int = 4800
    hint_batch: int = 48
    hint_rate: float = 4e-3
    hint_factors: tuple[float, ...] = (100.0, 25.0, 10.0, 5.0, 4.0, 2.0, 1.5, 4.0)
    hint_sources: Mapping[str, float] = field(default_factory=dict)
    hint_street: float = 0.75

    phases: tuple[Phase, ...] = (Phase(),)
    phase_batches: int = 100
    batch_pairs: int = 48
    sources: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 0.07
    weight_decay: float = 1e-4
    warmup_batches: int = 50
    domain_shift: Mapping[str, Any] = field(default_factory=dict)
    backgrounds: str | None = None

    precision: Precision = "32-true"
    devices: int = 1
    num_workers: int | None = None
    picture_side: int = 320
    picture_memory_mb: int = 4096
    keep_checkpoints: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {self.pooling!r}")
        if not self.phases:
            raise ValueError("phases must hold at least one phase, got none")
        if not self.hint_factors or not all(0 < one < math.inf for one in self.hint_factors):
            raise ValueError(
                "hint_factors must be at least one number, finite and above 0, "
                f"got {self.hint_factors}"
            )
        in_range(self, *SIZES, "size", "hint_size")
        at_least(self, 2, "hint_batch", "batch_pairs")
        at_least(self, 1, "dimension", "hint_epochs", "phase_batches", "devices", "picture_side")
        at_least(self, 0, "warmup_batches", "weight_decay", "num_workers", "picture_memory_mb")
        at_least(self, 0, "keep_checkpoints", "seed")
        above_zero(self, "hint_rate", "temperature")
        in_range(self, 0, 1, "hint_street")
        if self.hint_views < self.hint_batch:
            raise ValueError(
                f"hint_views must be at least hint_batch ({self.hint_batch}), got {self.hint_views}"
            )
        check_weights("sources", self.sources)
        check_weights("hint_sources", self.hint_sources)

    @property
    def augmentation(self) -> bool:
        """Always true: pairs of most products are made by augmentation alone."""
        return True

    @property
    def stored_side(self) -> int:
        """Largest side in pixels that pictures are kept at."""
        return self.picture_side
