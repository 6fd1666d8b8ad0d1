"""The two PCAs of `three-level`, fitted to training pictures as they are searched with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.features.level_weights import LevelWeights
from snapshelf.features.principal_projection import fit_projection
from snapshelf.features.three_level_encoder import LevelBlocks, ThreeLevelEncoder, join_levels
from snapshelf.features.whitening import Whitening
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.picture_store import WantedPicture
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_picture import read_training_picture
from snapshelf.training.training_set import TrainingSet

__all__ = ["choose_pictures", "describe_levels", "fit_level_projections"]

BATCH = 16
"""Pictures at a time; each is up to six patches."""


def choose_pictures(
    training_set: TrainingSet, domain: Domain, *, most: int, seed: int
) -> list[WantedPicture]:
    """Draw pictures of one side; the other side's stand in for items that have none of it.

    Args:
        training_set: The items, of whole pictures.
        domain: The side.
        most: How many at most, at least 1.
        seed: Decides which, where there are more.

    Returns:
        At least one, in the order of the items.
    """
    numbers = [number for own in training_set.pictures for number in own.of(domain.value)]
    chosen = np.random.default_rng(seed).permutation(len(numbers))[:most]
    return [training_set.wanted[numbers[place]] for place in sorted(chosen.tolist())]


def describe_levels(
    encoder: ThreeLevelEncoder,
    pictures: Sequence[WantedPicture],
    domain: Domain,
    monitor: Monitor,
) -> LevelBlocks:
    """Describe the levels of training pictures.

    Args:
        encoder: Describes them; its projections are not used.
        pictures: At least one.
        domain: The side that they are taken as.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The levels whose weight is above 0, a row for each picture.

    Raises:
        TrainingError: If a picture cannot be read; names it.
        TrainingStopped: If the monitor asked to stop.
    """
    found: list[LevelBlocks] = []
    for start in range(0, len(pictures), BATCH):
        monitor.step(f"{domain} pictures", start, len(pictures))
        if monitor.should_stop():
            raise TrainingStopped
        inputs = [_prepared(encoder, one, domain) for one in pictures[start : start + BATCH]]
        found.append(encoder.levels(np.stack(inputs), domain))
    return LevelBlocks(
        *(
            None
            if getattr(found[0], name) is None
            else np.concatenate([getattr(each, name) for each in found])
            for name in ("whole", "region", "parts")
        )
    )


def fit_level_projections(
    street: LevelBlocks,
    shop: LevelBlocks,
    weights: LevelWeights,
    *,
    parts_dimension: int,
    dimension: int,
) -> tuple[Whitening | None, Whitening]:
    """Fit the PCA of level 3, and then that of the joined levels.

    Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
    Section III-B: level 3 to 1,024 numbers, all together to 1,024. Each has fewer where the
    pictures vary in fewer directions. A mean for each side is this project's choice: two
    networks give features that lie apart whatever they show.

    Args:
        street: Of pictures of the street side.
        shop: Of the shop side.
        weights: Of the levels.
        parts_dimension: Of level 3, at least 1.
        dimension: Of the whole, at least 1.

    Returns:
        The PCA of level 3, None where the level has no weight, and that of the whole.

    Raises:
        TrainingError: If the pictures do not differ.
    """
    try:
        short: tuple[NDArray[np.float32] | None, ...] = (None, None)
        parts = None
        if street.parts is not None and shop.parts is not None:
            parts = fit_projection(street.parts, shop.parts, dimension=parts_dimension)
            short = (
                parts.apply(street.parts, Domain.STREET),
                parts.apply(shop.parts, Domain.SHOP),
            )
        joined = [
            join_levels(blocks.whole, blocks.region, shortened, weights)
            for blocks, shortened in zip((street, shop), short, strict=True)
        ]
        return parts, fit_projection(*joined, dimension=dimension)
    except ValueError as error:
        raise TrainingError(f"the features of the levels cannot be projected: {error}") from error


def _prepared(encoder: ThreeLevelEncoder, one: WantedPicture, domain: Domain) -> NDArray[np.uint8]:
    return encoder.prepare(read_training_picture(one.path, one.box), domain)
