"""The variants of Studio2Shop in its paper's Tables 2 and 3, each by name, of the same parts."""

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from snapshelf.datasets.training_item import TrainingData
from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.evaluation.kept_ranks import digest_of, training_digest
from snapshelf.features.weights import file_digest
from snapshelf.systems.given_system import GivenSystem
from snapshelf.systems.system import System
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.studio_settings import StudioSettings
from snapshelf.training.studio_tables_settings import StudioTablesSettings

__all__ = ["VARIANTS", "StudioVariants", "Variant", "variant_settings"]

Features = Literal["fc14", "fdna", "given", "learnt"]
"""What an article's features are: Table 2, *features*."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of Table 2.

    Attributes:
        features: Of articles.
        changes: What its settings have instead of the recipe's; None where nothing is trained but
            the features, which then find by their cosine.
    """

    features: Features
    changes: Mapping[str, Any] | None


LINEAR: Mapping[str, Any] = {"matching": "linear"}
RANKED: Mapping[str, Any] = {"matching": "linear", "loss": "ranking"}

VARIANTS: Mapping[str, Variant] = {
    "static-fc14-linear": Variant("fc14", None),
    "static-fc14-non-linear": Variant("fc14", {"architecture": "static"}),
    "fc14-non-linear": Variant("fc14", {}),
    "128floats-non-linear": Variant("given", {}),
    "fdna-ranking-loss": Variant("fdna", RANKED),
    "fdna-linear": Variant("fdna", LINEAR),
    "all-in-two-nets": Variant("learnt", {**RANKED, "architecture": "two-networks"}),
    "studio2shop": Variant("fdna", {}),
}
"""By the names of Table 3, in small letters."""


def variant_settings(
    name: str, settings: StudioSettings, articles: Path | None, vectors: str | None = None
) -> StudioSettings:
    """Give the settings of a variant that is trained.

    All articles are looked at, as in the paper's tests, so no linear match is trained for a
    shortlist. The ranking loss compares a right article with 50 wrong ones, the cross-entropy 50
    articles in all.

    Args:
        name: Of `VARIANTS`.
        settings: The recipe of *Studio2Shop*.
        articles: The folder of the articles' system; None where there is none.
        vectors: The articles' own features; None but for the variant that has them.

    Raises:
        ValueError: If the variant trains nothing.
    """
    changes = VARIANTS[name].changes
    if changes is None:
        raise ValueError(f"{name} trains nothing but the articles' features")
    return dataclasses.replace(
        settings,
        articles=None if articles is None else str(articles),
        vectors=vectors if VARIANTS[name].features == "given" else None,
        depth=0,
        compared=settings.compared + (changes.get("loss") == "ranking"),
        **changes,
    )


class StudioVariants:
    """Makes each row; the articles' features are made by the first that needs them.

    Args:
        data: What is trained on.
        settings: The recipe, and what the rows *fc14* are made of.
        folder: Of the articles' systems.

    Attributes:
        fc14: What the rows *fc14* are made of.
    """

    def __init__(
        self, data: Sequence[TrainingData], settings: StudioTablesSettings, folder: Path
    ) -> None:
        self._data, self._settings, self._folder = data, settings, folder
        self.fc14 = GivenSystem("fc14", settings.fc14)
        self._digest: str | None = None

    def make(self, name: str, seed: int, folder: Path, monitor: Monitor) -> System:
        """Make the system of a row, or load the one that the folder holds.

        Args:
            name: Of `VARIANTS`.
            seed: Of all that is random.
            folder: Of the system.
            monitor: Hears how it goes, and can ask to stop.

        Raises:
            Exception: As the trainings of the systems.
        """
        from snapshelf.systems.studio2shop import train_studio2shop

        if (folder / "system.json").is_file():
            return System.load(folder)
        recipe = self._settings.recipe
        # Nobody goes back to an earlier epoch of these.
        recipe = dataclasses.replace(
            recipe,
            seed=seed,
            keep_checkpoints=0,
            fashion_dna=dataclasses.replace(recipe.fashion_dna, seed=seed, keep_checkpoints=0),
        )
        articles = self._articles(VARIANTS[name].features, recipe, monitor)
        if VARIANTS[name].changes is None:
            assert articles is not None
            return System.load(articles)
        own = variant_settings(name, recipe, articles, self._settings.vectors)
        return train_studio2shop(self._data, own, folder, resume=True, monitor=monitor)

    def _articles(
        self, features: Features, recipe: StudioSettings, monitor: Monitor
    ) -> Path | None:
        """Give the folder of the articles' system, made if need be."""
        if features == "given" and self._settings.vectors is None:
            raise MissingWeightsError(
                "the row 128floats has vectors of articles that are given, and there are none",
                "Give a file as the setting vectors",
            )
        if features in ("given", "learnt"):
            return None
        self._folder.mkdir(exist_ok=True)
        if self._digest is None:
            self._digest = training_digest(self._data)
        identity = {"data": self._digest, **articles_identity(features, self._settings, self.fc14)}
        if features == "fc14":
            folder = self._folder / f"fc14-{digest_of(identity)}"
            return self._whiten(folder)
        from snapshelf.systems.fashion_dna import train_fashion_dna

        folder = self._folder / f"fdna-seed-{recipe.seed}-{digest_of(identity)}"
        train_fashion_dna(self._data, recipe.fashion_dna, folder, resume=True, monitor=monitor)
        return folder.resolve()

    def _whiten(self, folder: Path) -> Path:
        from snapshelf.systems.whitened import WhitenedSettings, train_whitened

        if not (folder / "system.json").is_file():
            base = self.fc14.load()
            dimension = min(self._settings.dimension, base.encoder.dimension)
            # It is quick: what was cut off is begun anew.
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            train_whitened(
                self._data, WhitenedSettings(base=base.name, dimension=dimension), partial
            )
            partial.rename(folder)
        return folder.resolve()


def articles_identity(
    features: Features, settings: StudioTablesSettings, fc14: GivenSystem
) -> dict[str, Any]:
    """Tell what decides the features of articles, beside the data and a seed, as JSON can hold it.

    Args:
        features: Which.
        settings: Of the tables.
        fc14: The system that they name as `fc14`.

    Raises:
        ModelError: If the system or the weights that they are made of cannot be had.
    """
    from snapshelf.training.preparation import backbone_file

    if features == "learnt":
        return {}
    if features == "given":
        file = None if settings.vectors is None else Path(settings.vectors)
        if file is not None and not file.is_file():
            raise ModelError(f"there is no file of vectors {file}")
        return {"vectors": None if file is None else file_digest(file)}
    if features == "fc14":
        return {"fc14": fc14.identity(), "dimension": settings.dimension}
    recipe = settings_to_dict(settings.fashion_dna)
    for name in ("seed", "num_workers", "picture_memory_mb", "keep_checkpoints"):
        del recipe[name]
    file = backbone_file(settings.fashion_dna)
    return {"fashion_dna": recipe} | ({} if file is None else {"dna_weights": file_digest(file)})
