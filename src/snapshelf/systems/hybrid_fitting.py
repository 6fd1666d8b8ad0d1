"""What a hybrid system's fusion is fitted on: the shortlists that training photos get."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from snapshelf.errors import DatasetError
from snapshelf.features.encoder import Domain
from snapshelf.matching.distances import compare_embeddings
from snapshelf.matching.local.fusion import Shortlisted
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker, leave_to_look_at
from snapshelf.matching.remembering_reranker import RememberingReranker
from snapshelf.matching.text_reranking import TextReranker
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_and_describe
from snapshelf.training.monitor import Monitor, TrainingStopped

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData

__all__ = ["has_photos", "training_shortlists"]


def has_photos(data: Sequence["TrainingData"]) -> bool:
    """Whether any training photo shows a product that has a shop picture."""
    return any(item.street and item.shop for each in data for item in each.training_items())


def training_shortlists(
    data: Sequence["TrainingData"],
    base: System,
    reranker: VerifiedReranker | RememberingReranker | TextReranker,
    local: LocalSettings,
    *,
    queries: int,
    seed: int,
    monitor: Monitor,
) -> list[Shortlisted]:
    """Search the training items' shop pictures with their photos, and compare what they show.

    Args:
        data: What is fitted on. The gallery is every shop picture of its items.
        base: What finds the shortlists.
        reranker: Verifies key points, or remembers what one of that kind has verified, or compares
            texts on top of it.
        local: Its settings.
        queries: Photos at most, at least 1; of more, so many are drawn.
        seed: At least 0, of that draw.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        A shortlist for each photo that has a right and a wrong candidate in it.

    Raises:
        DatasetError: If there is no street photo whose product has a shop picture, or a picture
            cannot be read.
        TrainingStopped: If the monitor asked to stop.
    """
    items = [item for each in data for item in each.training_items() if item.shop]
    shop = [(picture, number) for number, item in enumerate(items) for picture in item.shop]
    street = [(photo, number) for number, item in enumerate(items) for photo in item.street]
    if not street:
        raise DatasetError(
            "fusion needs street photos of products that have a shop picture, and there are "
            "none; add a data set that has some"
        )
    drawn = np.random.default_rng(seed).permutation(len(street))[:queries]
    photos = [street[number] for number in sorted(drawn)]
    gallery, described = embed_and_describe(
        base,
        [picture for picture, _ in shop],
        Domain.SHOP,
        lambda picture: reranker.describe(picture, Domain.SHOP),
    )
    product = np.array([number for _, number in shop])
    embedded, query_descriptions = embed_and_describe(
        base,
        [photo for photo, _ in photos],
        Domain.STREET,
        lambda picture: reranker.describe(picture, Domain.STREET),
    )
    shortlists = []
    for done, (query, description, (_, own)) in enumerate(
        zip(embedded, query_descriptions, photos, strict=True)
    ):
        monitor.step("shortlists", done, len(photos))
        if monitor.should_stop():
            raise TrainingStopped
        deep = compare_embeddings(query[None], gallery, base.distance)[0].astype(np.float64)
        head = np.argsort(-deep, kind="stable")[: reranker.depth]
        right = product[head] == own
        if right.any() and not right.all():
            candidates = [described[number] for number in head]
            looked_at = leave_to_look_at(reranker.compare(description, candidates), local)
            inliers = np.array([each[2] if each else 0 for each in looked_at], np.int64)
            colours = np.array([each[3] if each else 0 for each in looked_at], np.float64)
            words = None
            if isinstance(reranker, TextReranker):
                words = reranker.text_similarities(description, candidates)
            shortlists.append(Shortlisted(deep[head], inliers, colours, right, words))
    return shortlists
