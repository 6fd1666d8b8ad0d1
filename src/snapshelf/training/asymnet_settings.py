"""The settings of a training of AsymNet's networks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.features.image_feature_network import PYRAMIDS, Pyramid
from snapshelf.features.video_feature_network import MOST_LEVELS
from snapshelf.matching.fusion_tree import FusionTree
from snapshelf.training.mtv_settings import Optimizer, Precision, Schedule
from snapshelf.training.ranges import above_zero, at_least, below_one, in_range, one_of

__all__ = ["FUSIONS", "PAIRS", "AsymNetSettings", "Fusion", "Pairs"]

Fusion = Literal["posterior", "mixture", "back-propagation", "key-volume", "none"]
FUSIONS: tuple[str, ...] = get_args(Fusion)
"""How the similarities of a trajectory's steps learn to be fused. ``posterior``: Eq. 10 and 11,
in alternation with the single similarity network, whose steps learn each by itself. ``mixture``:
likewise, but a step of a right pair learns as much as the posteriors say that it has to do with the
answer, no part of the paper. ``back-propagation``: all of it from the global similarity, no part of
the paper. ``key-volume``: one step that is drawn, its baseline KVM. ``none``: for its baselines
Avg, Max and Last."""

Pairs = Literal["approximate", "plain"]
PAIRS: tuple[str, ...] = get_args(Pairs)
"""Whether a trajectory's hidden states are computed once for all its pairs, or for each anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsymNetSettings:
    """How clips learn to find products.

    The paper (Cheng, Wu, Liu, Hua: Video2Shop) prints the networks and the way of training, and
    neither n, S, the learning rates nor the epochs, of which Fig. 4 shows some: those are this
    project's choice.

    Attributes:
        features: Name or folder of a system without a re-ranker, whose embeddings are the
            features and stay as they are; None for the image network that `backbone` tells of.
        frozen: Whether that network stays as it is too. Then it is the backbone with its last map
            averaged, as any backbone is a system, and the features of all clips are made once.
            Else it is the paper's, with a pyramid and dense layers, and all of it is trained.
        clips: Training clips of each product at most, at least 1, where a data set has more.
        backbone: A timm name, or ``torchvision/NAME``; the paper's is VGG16.
        weights: A safetensors file of the backbone's, ``"hub"`` for the published ones, or
            ``"random"`` for none. None: for ``mobilenetv2_100`` those of the system `mobilenetv2`,
            else ``"hub"``.
        options: Keyword arguments of the backbone.
        size: (height, width) in pixels that regions are brought to in training, each in
            [16, 1024]. A finished network takes regions of any size.
        grids: Cells on a side of each grid of the spatial pyramid, each in [1, 64].
        pyramid: ``max`` or ``mean`` of each cell.
        dense: Lengths of the dense layers, at least one; the paper's are 4096 and 4096.
        dropout: In [0, 1), the part of each dense layer that is left out in training.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`.
        states: Length of a hidden state, at least 1.
        levels: Of LSTM, in [1, 4].
        hidden: Length of the single similarity network's first layer, at least 1.
        tree: Branches from the leaves to the root, such as ``2-4-4``; its leaves are the steps of
            a trajectory.
        fusion: One of `FUSIONS`.
        product_start: Whether the networks begin as a product of features, see
            `start_similarity`; the paper's begin at random.
        memory: In (0, 1), the part that a step has in the running mean that hidden states begin as.
        fusion_rate: Above 0, alpha of Eq. 10 and 11, whose sum is taken as a mean over the pairs.
        regularisation: At least 0, lambda of Eq. 5.
        pairs: One of `PAIRS`.
        batch: Trajectories in a batch, n, at least 1.
        positives: Right pictures of each, and as many wrong ones, S, at least 1.
        within_category: Whether wrong pictures are of the trajectory's own category.
        start: Folder of a trained AsymNet that the weights begin from; None for none.
        category: The one category that is learned, for a model of its own; None for all. With
            `start` it is fine-tuned from a general model, as the paper's are.
        depth: Candidates that a search compares, at least 1.
        epochs: At least 1.
        optimizer: ``sgd`` or ``adamw``.
        momentum: Of SGD, in [0, 1).
        learning_rate: Above 0.
        head_rate: Above 0; everything but the backbone learns at this many times the rate.
        video_rate: Above 0; the video network learns at this many times the rate of the similarity
            network. At the same rate it learns the products that it sees by heart.
        weight_decay: At least 0.
        schedule: ``constant``, or falling as a ``cosine`` to 0.
        warmup_epochs: At least 0, at most `epochs`.
        gradient_clip: Above 0, the largest norm of the gradient; None for no limit.
        precision: Of the arithmetic, in Lightning's words.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last, at least 0.
        seed: At least 0; decides the initial weights, the batches and the views.
    """

    features: str | None = None
    frozen: bool = True
    clips: int = 20
    backbone: str = "mobilenetv2_100"
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, ...] = (96, 96)
    grids: tuple[int, ...] = (3, 2, 1)
    pyramid: Pyramid = "max"
    dense: tuple[int, ...] = (512,)
    dropout: float = 0.5
    batch_norm: BatchNorm = "fold"

    states: int = 256
    levels: int = 2
    hidden: int = 256
    tree: str = "2-2-2-2-2"
    fusion: Fusion = "posterior"
    product_start: bool = True
    memory: float = 0.15
    fusion_rate: float = 0.1
    regularisation: float = 1e-5

    pairs: Pairs = "approximate"
    batch: int = 8
    positives: int = 8
    within_category: bool = False
    start: str | None = None
    category: str | None = None
    depth: int = 1000

    epochs: int = 4
    optimizer: Optimizer = "adamw"
    momentum: float = 0.9
    learning_rate: float = 2e-5
    head_rate: float = 10.0
    video_rate: float = 0.1
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup_epochs: float = 0.0
    gradient_clip: float | None = 1.0
    precision: Precision = "32-true"
    keep_checkpoints: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if len(self.size) != 2 or not all(16 <= side <= 1024 for side in self.size):
            raise ValueError(f"size must be (height, width) within [16, 1024], got {self.size}")
        if not self.grids or not all(1 <= cells <= 64 for cells in self.grids):
            raise ValueError(f"grids must be at least one number in [1, 64], got {self.grids}")
        if not self.dense or min(self.dense) < 1:
            raise ValueError(f"dense must be at least one length from 1, got {self.dense}")
        if "" in (self.start, self.category, self.features):
            raise ValueError("start, category and features must be left out or named, got ''")
        FusionTree.from_text(self.tree)
        one_of(self, PYRAMIDS, "pyramid")
        one_of(self, BATCH_NORMS, "batch_norm")
        one_of(self, FUSIONS, "fusion")
        one_of(self, PAIRS, "pairs")
        in_range(self, 1, MOST_LEVELS, "levels")
        in_range(self, 0, self.epochs, "warmup_epochs")
        at_least(self, 1, "states", "hidden", "batch", "positives", "epochs")
        at_least(self, 1, "clips", "depth")
        at_least(self, 0, "regularisation", "weight_decay", "keep_checkpoints", "seed")
        above_zero(self, "fusion_rate", "learning_rate", "head_rate", "video_rate", "gradient_clip")
        below_one(self, "dropout", "momentum")
        if not 0 < self.memory < 1:
            raise ValueError(f"memory must be in (0, 1), got {self.memory}")
