"""Pictures to predicted attributes: reading and preparing overlap with the network."""

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.annotation.annotated import AnnotatedItem, AnnotatedPicture
from snapshelf.annotation.pictures import PictureToAnnotate
from snapshelf.errors import PictureError
from snapshelf.features.attribute_predictor import AttributePredictor, likeliest
from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Region
from snapshelf.media.decode import decode_picture
from snapshelf.parallel import ordered_map

__all__ = ["annotate_pictures", "choose_attributes"]

BATCH = 16
"""Pictures that go through the network together."""

Prepared = tuple[PictureToAnnotate, tuple[Region, ...], list[NDArray[np.uint8]], str]


def choose_attributes(predictor: AttributePredictor, wanted: Sequence[str]) -> tuple[str, ...]:
    """Choose the attributes to predict.

    Args:
        predictor: Knows some.
        wanted: Names; none for all.

    Returns:
        The names, in the predictor's order.

    Raises:
        ValueError: If the predictor does not know one: it was not in what it was trained on.
    """
    if unknown := [name for name in wanted if name not in predictor.classes]:
        raise ValueError(
            f"the attribute {unknown[0]!r} was not in what the system was trained on; it knows "
            f"{', '.join(predictor.classes)}"
        )
    return tuple(name for name in predictor.classes if not wanted or name in wanted)


def annotate_pictures(
    pictures: Iterable[PictureToAnnotate],
    predictor: AttributePredictor,
    *,
    locator: Locator,
    domain: Domain,
    attributes: Sequence[str] = (),
    top: int = 1,
    least: float = 0.0,
    workers: int | None = None,
) -> Iterator[AnnotatedPicture]:
    """Predict the attributes of the items of many pictures, in order and in bounded memory.

    Args:
        pictures: Drawn lazily.
        predictor: Predicts.
        locator: Finds the items.
        domain: The side that the pictures come from.
        attributes: Names of attributes; none for all.
        top: Values of an attribute at most, at least 1.
        least: In [0, 1]; values that are less likely are left out.
        workers: Threads that read and prepare, at least 1; None for one for each processor.

    Yields:
        One for each picture; one that cannot be read has an error.

    Raises:
        ValueError: If an attribute is not known, or `top` or `least` is out of range.
    """
    chosen = choose_attributes(predictor, attributes)
    if top < 1 or not 0 <= least <= 1:
        raise ValueError(f"top must be at least 1 and least in [0, 1], got {top} and {least}")
    workers = (os.cpu_count() or 1) if workers is None else workers
    prepared = ordered_map(
        lambda each: _prepare(each, predictor, locator),
        pictures,
        workers=workers,
        ahead=BATCH + workers,
    )
    batch: list[Prepared] = []
    for one in prepared:
        batch.append(one)
        if len(batch) == BATCH:
            yield from _predict(batch, predictor, domain, chosen, top, least)
            batch = []
    yield from _predict(batch, predictor, domain, chosen, top, least)


def _prepare(
    picture: PictureToAnnotate, predictor: AttributePredictor, locator: Locator
) -> Prepared:
    try:
        decoded = decode_picture(picture.read())
    except PictureError as error:
        return picture, (), [], str(error)
    regions = locator.locate(decoded)
    return (
        picture,
        regions,
        [predictor.prepare(crop(decoded, region.box)) for region in regions],
        "",
    )


def _predict(
    batch: Sequence[Prepared],
    predictor: AttributePredictor,
    domain: Domain,
    chosen: Sequence[str],
    top: int,
    least: float,
) -> Iterator[AnnotatedPicture]:
    inputs = [each for _, _, own, _ in batch for each in own]
    found = predictor.predict(np.stack(inputs), domain) if inputs else {}
    row = 0
    for picture, regions, _, error in batch:
        items = []
        for region in regions:
            values = [
                value
                for name in chosen
                for value in likeliest(
                    name, predictor.classes[name], found[name][row], top=top, least=least
                )
            ]
            items.append(AnnotatedItem(region, tuple(values)))
            row += 1
        yield AnnotatedPicture(picture, tuple(items), error)
