"""The systems in the tables of `hybrid`: many variants of few parts, none of them worked out twice.

A picture goes through a backbone once for all poolings and distances; it is described once, and a
pair of pictures is compared once, for all backbones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.datasets.training_item import TrainingData
from snapshelf.errors import MissingWeightsError
from snapshelf.features.encoder import Encoder
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.features.paper_backbones import PAPER_BACKBONES
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.distances import Distance
from snapshelf.matching.local.published_reranking import PublishedReranker
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.remembering_reranker import PairReranker, RememberingReranker
from snapshelf.matching.reranker import Reranker
from snapshelf.remembered import Remembered
from snapshelf.systems.folder_settings import read_kind
from snapshelf.systems.hybrid import (
    DEFAULT_FUSION,
    HybridSettings,
    Reranking,
    read_fusion,
    write_hybrid,
)
from snapshelf.systems.hybrid_fitting import FittedHybrid, fit_hybrid, training_shortlists
from snapshelf.systems.system import System
from snapshelf.training.monitor import Monitor

if TYPE_CHECKING:
    from snapshelf.features.backbone_encoder import PooledBackbone
    from snapshelf.features.network_encoder import NetworkEncoder

__all__ = [
    "MOBILENET",
    "POOLINGS",
    "HybridTablesSettings",
    "HybridVariants",
    "Variant",
    "system_name",
    "table_name",
]

MOBILENET = "mobilenetv2"
"""The backbone at hand, which the paper does not have."""

POOLINGS = {"mac": "MAC", "r-mac": "R-MAC", "ra-mac": "RA-MAC", "spoc": "SPoC"}
"""The paper's poolings, and what it calls them."""

FILE = "remembered.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridTablesSettings:
    """What the tables are made of.

    Attributes:
        backbones: At least one, each once: names of `PAPER_BACKBONES`, ``mobilenetv2``,
            ``timm/NAME`` or ``torchvision/NAME``, in the order of the tables.
        depth: Candidates that are re-ranked, at least 1; 100 in the paper.
        local: The numbers of key points, matches and geometry, of verified re-ranking.
        queries: Training photos that its fusion is fitted on at most, at least 1.
    """

    backbones: tuple[str, ...] = (*PAPER_BACKBONES, MOBILENET)
    depth: int = 100
    local: LocalSettings = field(default_factory=LocalSettings)
    queries: int = 500

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        for name in ("depth", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.backbones:
            raise ValueError("backbones must name at least one, got none")
        for name in self.backbones:
            library, slash, model = name.partition("/")
            is_own = library in ("timm", "torchvision") and slash and model and ":" not in model
            if name not in PAPER_BACKBONES and name != MOBILENET and not is_own:
                raise ValueError(
                    f"backbones must be {', '.join(PAPER_BACKBONES)}, {MOBILENET}, timm/NAME or "
                    f"torchvision/NAME without a pooling, got {name!r}"
                )
        names = [table_name(name) for name in self.backbones]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"backbones must be named once each, got {twice[0]!r} more than once")


@dataclass(frozen=True, slots=True)
class Variant:
    """One system of the tables.

    Attributes:
        backbone: As the settings name it.
        pooling: A name of `POOLINGS`.
        distance: What embeddings are compared by.
        reranking: ``none``, ``published`` or ``verified``.
        fitted: Whether the fusion of ``verified`` is fitted on the training photos.
    """

    backbone: str
    pooling: str
    distance: Distance
    reranking: Reranking
    fitted: bool = False


def table_name(backbone: str) -> str:
    """Give a backbone's name in small letters, digits and hyphens.

    Example:
        >>> table_name("timm/resnet18.a1_in1k")
        'timm-resnet18-a1-in1k'
    """
    return re.sub("[^a-z0-9]+", "-", backbone.lower()).strip("-")


def system_name(backbone: str) -> str:
    """Give the name of the system that has a backbone, but for its pooling.

    Example:
        >>> system_name("resnet50"), system_name("torchvision/vgg16")
        ('timm/resnet50.tv_in1k', 'torchvision/vgg16')
    """
    return f"timm/{PAPER_BACKBONES[backbone]}" if backbone in PAPER_BACKBONES else backbone


class HybridVariants:
    """Makes the systems, of parts that remember what they have found.

    Args:
        data: What fusions are fitted on.
        settings: Of the tables.
        folder: Where everything is remembered; made when the first system is.
    """

    def __init__(
        self, data: Sequence[TrainingData], settings: HybridTablesSettings, folder: Path
    ) -> None:
        self._data, self._settings, self._folder = data, settings, folder
        self._remembered: Remembered | None = None
        self._encoder: tuple[str, Encoder] | None = None
        self._missing: dict[str, MissingWeightsError] = {}

    def make(self, variant: Variant, folder: Path, monitor: Monitor) -> System:
        """Make a system, and its folder, from which `System.load` makes an equal one.

        Args:
            variant: Which.
            folder: Of the system. A fusion that it holds is not fitted again.
            monitor: Hears how fitting goes, and can ask to stop.

        Raises:
            MissingWeightsError: If the backbone's weights cannot be had.
            ModelError: If there is no such backbone, or the folder's file is damaged.
            DatasetError: If there is nothing to fit on, or what was remembered cannot be read.
            TrainingStopped: If the monitor asked to stop.
        """
        name = f"{system_name(variant.backbone)}:{variant.pooling}"
        own = self._settings
        settings = HybridSettings(
            base=name,
            distance=variant.distance,
            reranking=variant.reranking,
            depth=own.depth,
            local=own.local,
            queries=own.queries,
        )
        encoder = self._pooled(variant.backbone, variant.pooling)
        base = System(name, WholePicture(), encoder, distance=variant.distance)
        file = folder / "system.json"
        held = read_kind(file)[1] if file.is_file() else {}
        if "fusion" in held:
            fusion = read_fusion(file, held)
        else:
            fitted = FittedHybrid(DEFAULT_FUSION, None, 0)
            if variant.fitted:
                fitted = self._fit(base, settings, monitor)
            fusion = fitted.fusion
            data = [each.name for each in self._data] if fitted.queries else []
            notes = {"data": data, "queries": fitted.queries}
            write_hybrid(folder, settings, fusion, notes, fitted.calibration)
        reranker: Reranker | None = None
        if variant.reranking == "published":
            reranker = self._remembering(PublishedReranker(own.depth))
        elif variant.reranking == "verified":
            reranker = self._remembering(VerifiedReranker(own.local, fusion, depth=own.depth))
        return System(
            str(folder), base.locator, encoder, reranker=reranker, distance=variant.distance
        )

    def close(self) -> None:
        """Close what remembers."""
        if self._remembered is not None:
            self._remembered.close()

    def _fit(self, base: System, settings: HybridSettings, monitor: Monitor) -> FittedHybrid:
        reranker = VerifiedReranker(settings.local, DEFAULT_FUSION, depth=settings.depth)
        shortlists = training_shortlists(
            self._data,
            base,
            self._remembering(reranker),
            settings.local,
            queries=settings.queries,
            seed=settings.seed,
            monitor=monitor,
        )
        return fit_hybrid(shortlists)

    def _pooled(self, backbone: str, pooling: str) -> Encoder:
        """Give the encoder of a backbone and pooling; the last backbone stays loaded."""
        from snapshelf.features.shared_backbone import PartEncoder, pool_in_several_ways

        if backbone in self._missing:  # asking the hub again and again would take minutes
            raise self._missing[backbone]
        if self._encoder is None or self._encoder[0] != backbone:
            from snapshelf.features.remembering_encoder import RememberingEncoder

            self._encoder = None
            try:
                loaded = pool_in_several_ways(_load(backbone), tuple(POOLINGS))
            except MissingWeightsError as error:
                self._missing[backbone] = error
                raise
            self._encoder = backbone, RememberingEncoder(loaded, self._memory())
        return PartEncoder(self._encoder[1], list(POOLINGS).index(pooling), len(POOLINGS))

    def _remembering(self, reranker: PairReranker) -> RememberingReranker:
        return RememberingReranker(reranker, self._memory())

    def _memory(self) -> Remembered:
        if self._remembered is None:
            self._remembered = Remembered(self._folder / FILE)
        return self._remembered


def _load(backbone: str) -> "NetworkEncoder[PooledBackbone]":
    """Load a backbone as the system of its name does."""
    from snapshelf.features.backbone_encoder import backbone_encoder

    if backbone == MOBILENET:
        network = mobilenet_v2()
        return backbone_encoder(
            network.backbone,
            weights=network.weights,
            options=network.options,
            preprocessing=network.preprocessing,
        )
    return backbone_encoder(system_name(backbone).removeprefix("timm/"), weights="hub")
