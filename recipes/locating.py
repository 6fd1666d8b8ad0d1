"""Train the locator of ranked proposals, and measure what it locates.

The objectness network and the part model learn on three of four photos of the train split, and the
ranking on the others: of photos that a part has learned from, it is surer than it will be. All are
written into the folder, and a part that is there already is used, so that a run goes on where it
was cut off; `load_locator` reads the folder.

Prints one JSON line for each order of the proposals: by each confidence alone, and by RankSVM.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets import BoxedPhoto, open_boxed_data
from snapshelf.errors import UnboxedSplitError
from snapshelf.evaluation.locating import first_right, object_recall
from snapshelf.locating.boxes import Boxes
from snapshelf.locating.edge_boxes import EdgeBoxes
from snapshelf.locating.locator_file import save_locator
from snapshelf.locating.object_confidence import ObjectConfidence
from snapshelf.locating.object_file import (
    OBJECT_FILE,
    load_object_confidence,
    save_object_confidence,
)
from snapshelf.locating.object_training import train_objectness
from snapshelf.locating.part_model import PartModel
from snapshelf.locating.part_model_confidence import PartModelConfidence
from snapshelf.locating.part_model_file import (
    PART_MODEL_FILE,
    load_part_model,
    save_part_model,
)
from snapshelf.locating.part_model_settings import PartModelSettings
from snapshelf.locating.part_model_training import train_part_model
from snapshelf.locating.ranked_proposals import RankedProposals, proposal_features, train_ranking
from snapshelf.locating.region_features import mobilenet_regions
from snapshelf.locating.suppression import suppress

OVERLAP = 0.5


def main() -> None:
    """Train what is not there yet, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="NAME:DIR of a data set with boxes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the locator")
    parser.add_argument("--photos", type=int, help="for the objectness network at most")
    parser.add_argument("--part-photos", type=int, help="for the part model at most")
    parser.add_argument("--ranking-photos", type=int, default=100, help="for RankSVM at most")
    parser.add_argument("--test-photos", type=int, help="to measure on at most, spread evenly")
    parser.add_argument("--split", default="test", help="split to measure on")
    options = parser.parse_args()
    data = open_boxed_data(options.data)
    train = data.boxed_photos("train")
    learned = [number for number in range(len(train)) if number % 4]
    proposer = EdgeBoxes()
    confidences = (
        objectness(chosen(train, learned[: options.photos]), proposer, options.out),
        PartModelConfidence(part_model(chosen(train, learned[: options.part_photos]), options.out)),
    )
    ranking = train_ranking(train[::4][: options.ranking_photos], proposer, confidences, tell=tell)
    locator = RankedProposals(proposer, confidences, ranking)
    save_locator(options.out, locator)
    try:
        test = data.boxed_photos(options.split)
    except UnboxedSplitError as error:
        tell(f"not measured: {error}")
        return
    measure(spread(test, options.test_photos or len(test)), locator)


def chosen(photos: Sequence[BoxedPhoto], numbers: Sequence[int]) -> Sequence[BoxedPhoto]:
    """Give those photos: of others no box is made where a data set makes them on access."""
    return [photos[number] for number in numbers]


def objectness(photos: Sequence[BoxedPhoto], proposer: EdgeBoxes, folder: Path) -> ObjectConfidence:
    """Load the objectness network of a folder, or train it."""
    if (folder / OBJECT_FILE).exists():
        return load_object_confidence(folder)
    confidence = train_objectness(photos, proposer, mobilenet_regions(), tell=tell)
    save_object_confidence(folder, confidence)
    return confidence


def part_model(photos: Sequence[BoxedPhoto], folder: Path) -> PartModel:
    """Load the part model of a folder, or train it."""
    if (folder / PART_MODEL_FILE).exists():
        return load_part_model(folder)
    model = train_part_model(photos, PartModelSettings(), tell=tell)
    save_part_model(folder, model)
    return model


def spread(photos: Sequence[BoxedPhoto], count: int) -> Sequence[BoxedPhoto]:
    """Choose so many photos, as far apart from one another as they can be."""
    count = min(count, len(photos))
    return [photos[number * len(photos) // count] for number in range(count)]


def measure(photos: Sequence[BoxedPhoto], locator: RankedProposals) -> None:
    """Print what each order of the proposals finds first."""
    single = np.eye(3)
    orders: dict[str, NDArray[np.float64]] = {
        "objectness of EdgeBoxes": single[0],
        "objectness network": single[1],
        "part model": single[2],
        "RankSVM": np.array(locator.ranking.weights),
    }
    objects: list[Boxes] = [photo.boxes for photo in photos]
    proposed: list[Boxes] = []
    found: dict[str, list[Boxes]] = {name: [] for name in orders}
    for number, photo in enumerate(photos, start=1):
        pixels = photo.read()
        proposals = locator.proposer.propose(pixels)
        features = proposal_features(pixels, proposals, locator.confidences)
        proposed.append(proposals.boxes)
        for name, weights in orders.items():
            chosen = suppress(proposals.boxes, features @ weights, overlap=OVERLAP)
            found[name].append(proposals.boxes[chosen])
        if number % 50 == 0:
            tell(f"{number} of {len(photos)} photos measured")
    for name, boxes in found.items():
        result = {
            "photos": len(photos),
            "objects": sum(map(len, objects)),
            "order": name,
            "proposals_recall": round(object_recall(proposed, objects), 3),
            "first_right": round(first_right(boxes, objects), 3),
            "top1_recall": round(object_recall(boxes, objects, first=1), 3),
            "top5_recall": round(object_recall(boxes, objects, first=5), 3),
        }
        print(json.dumps(result), flush=True)


def tell(line: str) -> None:
    """Say what has been done."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
