"""What a hybrid system is fitted on, the shortlists that training photos get, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from snapshelf.errors import DatasetError
from snapshelf.features.encoder import Domain
from snapshelf.matching.confidence import Calibration
from snapshelf.matching.distances import compare_embeddings
from snapshelf.matching.local.fusion import Fusion, Shortlisted, fit_fusion
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker, leave_to_look_at
from snapshelf.matching.remembering_reranker import RememberingReranker
from snapshelf.matching.text_reranking import TextReranker
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_and_describe
from snapshelf.training.monitor import Monitor, TrainingStopped

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.evaluation.calibration import FirstPlaces

__all__ = ["FittedHybrid", "first_places", "fit_hybrid", "has_photos", "training_shortlists"]


@dataclass(frozen=True, slots=True)
class FittedHybrid:
    """What is fitted of a hybrid system.

    Attributes:
        fusion: Of similarities and verified key points.
        calibration: Of the fused similarities; None where it cannot be fitted, since no photo, or
            every one, finds its product first.
        queries: Photos that the fusion was fitted on.
    """

    fusion: Fusion
    calibration: Calibration | None
    queries: int


def fit_hybrid(shortlists: Sequence[Shortlisted]) -> FittedHybrid:
    """Fit the fusion, and the confidence in what it finds.

    Args:
        shortlists: Of training photos.

    Raises:
        DatasetError: If none has a choice between right and wrong.
    """
    from snapshelf.evaluation.calibration import fit_confidence

    fusion = fit_fusion(shortlists)
    places = first_places(shortlists, fusion)
    is_known = places.right.any() and not places.right.all()
    return FittedHybrid(
        fusion,
        fit_confidence(places) if is_known else None,
        sum(shortlist.has_choice for shortlist in shortlists),
    )


def first_places(shortlists: Sequence[Shortlisted], fusion: Fusion) -> "FirstPlaces":
    """Collect the first place of each shortlist as it is, and of the same without what is right.

    Ties count as wrong, as in an evaluation.

    Args:
        shortlists: At least one.
        fusion: Puts their similarities together.

    Returns:
        First those of the shortlists as they are, then the others.
    """
    from snapshelf.evaluation.calibration import FirstPlaces

    sold, gone = [], []
    for each in shortlists:
        fused = fusion.similarity(each.deep, each.inliers, each.agreement, each.words)
        wrong = np.flatnonzero(~each.right)
        # Of equal ones a wrong one comes first; np.lexsort's last key is the first to order by.
        best = int(np.lexsort((each.right, -fused))[0])
        sold.append((fused[best], fused[best] - each.deep[best], each.right[best]))
        if len(wrong):
            best = int(wrong[np.argmax(fused[wrong])])
            gone.append((fused[best], fused[best] - each.deep[best], False))
    similarities, added, right = (np.array(column) for column in zip(*sold, *gone, strict=True))
    return FirstPlaces(
        similarities.astype(np.float64),
        added.astype(np.float64),
        right.astype(np.bool_),
        np.arange(len(right)) < len(sold),
    )


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

    As in a search, a shortlist is over products, each by its most similar picture; pictures are cut
    to their boxes, where they have some.

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
        A shortlist for each photo.

    Raises:
        DatasetError: If there is no street photo whose product has a shop picture, or a picture
            cannot be read.
        TrainingStopped: If the monitor asked to stop.
    """
    items = [item for each in data for item in each.training_items() if item.shop]
    shop, street = (
        [(part, number) for number, item in enumerate(items) for part in item.parts(domain)]
        for domain in (Domain.SHOP, Domain.STREET)
    )
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
        order = np.argsort(-deep, kind="stable")
        _, firsts = np.unique(product[order], return_index=True)
        head = order[np.sort(firsts)[: reranker.depth]]
        candidates = [described[number] for number in head]
        looked_at = leave_to_look_at(reranker.compare(description, candidates), local)
        inliers = np.array([each[2] if each else 0 for each in looked_at], np.int64)
        colours = np.array([each[3] if each else 0 for each in looked_at], np.float64)
        words = None
        if isinstance(reranker, TextReranker):
            words = reranker.text_similarities(description, candidates)
        shortlists.append(Shortlisted(deep[head], inliers, colours, product[head] == own, words))
    return shortlists
