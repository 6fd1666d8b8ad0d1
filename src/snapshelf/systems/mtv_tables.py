"""The tables of *Street-to-Shop Shoe Retrieval*: what each row of them is a training of.

Zhan, Shi, Kot, Section 6.3. What is random, how long and on what is the same for all rows: each
learns for as many epochs as both stages of MTV-CNN take together, so that Table 2 compares losses
and not budgets. Only Table 3's first row stops after stage 1.
"""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.datasets.training_item import TrainingData
from snapshelf.evaluation.paper_tables import PaperRow, PaperTable, Training
from snapshelf.features.classical.codebook_settings import (
    CodebookSettings,
    FisherSettings,
    VladSettings,
)
from snapshelf.features.weights import file_digest
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System
from snapshelf.training.monitor import Monitor
from snapshelf.training.mtv_settings import MtvSettings, Stage
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.training_error import TrainingError

if TYPE_CHECKING:
    from snapshelf.training.picture_store import PictureStore

__all__ = ["mtv_rows", "mtv_tables", "pretrained_features"]

METRICS = ("top1", "top10", "top20")

IRRELEVANT = ("seed", "locator", "num_workers", "picture_memory_mb", "keep_checkpoints")
"""Settings that are no part of a training's identity; the seed is told beside it, and there is no
locator."""

SAME_AS_TRIPLET = (
    "The paper prints the figures of Table 1's triplet network, which has the hinge loss; here it "
    "is MTV-CNN's own ratio loss without its tasks, so that the rows differ in the tasks only."
)
EQUAL_BUDGET = (
    "Random triplets for as many epochs as both stages of MTV-CNN take: the paper sets this row "
    "against MTV-CNN."
)
STAGE_1 = (
    "The paper's figure is below Table 2's TN + AP + VI, which has the same loss and random "
    "triplets too: here that row is trained for longer."
)

Train = Callable[[str, MtvSettings, Path, Monitor], System]
"""Makes the system of a training's name and settings in a folder, or goes on with it."""


@contextmanager
def mtv_tables(
    data: Sequence[TrainingData], settings: MtvSettings, pictures: Path
) -> Iterator[tuple[PaperTable, ...]]:
    """Give the tables with rows that can be trained.

    Args:
        data: What is trained on.
        settings: MTV-CNN's full recipe; the other rows are made of it. Its seed, losses and tasks
            make no difference.
        pictures: A folder for training pictures that are too many for memory.

    Raises:
        TrainingError: If the settings have no two stages, of which the first is random, more than
            one device, or a locator.
    """
    shared = _SharedPictures(data, settings, pictures)
    try:
        yield mtv_rows(settings, shared.train)
    finally:
        shared.close()


def mtv_rows(settings: MtvSettings, train: Train) -> tuple[PaperTable, ...]:
    """Lay out the tables.

    Args:
        settings: As of `mtv_tables`.
        train: Called with the training's name and the settings of its seed.

    Returns:
        Tables 1, 2 and 3.

    Raises:
        TrainingError: As `mtv_tables`.
    """
    if len(settings.stages) < 2 or settings.stages[0].share is not None:
        raise TrainingError(
            "stages must be two or more, the first without a share: Table 3 compares random "
            "negatives with what follows"
        )
    if settings.locator is not None:
        raise TrainingError(
            "locator must be left out for the tables, whose rows are compared on whole pictures, "
            f"got {settings.locator!r}"
        )
    if settings.devices > 1:
        raise TrainingError(
            f"devices must be 1 for the tables, got {settings.devices}: run some of the rows on "
            "each device, in folders of their own"
        )
    full = dataclasses.replace(
        settings, loss="ratio", attribute_prediction=True, view_invariance=True
    )
    first = dataclasses.replace(
        full,
        stages=full.stages[:1],
        warmup_epochs=min(full.warmup_epochs, full.stages[0].epochs),
    )
    random = dataclasses.replace(full, stages=(Stage(epochs=full.epochs),))

    def without(*, ap: bool = False, vi: bool = False, loss: str = "ratio") -> MtvSettings:
        changes: Any = {"attribute_prediction": ap, "view_invariance": vi, "loss": loss}
        if loss != "ratio":  # only that loss has a form for many negatives
            changes["batch_negatives"] = False
        return dataclasses.replace(random, **changes)

    def learn(name: str, own: MtvSettings) -> Training:
        return Training(
            name,
            _identity(own),
            lambda seed, folder, monitor: train(
                name, dataclasses.replace(own, seed=seed), folder, monitor
            ),
            cost=own.epochs * own.members,
        )

    def codebook(name: str, own: CodebookSettings) -> Training:
        identity = {key: value for key, value in settings_to_dict(own).items() if key != "seed"}
        return Training(
            name,
            identity,
            lambda seed, folder, monitor: train(
                name, dataclasses.replace(full, seed=seed), folder, monitor
            ),
        )

    pretrained = Training(
        "pretrained",
        {
            name: value
            for name, value in _identity(full).items()
            if name in ("backbone", "weights", "options", "pooling", "size")
        },
        lambda _, folder, monitor: train("pretrained", full, folder, monitor),
        seeded=False,
        cost=0.5,
    )
    mtv = learn("mtv", full)
    return (
        PaperTable(
            "table-1",
            "Table 1: MTV-CNN and other methods",
            (
                _row(
                    "dsift-fisher",
                    "DSIFT + Fisher Vector",
                    (6.16, 13.93, 16.32),
                    codebook("fisher", FisherSettings()),
                ),
                _row(
                    "hessian-vlad",
                    "HessianSIFT + VLAD",
                    (7.77, 16.52, 18.77),
                    codebook("vlad", VladSettings()),
                ),
                _row(
                    "pretrained",
                    "Pre-trained CNN (conv5)",
                    (14.97, 28.83, 32.27),
                    pretrained,
                    "The backbone's last feature map, pooled, as it was before any training here.",
                ),
                _row(
                    "siamese",
                    "Siamese Network",
                    (23.47, 50.60, 58.53),
                    learn("siamese", without(loss="contrastive")),
                    "Contrastive loss, anchor with positive and anchor with negative.",
                ),
                _row(
                    "triplet",
                    "Triplet Embedding Network",
                    (33.65, 59.24, 65.69),
                    learn("triplet", without(loss="hinge")),
                    "Hinge loss.",
                ),
                _row("mtv", "Proposed MTV-CNN", (37.42, 66.87, 73.26), mtv),
            ),
            metrics=METRICS,
        ),
        PaperTable(
            "table-2",
            "Table 2: the auxiliary tasks",
            (
                _row("tn", "TN", (33.65, 59.24, 65.69), learn("tn", without()), SAME_AS_TRIPLET),
                _row("tn-ap", "TN + AP", (33.45, 61.90, 67.96), learn("tn-ap", without(ap=True))),
                _row("tn-vi", "TN + VI", (35.13, 63.60, 69.71), learn("tn-vi", without(vi=True))),
                _row(
                    "tn-ap-vi",
                    "TN + AP + VI",
                    (35.33, 64.60, 71.05),
                    learn("tn-ap-vi", without(ap=True, vi=True)),
                    EQUAL_BUDGET,
                ),
            ),
            "TN is the triplet network, AP attribute prediction, VI view invariance.",
            metrics=METRICS,
        ),
        PaperTable(
            "table-3",
            "Table 3: the stages",
            (
                _row("stage-1", "Stage 1", (30.74, 58.60, 65.78), learn("stage-1", first), STAGE_1),
                _row(
                    "stage-1-2",
                    "Stage 1 + Stage 2",
                    (37.42, 66.87, 73.26),
                    mtv,
                    "The same training as Table 1's MTV-CNN.",
                ),
            ),
            metrics=METRICS,
        ),
    )


def pretrained_features(settings: MtvSettings) -> System:
    """Make a system of the backbone alone, with the inputs and the pooling of the settings.

    Raises:
        ModelError: If the backbone or its weights cannot be had.
    """
    from snapshelf.features.backbone_encoder import PooledBackbone
    from snapshelf.features.network_encoder import NetworkEncoder
    from snapshelf.training.preparation import make_backbone

    backbone, described, preprocessing = make_backbone(settings)
    identity = {**described, "pooling": settings.pooling, **preprocessing.to_dict()}
    digest = hashlib.blake2b(repr(sorted(identity.items())).encode(), digest_size=16)
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().float().numpy().tobytes())
    encoder = NetworkEncoder(
        PooledBackbone(backbone, settings.pooling),
        preprocessing=preprocessing,
        fingerprint=digest.hexdigest(),
    )
    return System("pretrained", WholePicture(), encoder)


class _SharedPictures:
    """Trains each row; all read the pictures once, when the first needs them."""

    def __init__(self, data: Sequence[TrainingData], settings: MtvSettings, folder: Path) -> None:
        self._data, self._settings, self._folder = data, settings, folder
        self._store: PictureStore | None = None

    def train(self, name: str, settings: MtvSettings, folder: Path, monitor: Monitor) -> System:
        if name == "pretrained":
            return pretrained_features(settings)
        if (folder / "system.json").is_file():
            return System.load(folder)
        if name in ("fisher", "vlad"):
            return self._learn_codebook(name, settings.seed, folder, monitor)
        from snapshelf.systems.mtv import train_mtv

        # Nobody goes back to an earlier epoch of these.
        settings = dataclasses.replace(settings, keep_checkpoints=0)
        store = self._pictures(monitor)
        return train_mtv(self._data, settings, folder, resume=True, monitor=monitor, store=store)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _pictures(self, monitor: Monitor) -> "PictureStore":
        from snapshelf.training.preparation import stored_pictures
        from snapshelf.training.training_set import TrainingSet

        if self._store is None:
            training_set = TrainingSet.collect(self._data, mattes=self._settings.augmentation)
            self._store = stored_pictures(training_set, self._settings, self._folder, monitor)
        return self._store

    def _learn_codebook(self, name: str, seed: int, folder: Path, monitor: Monitor) -> System:
        from snapshelf.systems.codebook import train_fisher, train_vlad

        # It is quick: what was cut off is begun anew.
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        if name == "fisher":
            train_fisher(self._data, FisherSettings(seed=seed), partial, monitor=monitor)
        else:
            train_vlad(self._data, VladSettings(seed=seed), partial, monitor=monitor)
        partial.rename(folder)
        return System.load(folder)


def _row(
    name: str,
    title: str,
    percent: tuple[float, float, float],
    training: Training,
    note: str = "",
) -> PaperRow:
    """Make a row of the figures as they are printed."""
    published = {
        metric: round(value / 100, 4) for metric, value in zip(METRICS, percent, strict=True)
    }
    return PaperRow(name, title, published, training, note)


def _identity(settings: MtvSettings) -> dict[str, Any]:
    """Give the settings that decide a network, a weights file by its contents."""
    from snapshelf.training.preparation import backbone_file

    values = {
        name: value for name, value in settings_to_dict(settings).items() if name not in IRRELEVANT
    }
    file = backbone_file(settings)
    return values if file is None else values | {"weights": file_digest(file)}
