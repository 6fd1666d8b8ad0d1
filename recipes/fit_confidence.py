"""Fit a system's confidence on a validation split and say how far it can be trusted.

Prints JSON: the `Calibration` that the system has and the fitted one, each as the system's
``system.json`` holds it, with what becomes of both. With --write the fitted one goes into that
file; shelves that were indexed with the system stay as they are.
"""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets import open_dataset
from snapshelf.datasets.clips.registry import is_of_clips, open_clip_dataset
from snapshelf.errors import SnapshelfError
from snapshelf.evaluation import (
    FirstPlaces,
    collect_first_places,
    evaluate,
    fit_confidence,
    reliability,
)
from snapshelf.matching import Calibration
from snapshelf.systems import System
from snapshelf.systems.calibration_writing import check_writable, write_calibration


def main() -> None:
    """Fit on one split, and look at another if one is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--system", required=True, help="name or folder")
    parser.add_argument("--data", required=True, help="NAME:DIR, clips:NAME:DIR")
    parser.add_argument("--fit", default="val", help="split to fit on")
    parser.add_argument("--look", help="split to look at, never to choose by")
    parser.add_argument(
        "--write", action="store_true", help="put the fitted line into the folder's system.json"
    )
    options = parser.parse_args()
    try:
        system, data = System.load(options.system), options.data
        if options.write:
            check_writable(system)  # before the hours that an evaluation may take
        dataset = open_clip_dataset(data) if is_of_clips(data) else open_dataset(data)
        places = {
            split: collect_first_places(evaluate(system, dataset, split=split))
            for split in filter(None, (options.fit, options.look))
        }
        try:
            fitted = fit_confidence(places[options.fit])
        except ValueError as error:  # all are right, or none
            parser.exit(1, f"error: no confidence fits the split {options.fit}: {error}\n")
        told = {
            name: {
                "calibration": asdict(calibration),
                "splits": {split: judged(found, calibration) for split, found in places.items()},
            }
            for name, calibration in (("as_it_is", system.calibration), ("fitted", fitted))
        }
        print(json.dumps(told, indent=2))
        if options.write:
            print(f"wrote {write_calibration(system, fitted)}", file=sys.stderr)
    except SnapshelfError as error:
        parser.exit(1, f"error: {error}\n")


def judged(places: FirstPlaces, calibration: Calibration) -> dict[str, Any]:
    """Say how confident a calibration is, and how often it is right."""
    confidences = places.confidences(calibration)
    sure = confidences >= calibration.threshold
    return {
        "expected_calibration_error": round(reliability(confidences, places.right).error, 3),
        # Of the photos whose product is sold, and of the same photos with it taken out.
        "said_to_be_sold": {
            "sold": share(sure[places.sold]),
            "taken_out": share(sure[~places.sold]),
        },
    }


def share(which: NDArray[np.bool_]) -> float | None:
    """Say how many of some photos it is; None of none."""
    return round(float(which.mean()), 3) if which.size else None


if __name__ == "__main__":
    main()
