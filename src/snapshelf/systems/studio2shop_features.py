"""The features that stay as they are in a training of `studio2shop`: articles', and photos'."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_pictures_of
from snapshelf.tensor_file import read_tensors, write_tensors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.datasets.training_item import PicturePart, TrainingItem
    from snapshelf.features.preprocessing import Preprocessing
    from snapshelf.features.vector_encoder import VectorEncoder
    from snapshelf.media.picture import RGB
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import Augmentation
    from snapshelf.training.studio_articles import StudioArticles
    from snapshelf.training.studio_settings import StudioSettings
    from snapshelf.training.training_set import TrainingSet

__all__ = ["given_features", "keep_features", "keep_photo_features", "plain_size"]

MOST_TOLD = 3
"""Articles without features that an error names."""


def given_features(
    vectors: "VectorEncoder", items: Sequence["TrainingItem"]
) -> "NDArray[np.float32]":
    """Give the articles' own features.

    Args:
        vectors: By product ID.
        items: The articles, at least one.

    Returns:
        (N, D) float32, L2-normalised.

    Raises:
        TrainingError: If an article has none that can be used; names some.
    """
    import numpy as np

    from snapshelf.errors import FeaturesError
    from snapshelf.training.training_error import TrainingError

    rows, reasons = [], []
    for item in items:
        try:
            rows.append(vectors.vectors.of(item.product_id))
        except FeaturesError as error:
            reasons.append(str(error))
    if reasons:
        raise TrainingError(
            f"{len(reasons)} of {len(items)} articles have no features to train on: "
            f"{'; '.join(reasons[:MOST_TOLD])}{'; ...' if len(reasons) > MOST_TOLD else ''}"
        )
    return np.stack(rows)


def keep_features(
    system: System,
    pictures: Sequence["PicturePart"],
    domain: Domain,
    file: Path,
    monitor: "Monitor",
) -> "NDArray[np.float32]":
    """Embed pictures as an index or a search does, or read what has been.

    Args:
        system: Embeds them, whole.
        pictures: At least one.
        domain: The side that they come from.
        file: Where the features are kept.
        monitor: Hears of it.

    Returns:
        (N, D) float32, L2-normalised.

    Raises:
        DatasetError: If a picture cannot be read.
        TrainingError: If the file holds something else.
    """
    whole = replace(system, locator=WholePicture())
    return _keep(
        lambda: embed_pictures_of(whole, pictures, domain),
        (len(pictures), system.encoder.dimension),
        domain,
        file,
        monitor,
    )


def plain_size(settings: "StudioSettings") -> "Preprocessing":
    """Give how large photos are drawn where there is no query network to say so.

    Args:
        settings: The recipe.
    """
    from snapshelf.features.preprocessing import Preprocessing

    height, width = settings.size
    return Preprocessing(size=(height, width), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def keep_photo_features(
    system: System,
    training_set: "TrainingSet",
    articles: "StudioArticles",
    settings: "StudioSettings",
    augmentation: "Augmentation | None",
    file: Path,
    monitor: "Monitor",
) -> "NDArray[np.float32]":
    """Embed the photos of a training as a search does, or read what has been.

    Of a shop picture that is the query of a data set without photos one street view is drawn.

    Args:
        system: Embeds them, whole.
        training_set: The data.
        articles: Tells the photos.
        settings: The recipe.
        augmentation: Draws the views; None where there are none to draw.
        file: Where the features are kept; beside it, for a time, pictures to draw from.
        monitor: Hears of it, and can ask to stop.

    Returns:
        (Q, D) float32, L2-normalised.

    Raises:
        DatasetError: If a photo cannot be read.
        TrainingError: If the file holds something else, or another picture cannot be read.
        TrainingStopped: If the monitor asked to stop.
    """
    import numpy as np

    from snapshelf.features.pipeline import embed_pictures
    from snapshelf.training.preparation import make_views, stored_pictures
    from snapshelf.training.training_picture import read_training_picture

    numbers = [query.picture for query in articles.queries]
    if all(training_set.domains[number] is Domain.STREET for number in numbers):
        return keep_features(system, articles.photos, Domain.STREET, file, monitor)

    def embedded() -> "NDArray[np.float32]":
        store = stored_pictures(training_set, settings, file.parent / "pictures", monitor)
        views = make_views(
            training_set, store, plain_size(settings), augmentation, seed=settings.seed
        )

        def read(number: int) -> "RGB":
            if training_set.domains[number] is Domain.SHOP:
                return views.still(number)
            wanted = training_set.wanted[number]
            return read_training_picture(wanted.path, wanted.box)

        try:
            found = embed_pictures(
                numbers, read, locator=WholePicture(), encoder=system.encoder, domain=Domain.STREET
            )
            return np.stack([each.embeddings[0] for each in found])
        finally:
            store.close()

    shape = (len(numbers), system.encoder.dimension)
    return _keep(embedded, shape, Domain.STREET, file, monitor)


def _keep(
    embed: "Callable[[], NDArray[np.float32]]",
    shape: tuple[int, int],
    domain: Domain,
    file: Path,
    monitor: "Monitor",
) -> "NDArray[np.float32]":
    """Work features out once, and read them from their file from then on."""
    if not file.is_file():
        monitor.note(f"the features of {shape[0]} {domain} pictures")
        write_tensors(file, {"features": embed()})
    found = read_tensors(file).get("features")
    if found is None or found.shape != shape:
        from snapshelf.training.training_error import TrainingError

        raise TrainingError(
            f"{file} does not hold the features of these {shape[0]} pictures; remove it, and "
            "they are made again"
        )
    return found
