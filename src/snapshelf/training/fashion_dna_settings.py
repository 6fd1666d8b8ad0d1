"""The settings of a training of FashionDNA."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.training.mtv_settings import Optimizer, Precision, Schedule
from snapshelf.training.ranges import above_zero, at_least, check_running, check_weights, one_of

__all__ = ["FashionDnaSettings"]

LARGEST_SIDE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FashionDnaSettings:
    """How the static features of articles are learned from their title pictures.

    The paper (Lasserre, Rasch, Vollgraf: Studio2Shop, appendix) prints the network and its
    attributes, one cross-entropy for each, and nothing of the optimiser, the epochs or any
    augmentation: those are this project's choice.

    Attributes:
        backbone: A timm name, ``torchvision/NAME``, or the paper's convolutions,
            ``snapshelf/fashion-dna``.
        weights: A safetensors file of the backbone's, ``"hub"`` for the published ones, or
            ``"random"`` for none. None: for the paper's convolutions none, for ``mobilenetv2_100``
            those of the system `mobilenetv2`, else ``"hub"``.
        options: Keyword arguments of the backbone.
        size: (height, width) of the inputs in pixels, each in [16, 1024].
        grid: (rows, columns) of the map that the layer *fDNA* reads, each at least 1.
        fc1: Length of the layer *fDNA*, at least 1.
        branch: Length of the first layer of an attribute's branch; 0 for the paper's, twice as
            many as the attribute has values and at most 1,024.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`.
        dropout: In [0, 1), the part of the layer *fDNA* that is left out in training.
        attributes: The attributes to learn, by name; none for all that there are.
        balanced: Whether the values of an attribute weigh inversely to how often they are.
        dimension: Length of an article's features after the PCA, at least 1.
        projection_pictures: Title pictures that the PCA is fitted to at most, at least 2.
        epochs: At least 1.
        batch: Pictures in a batch, at least 1.
        pictures_per_epoch: At least 1; None for as many as there are title pictures.
        sources: A weight above 0 for each data set by its name; empty for equal parts.
        augmentation: Whether pictures are changed by domain-shift augmentation, as shop pictures.
        domain_shift: Settings of the augmentation that differ from their defaults; see
            `DomainShift`.
        backgrounds: As all systems have it; title pictures are shown on none.
        optimizer: ``sgd`` or ``adamw``.
        momentum: Of SGD, in [0, 1).
        learning_rate: Above 0.
        branch_rate: Above 0; the branches learn at this many times the learning rate.
        weight_decay: At least 0.
        schedule: ``constant``, or falling as a ``cosine`` to 0.
        warmup_epochs: At least 0, at most `epochs`.
        gradient_clip: Above 0, the largest norm of the gradient; None for no limit.
        precision: Of the arithmetic, in Lightning's words.
        devices: Number of devices, at least 1.
        num_workers: Processes that make pictures, at least 0; None to choose by the cores.
        picture_side: Largest side in pixels that pictures are kept at; None for twice the larger
            of `size`.
        picture_memory_mb: Pictures beyond this many megabytes are kept on disk, at least 0.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last, at least 0.
        seed: At least 0; decides the initial weights and the views.
    """

    backbone: str = "snapshelf/fashion-dna"
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, ...] = (256, 177)
    grid: tuple[int, ...] = (7, 5)
    fc1: int = 1536
    branch: int = 0
    batch_norm: BatchNorm = "fold"
    dropout: float = 0.0

    attributes: tuple[str, ...] = ()
    balanced: bool = False

    dimension: int = 128
    projection_pictures: int = 20_000

    epochs: int = 20
    batch: int = 32
    pictures_per_epoch: int | None = None
    sources: Mapping[str, float] = field(default_factory=dict)
    augmentation: bool = True
    domain_shift: Mapping[str, Any] = field(default_factory=dict)
    backgrounds: str | None = None

    optimizer: Optimizer = "adamw"
    momentum: float = 0.9
    learning_rate: float = 3e-4
    branch_rate: float = 1.0
    weight_decay: float = 5e-4
    schedule: Schedule = "cosine"
    warmup_epochs: float = 1.0
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
        if len(self.size) != 2 or not all(16 <= side <= LARGEST_SIDE for side in self.size):
            raise ValueError(
                f"size must be (height, width) within [16, {LARGEST_SIDE}], got {self.size}"
            )
        if len(self.grid) != 2 or min(self.grid) < 1:
            raise ValueError(f"grid must be (rows, columns) of at least 1, got {self.grid}")
        one_of(self, BATCH_NORMS, "batch_norm")
        if not 0 <= self.warmup_epochs <= self.epochs:
            raise ValueError(
                f"warmup_epochs must be in [0, {self.epochs}], got {self.warmup_epochs}"
            )
        at_least(self, 1, "fc1", "dimension", "epochs", "batch", "pictures_per_epoch")
        at_least(self, 2, "projection_pictures")
        at_least(self, 0, "branch")
        above_zero(self, "branch_rate")
        check_running(self)
        check_weights("sources", self.sources)

    @property
    def stored_side(self) -> int:
        """Largest side in pixels that pictures are kept at."""
        return self.picture_side or 2 * max(self.size)
