"""The systems that can be trained, by name, for ``snapshelf train``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.systems.system import System

if TYPE_CHECKING:
    from snapshelf.training.monitor import Monitor

__all__ = ["TRAINABLE", "TRAINED_ON_CLIPS", "Trainable"]

Train = Callable[[Sequence[Any], Any, Path, bool, "Monitor"], System]


@dataclass(frozen=True, slots=True)
class Trainable:
    """How a system is trained.

    Attributes:
        settings: Its settings dataclass; every field has a default.
        train: Called with the data, the settings, the folder to write, whether to go on with
            what is there, and who hears how it goes. Gives the system.
    """

    settings: type
    train: Train


def _asymnet() -> Trainable:
    from snapshelf.systems.asymnet import train_asymnet
    from snapshelf.training.asymnet_settings import AsymNetSettings

    return Trainable(
        AsymNetSettings,
        lambda data, settings, out, resume, monitor: train_asymnet(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _mtv() -> Trainable:
    from snapshelf.systems.mtv import train_mtv
    from snapshelf.training.mtv_settings import MtvSettings

    return Trainable(
        MtvSettings,
        lambda data, settings, out, resume, monitor: train_mtv(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _compact() -> Trainable:
    from snapshelf.systems.compact import train_compact
    from snapshelf.training.compact_settings import CompactSettings

    return Trainable(
        CompactSettings,
        lambda data, settings, out, resume, monitor: train_compact(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _metric() -> Trainable:
    from snapshelf.systems.metric import train_metric
    from snapshelf.training.metric_settings import MetricSettings

    return Trainable(
        MetricSettings,
        lambda data, settings, out, resume, monitor: train_metric(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _fashion_dna() -> Trainable:
    from snapshelf.systems.fashion_dna import train_fashion_dna
    from snapshelf.training.fashion_dna_settings import FashionDnaSettings

    return Trainable(
        FashionDnaSettings,
        lambda data, settings, out, resume, monitor: train_fashion_dna(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _studio2shop() -> Trainable:
    from snapshelf.systems.studio2shop import train_studio2shop
    from snapshelf.training.studio_settings import StudioSettings

    return Trainable(
        StudioSettings,
        lambda data, settings, out, resume, monitor: train_studio2shop(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _fisher() -> Trainable:
    from snapshelf.features.classical.codebook_settings import FisherSettings
    from snapshelf.systems.codebook import train_fisher

    return Trainable(
        FisherSettings,
        lambda data, settings, out, resume, monitor: train_fisher(  # noqa: ARG005
            data, settings, out, monitor=monitor
        ),
    )


def _hybrid() -> Trainable:
    from snapshelf.systems.hybrid import HybridSettings, train_hybrid

    return Trainable(
        HybridSettings,
        lambda data, settings, out, resume, monitor: train_hybrid(  # noqa: ARG005
            data, settings, out, monitor=monitor
        ),
    )


def _three_level() -> Trainable:
    from snapshelf.systems.three_level import train_three_level
    from snapshelf.training.three_level_settings import ThreeLevelSettings

    return Trainable(
        ThreeLevelSettings,
        lambda data, settings, out, resume, monitor: train_three_level(
            data, settings, out, resume=resume, monitor=monitor
        ),
    )


def _vlad() -> Trainable:
    from snapshelf.features.classical.codebook_settings import VladSettings
    from snapshelf.systems.codebook import train_vlad

    return Trainable(
        VladSettings,
        lambda data, settings, out, resume, monitor: train_vlad(  # noqa: ARG005
            data, settings, out, monitor=monitor
        ),
    )


def _whitened() -> Trainable:
    from snapshelf.systems.whitened import WhitenedSettings, train_whitened

    return Trainable(
        WhitenedSettings,
        lambda data, settings, out, resume, monitor: train_whitened(  # noqa: ARG005
            data, settings, out
        ),
    )


def _corrected() -> Trainable:
    from snapshelf.systems.corrected import CorrectedSettings, train_corrected

    return Trainable(
        CorrectedSettings,
        lambda data, settings, out, resume, monitor: train_corrected(  # noqa: ARG005
            data, settings, out
        ),
    )


TRAINABLE: Mapping[str, Callable[[], Trainable]] = {
    "asymnet": _asymnet,
    "compact": _compact,
    "corrected": _corrected,
    "fashion-dna": _fashion_dna,
    "fisher": _fisher,
    "hybrid": _hybrid,
    "metric": _metric,
    "mtv": _mtv,
    "studio2shop": _studio2shop,
    "three-level": _three_level,
    "vlad": _vlad,
    "whitened": _whitened,
}
"""Imports what trains the system of each name."""

TRAINED_ON_CLIPS = frozenset({"asymnet"})
"""Those whose data are clips, see `open_clip_training_data`; known without importing anything."""
