"""`hybrid`: embeddings find a shortlist, local features put it in order.

Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval.

picture ──► the base's locator ──► backbone ──► pooling ──► L1, L2 or cosine ──► the top 100
                      └──────────► key points ──► matches ──► verified ──┐            │
                                                                         └──► re-ranked shortlist

The base is any system: `mobilenetv2:r-mac`, `timm/resnet50:mac`, `standard`. The paper counts the
matches (`reranking = "published"`); `"verified"` asks of them that they agree on a mapping, and
adds what they say to the embeddings' similarity; so does `"learned"`, whose key points and matches
are networks'. With `text = true` the words on packs are a third signal.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from snapshelf.errors import ModelError
from snapshelf.matching.confidence import Calibration
from snapshelf.matching.distances import Distance
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.keypoint_method import SIFT, KeypointMethod
from snapshelf.matching.local.published_reranking import PublishedReranker
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.reranker import Reranker
from snapshelf.matching.text_reranking import TextReranker
from snapshelf.systems.folder_settings import check_settings, read_calibration
from snapshelf.systems.hybrid_fitting import fit_hybrid, training_shortlists
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import load_base
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_from, settings_to_dict
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData

__all__ = [
    "DEFAULT_ADDED_SLOPE",
    "DEFAULT_FUSION",
    "HybridSettings",
    "Reranking",
    "hybrid",
    "hybrid_from_folder",
    "read_fusion",
    "train_hybrid",
    "write_hybrid",
]

KIND = "hybrid"

DEFAULT_BASE = "timm/seresnext50_32x4d.gluon_in1k:mac"
"""Of the paper's best table, SENet with MAC and cosine, the network that a processor can bear."""

Reranking = Literal["verified", "learned", "published", "none"]

# What `snapshelf train hybrid` fits for MobileNetV2 on the grocery data's seen products; the text's
# weight is of a fit with `text = true` that looked closely at every candidate.
DEFAULT_FUSION = Fusion(weight=0.06604, colour=0.14472, chance=5.0, text=0.12522)

# Of 0, 0.5, 1, 1.4, 1.8, 2.2 and 3 with the bases' own calibrations the one of the least expected
# calibration error of `standard` and `mobilenetv2` together, on the grocery data's val split.
DEFAULT_ADDED_SLOPE = 1.8
"""What `DEFAULT_FUSION` adds to a similarity counts so much in confidence, of whatever base."""

FIELDS = {
    "system": str,
    "base": str,
    "distance": str,
    "reranking": str,
    "text": bool,
    "depth": int,
    "local": dict,
    "fusion": dict,
    "calibration": dict,
    "notes": dict,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridSettings:
    """What a hybrid system is put together from, and how its fusion is fitted.

    Attributes:
        base: Name or folder of the system that finds the shortlist.
        distance: What embeddings are compared by.
        reranking: ``verified``; ``learned`` for the same with networks' key points and matches;
            ``published`` for the paper's number of matches; ``none``.
        text: Whether the words on packs are read and compared; only with ``verified`` and
            ``learned``.
        depth: Candidates that are re-ranked, at least 1; 100 in the paper.
        local: The numbers of key points, matches and geometry, of ``verified`` and ``learned``.
        queries: Training photos that the fusion is fitted on at most, at least 1; of more, so many
            are drawn.
        seed: At least 0, of that draw.
    """

    base: str = DEFAULT_BASE
    distance: Distance = "cosine"
    reranking: Reranking = "verified"
    text: bool = False
    depth: int = 100
    local: LocalSettings = field(default_factory=LocalSettings)
    queries: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not self.base:
            raise ValueError("base must be the name or folder of a system, got ''")
        for name, least in (("depth", 1), ("queries", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.text and self.reranking in ("published", "none"):
            raise ValueError(
                f"text must be false where reranking is {self.reranking!r}: it is added to what "
                "verified key points say; take 'verified' or 'learned'"
            )


def hybrid(name: str) -> System:
    """Make a system from ``hybrid`` or ``hybrid/BASE``, with verified re-ranking.

    Args:
        name: BASE is the name of any system, such as ``mobilenetv2:r-mac``, ``timm/resnet50:mac``
            or ``standard``.

    Returns:
        The system; its confidence is the base's, see `_unfitted_calibration`.

    Raises:
        ModelError: If the base cannot be loaded, or is a hybrid itself.
    """
    _, _, base = name.partition("/")
    settings = HybridSettings(base=base or DEFAULT_BASE)
    found = _load_base(Path(f"system {name}"), settings.base)
    return _put_together(name, found, settings, DEFAULT_FUSION)


def hybrid_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make a system from the settings in a folder's ``system.json``.

    Args:
        folder: Of the system.
        settings: ``base`` (name or folder of a system that is no hybrid itself; a relative
            folder is looked for in this one), and optionally ``distance``, ``reranking``, ``text``,
            ``depth`` and ``local`` as in `HybridSettings`, ``fusion`` (`Fusion`), ``calibration``
            (without one, confidence is the base's, see `_unfitted_calibration`) and ``notes``
            (anything; for people).

    Raises:
        ModelError: If a setting is missing, unknown, of the wrong type or out of range, or the base
            or a network that re-ranking needs cannot be loaded.
    """
    file = folder / "system.json"
    check_settings(file, settings, FIELDS, needed="base")
    own = {
        name: settings[name]
        for name in ("base", "distance", "reranking", "text", "depth", "local")
        if name in settings
    }
    try:
        read = settings_from(HybridSettings, own, str(file))
    except TrainingError as error:
        raise ModelError(str(error)) from error
    fusion = read_fusion(file, settings)
    base = _load_base(file, read.base)
    system = _put_together(str(folder), base, read, fusion)
    if "calibration" not in settings:
        return system
    return replace(system, calibration=read_calibration(file, settings))


def read_fusion(file: Path, settings: Mapping[str, Any]) -> Fusion:
    """Give the fusion that a ``system.json`` holds; its numbers that are missing are the default.

    Args:
        file: The ``system.json``, for the message.
        settings: What it holds.

    Raises:
        ModelError: If a number is unknown, of the wrong type or out of range.
    """
    held = settings.get("fusion", {})
    if not isinstance(held, Mapping):
        raise ModelError(f"{file}: fusion must be a dict, got {held!r}")
    try:
        return settings_from(Fusion, {**asdict(DEFAULT_FUSION), **held}, f"{file}: fusion")
    except TrainingError as error:
        raise ModelError(str(error)) from error


def train_hybrid(
    data: Sequence["TrainingData"],
    settings: HybridSettings,
    out: Path,
    *,
    monitor: Monitor | None = None,
) -> System:
    """Fit the fusion and the confidence on training photos, and write a system's folder.

    The gallery is every shop picture of the training items. With the re-rankings that have no
    fusion nothing is fitted, and the data is not looked at.

    Args:
        data: What is fitted on; only seen products, as `TrainingData` gives them.
        settings: What the system is made of.
        out: A folder that does not exist or is empty.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The system that was written.

    Raises:
        DatasetError: If there is no street photo whose product has a shop picture, or a picture
            cannot be read.
        ModelError: If the base cannot be loaded or is a hybrid itself, a network that re-ranking
            needs is missing, or `out` holds something.
        TrainingStopped: If the monitor asked to stop.
    """
    if out.is_dir() and any(out.iterdir()):
        raise ModelError(f"{out} holds something; give a new folder for the hybrid system")
    base = _load_base(out / "system.json", settings.base)
    fusion, calibration, fitted_on = DEFAULT_FUSION, None, 0
    reranker = _reranker(settings, DEFAULT_FUSION)
    if isinstance(reranker, VerifiedReranker | TextReranker):
        shortlists = training_shortlists(
            data,
            replace(base, distance=settings.distance),
            reranker,
            settings.local,
            queries=settings.queries,
            seed=settings.seed,
            monitor=monitor or Monitor(),
        )
        fitted = fit_hybrid(shortlists)
        fusion, calibration, fitted_on = fitted.fusion, fitted.calibration, fitted.queries
    notes = {"data": [each.name for each in data], "queries": fitted_on}
    named = replace(settings, base=base.name)
    written = write_hybrid(out, named, fusion, notes, calibration)
    return hybrid_from_folder(out.resolve(), written)


def write_hybrid(
    out: Path,
    settings: HybridSettings,
    fusion: Fusion,
    notes: Mapping[str, Any],
    calibration: Calibration | None = None,
) -> Mapping[str, Any]:
    """Write the folder of a hybrid system.

    Args:
        out: Made if it isn't there.
        settings: What the system is made of; the base under the name that it is loaded by.
        fusion: Of verified key points and similarities.
        notes: Anything, for people.
        calibration: Fitted to what the system finds; None where none was.

    Returns:
        What its ``system.json`` holds.
    """
    written: dict[str, Any] = {
        "system": KIND,
        "base": settings.base,
        "distance": settings.distance,
        "reranking": settings.reranking,
        "text": settings.text,
        "depth": settings.depth,
        "local": settings_to_dict(settings.local),
        "fusion": asdict(fusion),
        "notes": dict(notes),
    }
    if calibration is not None:
        written["calibration"] = asdict(calibration)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "system.json", (json.dumps(written, indent=2) + "\n").encode())
    return written


def _load_base(file: Path, name: str) -> System:
    """Load the system that finds the shortlist, which must not re-rank itself."""
    base = load_base(file, name, KIND)
    if base.reranker is not None:
        raise ModelError(f"{file}: the base must not be a hybrid system itself, got {name!r}")
    return base


def _put_together(name: str, base: System, settings: HybridSettings, fusion: Fusion) -> System:
    """Make the system of its parts."""
    return replace(
        base,
        name=name,
        distance=settings.distance,
        reranker=_reranker(settings, fusion),
        calibration=_unfitted_calibration(base, settings, fusion),
    )


def _unfitted_calibration(base: System, settings: HybridSettings, fusion: Fusion) -> Calibration:
    """Give the confidence of a system for which none was fitted: that of its base.

    The similarities of the embeddings count as they do for the base. What re-ranking adds counts by
    `DEFAULT_ADDED_SLOPE` where it is SIFT and `DEFAULT_FUSION` that add; of what anything else
    adds, such as words or the paper's numbers of matches, it is not known what it is worth, so it
    counts nothing. Where the base compares by another distance, its calibration says nothing of
    these similarities.
    """
    # L2 and cosine distance give the same similarities.
    if (settings.distance == "l1") != (base.distance == "l1"):
        base = replace(base, calibration=Calibration())
    is_known = settings.reranking == "verified" and not settings.text and fusion == DEFAULT_FUSION
    return replace(base.calibration, added_slope=DEFAULT_ADDED_SLOPE if is_known else 0.0)


def _reranker(settings: HybridSettings, fusion: Fusion) -> Reranker | None:
    """Make what re-ranks."""
    if settings.reranking == "none":
        return None
    if settings.reranking == "published":
        return PublishedReranker(settings.depth)
    verified = VerifiedReranker(
        settings.local, fusion, depth=settings.depth, method=_method(settings.reranking)
    )
    if not settings.text:
        return verified
    from snapshelf.text.text_reader import TextReader

    return TextReranker(verified, TextReader())


def _method(reranking: Literal["verified", "learned"]) -> KeypointMethod:
    """Make what finds and matches the key points."""
    if reranking == "verified":
        return SIFT
    from snapshelf.matching.local.learned_matching import LearnedMethod

    return LearnedMethod()
