"""Train a Faster or a Fast R-CNN on boxed photos, and measure what it detects.

Checkpoints are written into the folder, so that a run goes on where it was cut off; a detector
that is there already is used. `load_detector` reads the folder, and `DetectorLocator` locates with
what it gives.

Prints one JSON line: mAP@0.5 and the average precision of each class.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from snapshelf.datasets import BoxedPhoto, open_boxed_data
from snapshelf.datasets.garments import garment
from snapshelf.errors import UnboxedSplitError
from snapshelf.evaluation.average_precision import average_precision, mean_average_precision
from snapshelf.evaluation.locating import object_recall
from snapshelf.features.backbones import create_backbone, load_hub_backbone, load_weights
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.locating.boxes import as_boxes
from snapshelf.locating.detector import Detector, detect
from snapshelf.locating.detector_file import DETECTOR_FILE, load_detector, save_detector
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.locating.edge_boxes import EdgeBoxesSettings
from snapshelf.locating.region_settings import RegionSettings
from snapshelf.training.callbacks import EpochFigures
from snapshelf.training.detector_module import train_detector
from snapshelf.training.detector_training import DetectorTraining
from snapshelf.training.monitor import Monitor

PROPOSALS = {
    "network": None,
    # Of garments in 24 train photos 0.78 have a proposal at IoU 0.5, and 0.50 one at 0.7; with
    # the default settings these are 0.55 and 0.16.
    "edge-boxes": EdgeBoxesSettings(count=500, overlap=0.65),
}
"""Where boxes come from, by name: Faster R-CNN's own, or those of Fast R-CNN."""


def main() -> None:
    """Train if there is no detector yet, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="NAME:DIR of a data set with boxes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the detector")
    parser.add_argument(
        "--proposals",
        choices=PROPOSALS,
        default="network",
        help="network: Faster R-CNN, which proposes boxes itself; edge-boxes: Fast R-CNN",
    )
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=4, help="photos in a step")
    parser.add_argument("--longest", type=int, default=640, help="pixels that a photo is seen at")
    parser.add_argument(
        "--stride", type=int, choices=(32, 16), default=32, help="pixels between the map's cells"
    )
    parser.add_argument(
        "--frozen-stages", type=int, default=0, help="of the backbone, that stay as they are"
    )
    parser.add_argument("--positive", type=float, help="IoU from which a proposal is an object")
    parser.add_argument("--negative", type=float, help="IoU below which it is background")
    parser.add_argument("--photos", type=int, help="of the train split at most")
    parser.add_argument("--split", default="test", help="whose photos are measured on")
    parser.add_argument("--test-photos", type=int, help="to measure on at most")
    parser.add_argument(
        "--groups", action="store_true", help="classes are groups of garments, such as outerwear"
    )
    parser.add_argument("--least", type=int, default=20, help="boxes of a class that is learned")
    options = parser.parse_args()
    data = open_boxed_data(options.data)
    photos: Sequence[BoxedPhoto] = data.boxed_photos("train")[: options.photos]
    if options.groups:
        photos = [grouped(photo) for photo in photos]
    if (options.out / DETECTOR_FILE).exists():
        detector, settings = load_detector(options.out)
    else:
        training = DetectorTraining(
            epochs=options.epochs,
            batch=options.batch,
            positive=options.positive,
            negative=options.negative,
            frozen_stages=options.frozen_stages,
        )
        classes = learned_classes(photos, options.least)
        edge_boxes = PROPOSALS[options.proposals]
        settings = settings_of(classes, edge_boxes, options.longest, options.stride)
        detector = train(photos, settings, training, options.out)
    try:
        held_back = data.boxed_photos(options.split)
    except UnboxedSplitError as error:
        print(f"not measured: {error}", flush=True)
        return
    held_back = held_back[: options.test_photos]
    if options.groups:
        held_back = [grouped(photo) for photo in held_back]
    measure(held_back, detector, settings)


def grouped(photo: BoxedPhoto) -> BoxedPhoto:
    """Give a photo whose garments are labelled by their groups; other labels stay."""
    regions = []
    for region in photo.regions:
        found = garment(region.label)
        regions.append(region if found is None else replace(region, label=found[0]))
    return BoxedPhoto(photo.picture, tuple(regions))


def learned_classes(photos: Sequence[BoxedPhoto], least: int) -> tuple[str, ...]:
    """Give the labels that have at least so many boxes."""
    labels = [region.label for photo in photos for region in photo.regions]
    return tuple(name for name in sorted(set(labels)) if labels.count(name) >= least)


def settings_of(
    classes: tuple[str, ...], edge_boxes: EdgeBoxesSettings | None, longest: int, stride: int
) -> DetectorSettings:
    """Describe a detector on MobileNetV2 as the other systems have it."""
    network = mobilenet_v2()
    # A map that is finer than the backbone's own is made by dilation, with the same weights.
    finer = {} if stride == 32 else {"output_stride": stride}
    return DetectorSettings(
        regions=RegionSettings(
            backbone=network.backbone,
            options={**network.options, **finer},
            preprocessing=network.preprocessing,
            longest=longest,
            bins=5,
        ),
        classes=classes,
        edge_boxes=edge_boxes,
    )


def train(
    photos: Sequence[BoxedPhoto],
    settings: DetectorSettings,
    training: DetectorTraining,
    out: Path,
) -> Detector:
    """Train, starting from MobileNetV2's published weights."""
    weights, regions = mobilenet_v2().weights, settings.regions
    if weights == "hub":
        backbone, _ = load_hub_backbone(regions.backbone, regions.options)
    else:
        backbone = create_backbone(regions.backbone, regions.options)
        load_weights(backbone, weights)
    detector = train_detector(
        photos, settings, training, out=out, backbone=backbone, monitor=Telling()
    )
    save_detector(out, detector, settings)
    return detector


class Telling(Monitor):
    """Prints each epoch."""

    def epoch(self, figures: EpochFigures) -> None:
        """Print what an epoch lost."""
        print(f"epoch {figures.epoch} of {figures.epochs}: {dict(figures.losses)}", flush=True)


def measure(photos: Sequence[BoxedPhoto], detector: Detector, settings: DetectorSettings) -> None:
    """Print what is detected of the classes that were learned."""
    objects = [
        [region for region in photo.regions if region.label in settings.classes] for photo in photos
    ]
    found = [detect(detector, photo.read(), settings) for photo in photos]
    boxes = [as_boxes([region.box for region in some]) for some in found]
    wanted = [as_boxes([region.box for region in some]) for some in objects]
    result = {
        "photos": len(photos),
        "objects": sum(map(len, objects)),
        "map": round(mean_average_precision(found, objects), 3),
        "top1_recall": round(object_recall(boxes, wanted, first=1), 3),
        "top5_recall": round(object_recall(boxes, wanted, first=5), 3),
        "classes": {
            name: round(average_precision(found, objects, name), 3) for name in settings.classes
        },
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
