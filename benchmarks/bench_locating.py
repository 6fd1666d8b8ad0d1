"""Proposals and their ranking for one photo of 600 x 400, against P crops one by one.

Ways to the same photo, by turns; each one's best turn counts, since other load only ever slows one
down:

- proposals: `EdgeBoxes`;
- ranked: `RankedProposals` with an objectness network, MobileNetV2 once over the photo, and a
  deformable part model;
- crops: the same confidences in the naive form, a pass of the network at 224 pixels and a detection
  for each proposal's crop;
- parts: `detect_parts` alone, a mixture of 5 components with 6 parts each: 35 filters;
- opencv: `HOGDescriptor.detectMultiScale` with its one filter of 64 x 128 pixels.

Weights are random and the photo is drawn, since neither changes the work; with the development data
it is a street photo. Target: ranked at least 15 times as fast as proposals and crops.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from snapshelf.features.backbones import create_backbone, feature_map
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.locating.boxes import Boxes
from snapshelf.locating.edge_boxes import EdgeBoxes
from snapshelf.locating.object_confidence import ObjectConfidence
from snapshelf.locating.part_model import Component, Part, PartModel
from snapshelf.locating.part_model_confidence import PartModelConfidence
from snapshelf.locating.part_model_detection import detect_parts
from snapshelf.locating.proposal_ranking import ProposalRanking
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.locating.region_features import RegionFeatures
from snapshelf.locating.region_settings import RegionSettings
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB

SIZE = (600, 400)
ROOTS = ((5, 10), (6, 8), (7, 7), (8, 6), (10, 5))
PARTS, PART_CELLS = 6, 6
SMALLEST = 16
PREPROCESSING = Preprocessing(size=(224, 224), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    kind, photo = a_photo()
    proposer, model = EdgeBoxes(), random_model()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    backbone = create_backbone("mobilenetv2_100", {})
    confidence, network = PartModelConfidence(model), random_network(backbone)
    ranking = ProposalRanking((1.0, 1.0, 1.0))
    locator = RankedProposals(proposer, (network, confidence), ranking)
    proposals = proposer.propose(photo)
    descriptor = cv2.HOGDescriptor()
    descriptor.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())  # type: ignore[arg-type]
    ways: dict[str, Callable[[], object]] = {
        "proposals": lambda: proposer.propose(photo),
        "ranked": lambda: locator.locate(photo),
        "crops": lambda: crop_by_crop(backbone, confidence, photo, proposals.boxes),
        "parts": lambda: detect_parts(model, photo),
        "opencv": lambda: descriptor.detectMultiScale(photo),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    naive = seconds["proposals"] + seconds["crops"]
    result = {
        "benchmark": "locating",
        "picture": f"{kind}, {SIZE[0]} x {SIZE[1]}",
        "cores": len(os.sched_getaffinity(0)),
        "proposals": len(proposals),
        **{f"{name}_ms": round(1e3 * value, 1) for name, value in seconds.items()},
        "ratio": round(naive / seconds["ranked"], 1),
        "ratio_parts_to_opencv": round(seconds["parts"] / seconds["opencv"], 2),
        "filters": len(ROOTS) * (1 + PARTS),
        "ratio_a_filter": round(
            seconds["parts"] / seconds["opencv"] / (len(ROOTS) * (1 + PARTS)), 3
        ),
        "target": "ratio >= 15",
    }
    print(json.dumps(result))


def crop_by_crop(
    backbone: torch.nn.Module, confidence: PartModelConfidence, photo: RGB, boxes: Boxes
) -> None:
    """Look at each proposal as a picture of its own."""
    for x0, y0, x1, y1 in np.rint(boxes).astype(int):
        crop = np.ascontiguousarray(photo[y0:y1, x0:x1])
        if min(crop.shape[:2]) >= SMALLEST:
            inputs = normalise(prepare(crop, PREPROCESSING)[None], PREPROCESSING)
            with torch.inference_mode():
                feature_map(backbone, torch.from_numpy(inputs))
            # A crop is brought to one size, so that what it shows is as large as a root.
            crop = cv2.resize(crop, (128, 128), interpolation=cv2.INTER_AREA)
            whole = np.array([[0, 0, 128, 128]], np.float32)
            confidence.confidences(np.asarray(crop, np.uint8), whole)


def random_network(backbone: torch.nn.Module) -> ObjectConfidence:
    """Give an objectness network of random weights, as `mobilenet_regions` makes it."""
    settings = RegionSettings(backbone="mobilenetv2_100", preprocessing=PREPROCESSING)
    regions = RegionFeatures(backbone, settings, fingerprint="random")
    dimension = 1280 * settings.bins**2
    weights = np.random.default_rng(0).normal(0, 0.01, dimension).astype(np.float32)
    return ObjectConfidence(regions, weights, 0.0)


def random_model() -> PartModel:
    """Give a model of the usual size; its weights are such that few places score above 0."""
    rng = np.random.default_rng(0)

    def weights(rows: int, columns: int) -> np.ndarray:
        return rng.normal(0, 0.02, (rows, columns, 32)).astype(np.float32)

    def part(rows: int, columns: int) -> Part:
        anchor = (
            int(rng.integers(0, 2 * rows - PART_CELLS + 1)),
            int(rng.integers(0, 2 * columns - PART_CELLS + 1)),
        )
        return Part(weights(PART_CELLS, PART_CELLS), anchor, (0.0, 0.0, 0.03, 0.03))

    return PartModel(
        tuple(
            Component(weights(*size), -2.0, tuple(part(*size) for _ in range(PARTS)))
            for size in ROOTS
        )
    )


def a_photo() -> tuple[str, RGB]:
    """Give a street photo, or a drawn one."""
    folder = Path(os.environ.get("SNAPSHELF_DATA", "../shared/data")) / "ccp" / "photos"
    photos = sorted(folder.glob("*.jpg"))
    size = (SIZE[1], SIZE[0])
    if photos:
        photo = decode_picture(photos[0].read_bytes())
        return "photo", np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 255, (SIZE[0] // 20, SIZE[1] // 20, 3)).astype(np.uint8)
    drawn = np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    for _ in range(60):
        x, y, width, height = (int(value) for value in rng.integers(10, 150, 4))
        corner = (2 * x, 3 * y)
        colour = tuple(int(value) for value in rng.integers(0, 255, 3))
        cv2.rectangle(drawn, corner, (corner[0] + width, corner[1] + height), colour, -1)
    return "drawn", drawn


if __name__ == "__main__":
    main()
