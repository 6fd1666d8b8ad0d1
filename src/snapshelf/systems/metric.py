"""`metric`: a network that compares features, over any system's embeddings.

Kiapour, Han, Lazebnik, Berg, Berg: Where to Buy It; the baseline *Metric Network* of Table I of
Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation.

picture ──► the base's locator ──► the base's encoder ──► cosine ──► shortlist ──┐
                                          └──► two layers over each pair ────────┴──► re-ranked
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.metric_network import MetricNetwork
from snapshelf.matching.metric_reranking import MetricReranker
from snapshelf.systems.folder_settings import check_settings, read_calibration
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_pictures_of, load_base
from snapshelf.tensor_file import read_tensors, write_tensors
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.training.metric_settings import MetricSettings
    from snapshelf.training.monitor import Monitor

__all__ = ["metric_from_folder", "train_metric"]

KIND = "metric"
FILE = "metric.safetensors"

FIELDS = {
    "system": str,
    "base": str,
    "depth": int,
    "calibration": dict,
    "notes": dict,
}


def metric_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_metric` wrote.

    Args:
        folder: Holds ``metric.safetensors``.
        settings: ``base`` (name or folder of a system without a re-ranker; a relative folder is
            looked for in this one), ``depth``, and optionally ``calibration`` and ``notes``.

    Raises:
        ModelError: If a setting is missing, unknown, of the wrong type or out of range, the base
            cannot be loaded, or the network is damaged or for other features.
    """
    file = folder / "system.json"
    settings = {"depth": 10_000, **settings}
    check_settings(file, settings, FIELDS, needed="base")
    calibration = read_calibration(file, settings)
    base = _load_base(file, settings["base"])
    try:
        network = MetricNetwork.from_tensors(read_tensors(folder / FILE))
        reranker = MetricReranker(base.encoder, network, depth=settings["depth"])
    except ValueError as error:
        raise ModelError(f"{folder / FILE} cannot be used: {error}; train it anew") from error
    return replace(base, name=str(folder), reranker=reranker, calibration=calibration)


def train_metric(
    data: Sequence["TrainingData"],
    settings: "MetricSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
) -> System:
    """Train a metric network on the features of a system, which stays as it is.

    Args:
        data: What is trained on; only seen products, as `TrainingData` gives them.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The system that was written.

    Raises:
        DatasetError: If a data set is not in its published layout, or a picture cannot be read.
        ModelError: If the base cannot be loaded, or re-ranks itself.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.feature_pairs import FeaturePairs
    from snapshelf.training.fit import FitSettings, fit
    from snapshelf.training.metric_module import MetricModule
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import describe_data, training_record
    from snapshelf.training.training_folder import begin, check_folder, check_record, is_finished
    from snapshelf.training.training_set import TrainingSet

    with torch_extra():
        import torch

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    base = _load_base(out / "system.json", settings.base)
    training_set = TrainingSet.collect(data, mattes=False)
    record = training_record(KIND, settings, training_set) | {"features": base.encoder.fingerprint}
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    describe_data(training_set, monitor)
    items = training_set.items
    sides = {
        domain: [(part, n) for n, item in enumerate(items) for part in item.parts(domain)]
        for domain in Domain
    }
    if not all(sides.values()):
        raise TrainingError(
            "a metric network needs pictures of both sides, got "
            f"{len(sides[Domain.STREET])} of the street and {len(sides[Domain.SHOP])} of the shop "
            "side; add a data set that has some"
        )
    begin(out, record)
    monitor.note(f"the features of {settings.base}")
    street, shop = (
        embed_pictures_of(base, [part for part, _ in pictures], domain)
        for domain, pictures in sides.items()
    )
    pairs = FeaturePairs(
        street,
        shop,
        street_products=[number for _, number in sides[Domain.STREET]],
        shop_products=[number for _, number in sides[Domain.SHOP]],
        batch=settings.batch,
        negatives=settings.negatives,
        count=settings.pairs_per_epoch,
        seed=settings.seed,
    )
    torch.manual_seed(settings.seed)
    module = MetricModule(street.shape[1], settings, steps_per_epoch=len(pairs))
    fit(
        module,
        pairs,
        out,
        FitSettings(
            epochs=settings.epochs,
            keep_checkpoints=settings.keep_checkpoints,
            seed=settings.seed,
        ),
        pictures_per_batch=pairs.pairs_per_batch,
        monitor=monitor,
    )
    write_tensors(out / FILE, module.network().tensors())
    values = {
        "system": KIND,
        "base": base.name,
        "depth": settings.depth,
        "notes": record,
    }
    # Last, since it is what makes the folder a system.
    write_whole(out / "system.json", (json.dumps(values, indent=2) + "\n").encode())
    return metric_from_folder(out.resolve(), values)


def _load_base(file: Path, name: str) -> System:
    """Load the system that gives the features, which must not re-rank itself."""
    base = load_base(file, name, KIND)
    if base.reranker is not None:
        raise ModelError(f"{file}: the base must have no re-ranker of its own, got {name!r}")
    return base
