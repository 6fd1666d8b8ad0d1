"""The settings of a training of Studio2Shop's query network and matcher."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.matching.studio_reranking import EVERY
from snapshelf.training.fashion_dna_settings import FashionDnaSettings
from snapshelf.training.mtv_settings import Optimizer, Precision, Schedule
from snapshelf.training.ranges import above_zero, at_least, check_running, one_of

__all__ = [
    "ARCHITECTURES",
    "LOSSES",
    "MATCHINGS",
    "STARTS",
    "Architecture",
    "Loss",
    "Matching",
    "Start",
    "StudioSettings",
]

Architecture = Literal["query-network", "static", "two-networks"]
ARCHITECTURES: tuple[str, ...] = get_args(Architecture)
"""What gives features: Table 2, *global architecture*, ``ours``, ``static`` and ``siamese``."""

Matching = Literal["non-linear", "linear"]
MATCHINGS: tuple[str, ...] = get_args(Matching)
"""How a photo's and an article's features are matched: Table 2, *query-article-matching*."""

Loss = Literal["cross-entropy", "ranking"]
LOSSES: tuple[str, ...] = get_args(Loss)
"""What is minimised: Eq. 2 or Eq. 3."""

Start = Literal["articles", "random"]
STARTS: tuple[str, ...] = get_args(Start)
"""Where the query network and the non-linear match begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioSettings:
    """How photos learn to find articles, whose features stay as they are.

    The paper (Lasserre, Rasch, Vollgraf: Studio2Shop, Section 4) prints the networks, the
    batches and the losses, and nothing of the optimiser, the epochs or any augmentation: those
    are this project's choice.

    Attributes:
        articles: Name or folder of the system whose shop side gives the articles' features; none
            to train FashionDNA.
        vectors: A file of the articles' own features by product ID, in the place of a system: see
            `ArticleVectors`.
        fashion_dna: How FashionDNA is trained, where it is.
        architecture: What gives features. ``query-network``: those of photos a network that is
            trained, those of articles the articles' system. ``static``: those of both the
            articles' system, and only the match is trained. ``two-networks``: a network for each
            side, both trained, with no weights in common and no articles' system.
        dimension: Length of the features of ``two-networks``, at least 1; otherwise they are as
            long as the articles'.
        attribute_weight: At least 0, of the loss of ``two-networks`` that has each side's features
            tell an article's attributes.
        backbone: A timm name, or ``torchvision/NAME``; the paper's is VGG16.
        weights: A safetensors file of the backbone's, ``"hub"`` for the published ones, or
            ``"random"`` for none. None: for ``mobilenetv2_100`` those of the system `mobilenetv2`,
            else ``"hub"``.
        options: Keyword arguments of the backbone.
        size: (height, width) of the photos in pixels, each in [16, 1024].
        grid: (rows, columns) that the backbone's map is averaged to; none for the map as it is.
        hidden: Length of the two dense layers, at least 1.
        dropout: In [0, 1), the part of each that is left out in training.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`.
        matching: ``non-linear``, or ``linear`` for the dot product.
        depth: Articles that the linear match chooses for the non-linear one; as many as there
            are, or more, for all of them. 0 for all, and then no linear match is trained.
        matcher_hidden: Length of the two layers of the non-linear match, at least 1.
        start: ``articles``, for photos' features that begin as what the articles' system makes of
            photos, and a match that begins as a distance, see `studio_start`; ``random``. With
            `vectors` photos' features begin as the regression of their articles'. Two networks
            begin at random.
        loss: ``cross-entropy``, or ``ranking`` with one right article at a time.
        compared: Articles that a photo is compared with, at least 2.
        epochs: At least 1.
        batch: Photos in a batch, at least 1.
        photos_per_epoch: At least 1; None for each once.
        whole_photos: Whether a photo is one query with all articles that it shows, as in the
            paper. If not, each part that the data set tells of is a query with what it shows.
        augmentation: Whether photos are changed by domain-shift augmentation, as street pictures.
            In a data set without photos the articles' own pictures then are the queries, in street
            views that are drawn of them. None: where a data set has no photos.
        domain_shift: Settings of the augmentation that differ from their defaults; see
            `DomainShift`.
        backgrounds: A folder of photos that cut-out items are shown on; None: drawn clutter.
        optimizer: ``sgd`` or ``adamw``.
        momentum: Of SGD, in [0, 1).
        learning_rate: Above 0.
        head_rate: Above 0; what starts from random weights learns at this many times the learning
            rate: the match and the dense layers. Where photos begin with their articles' features,
            of the dense layers only the last.
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
        seed: At least 0; decides the initial weights, the views and the articles.
    """

    articles: str | None = None
    vectors: str | None = None
    fashion_dna: FashionDnaSettings = field(default_factory=FashionDnaSettings)
    architecture: Architecture = "query-network"
    dimension: int = 128
    attribute_weight: float = 1.0
    backbone: str = "mobilenetv2_100"
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, ...] = (224, 155)
    grid: tuple[int, ...] = ()
    hidden: int = 2048
    dropout: float = 0.5
    batch_norm: BatchNorm = "fold"

    matching: Matching = "non-linear"
    depth: int = 1000
    matcher_hidden: int = 256
    start: Start = "articles"
    loss: Loss = "cross-entropy"
    compared: int = 50

    epochs: int = 10
    batch: int = 64
    photos_per_epoch: int | None = None
    whole_photos: bool = True
    augmentation: bool | None = None
    domain_shift: Mapping[str, Any] = field(default_factory=dict)
    backgrounds: str | None = None

    optimizer: Optimizer = "adamw"
    momentum: float = 0.9
    learning_rate: float = 1e-4
    head_rate: float = 10.0
    weight_decay: float = 1e-4
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
        if self.articles == "":
            raise ValueError("articles must be the name or folder of a system, got ''")
        if len(self.size) != 2 or not all(16 <= side <= 1024 for side in self.size):
            raise ValueError(f"size must be (height, width) within [16, 1024], got {self.size}")
        if len(self.grid) not in (0, 2) or min(self.grid, default=1) < 1:
            raise ValueError(f"grid must be none or (rows, columns) from 1, got {self.grid}")
        one_of(self, BATCH_NORMS, "batch_norm")
        one_of(self, ARCHITECTURES, "architecture")
        one_of(self, MATCHINGS, "matching")
        one_of(self, STARTS, "start")
        one_of(self, LOSSES, "loss")
        if self.vectors is not None and (
            self.articles is not None or self.architecture != "query-network"
        ):
            raise ValueError(
                "vectors must be left out where a system of articles is named or the architecture "
                f"is not 'query-network', got {self.vectors!r}"
            )
        if self.architecture == "static" and self.matching == "linear":
            raise ValueError(
                "matching must be 'non-linear' where the architecture is 'static', got 'linear': "
                "there is nothing to train, the articles' system finds as it is"
            )
        if self.architecture == "two-networks" and self.matching != "linear":
            raise ValueError(
                "matching must be 'linear' where the architecture is 'two-networks', got "
                f"{self.matching!r}"
            )
        if not 0 <= self.warmup_epochs <= self.epochs:
            raise ValueError(
                f"warmup_epochs must be in [0, {self.epochs}], got {self.warmup_epochs}"
            )
        at_least(self, 2, "compared")
        at_least(self, 0, "depth", "attribute_weight")
        if self.depth > EVERY:
            raise ValueError(f"depth must be at most {EVERY}, got {self.depth}")
        at_least(self, 1, "dimension")
        at_least(self, 1, "hidden", "matcher_hidden", "epochs", "batch", "photos_per_epoch")
        above_zero(self, "head_rate")
        check_running(self)

    @property
    def stored_side(self) -> int:
        """Largest side in pixels that pictures are kept at."""
        return self.picture_side or 2 * max(self.size)
