"""Train a Faster R-CNN on boxed photos, and measure what it detects.

Checkpoints are written into the folder, so that a run goes on where it was cut off; a detector
that is there already is used. `load_detector` reads the folder, and `DetectorLocator` locates with
what it gives.

Prints one JSON line: mAP@0.5 and the average precision of each class.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from torchvision.models.detection.faster_rcnn import FasterRCNN

from snapshelf.datasets import BoxedPhoto, open_boxed_data
from snapshelf.errors import UnboxedSplitError
from snapshelf.evaluation.average_precision import average_precision, mean_average_precision
from snapshelf.evaluation.locating import object_recall
from snapshelf.features.backbones import create_backbone, load_hub_backbone, load_weights
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.locating.boxes import as_boxes
from snapshelf.locating.detector import detect
from snapshelf.locating.detector_file import DETECTOR_FILE, load_detector, save_detector
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.locating.region_settings import RegionSettings
from snapshelf.training.callbacks import EpochFigures
from snapshelf.training.detector_module import train_detector
from snapshelf.training.detector_training import DetectorTraining
from snapshelf.training.monitor import Monitor


def main() -> None:
    """Train if there is no detector yet, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="NAME:DIR of a data set with boxes")
    parser.add_argument("--out", type=Path, required=True, help="folder of the detector")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--photos", type=int, help="of the train split at most")
    parser.add_argument("--test-photos", type=int, help="to measure on at most")
    parser.add_argument("--least", type=int, default=20, help="boxes of a class that is learned")
    options = parser.parse_args()
    data = open_boxed_data(options.data)
    photos = data.boxed_photos("train")[: options.photos]
    if (options.out / DETECTOR_FILE).exists():
        detector, settings = load_detector(options.out)
    else:
        detector, settings = train(photos, options.out, options.epochs, options.least)
    try:
        test = data.boxed_photos("test")
    except UnboxedSplitError as error:
        print(f"not measured: {error}", flush=True)
        return
    measure(test[: options.test_photos], detector, settings)


def train(
    photos: Sequence[BoxedPhoto], out: Path, epochs: int, least: int
) -> tuple[FasterRCNN, DetectorSettings]:
    """Train on MobileNetV2 as the other systems have it."""
    labels = [region.label for photo in photos for region in photo.regions]
    network = mobilenet_v2()
    settings = DetectorSettings(
        regions=RegionSettings(
            backbone=network.backbone,
            options=network.options,
            preprocessing=network.preprocessing,
            bins=5,
        ),
        classes=tuple(name for name in sorted(set(labels)) if labels.count(name) >= least),
    )
    if network.weights == "hub":
        backbone, _ = load_hub_backbone(network.backbone, network.options)
    else:
        backbone = create_backbone(network.backbone, network.options)
        load_weights(backbone, network.weights)
    training = DetectorTraining(epochs=epochs)
    detector = train_detector(
        photos, settings, training, out=out, backbone=backbone, monitor=Telling()
    )
    save_detector(out, detector, settings)
    return detector, settings


class Telling(Monitor):
    """Prints each epoch."""

    def epoch(self, figures: EpochFigures) -> None:
        """Print what an epoch lost."""
        print(f"epoch {figures.epoch} of {figures.epochs}: {dict(figures.losses)}", flush=True)


def measure(photos: Sequence[BoxedPhoto], detector: FasterRCNN, settings: DetectorSettings) -> None:
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
