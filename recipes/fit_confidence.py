"""Fit a system's confidence on a validation split and say how far it can be trusted.

Prints the `Calibration` that the system's file then holds, and what becomes of the one that it has.
"""

import argparse

from snapshelf.datasets import open_dataset
from snapshelf.datasets.clips.registry import is_of_clips, open_clip_dataset
from snapshelf.evaluation import (
    FirstPlaces,
    collect_first_places,
    evaluate,
    fit_confidence,
    reliability,
)
from snapshelf.matching import Calibration
from snapshelf.systems import System


def main() -> None:
    """Fit on one split, and look at another if one is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", required=True)
    parser.add_argument("--data", required=True, help="NAME:DIR, clips:NAME:DIR")
    parser.add_argument("--fit", default="val", help="split to fit on")
    parser.add_argument("--look", help="split to look at, never to choose by")
    options = parser.parse_args()
    system, data = System.load(options.system), options.data
    dataset = open_clip_dataset(data) if is_of_clips(data) else open_dataset(data)
    places = {
        split: collect_first_places(evaluate(system, dataset, split=split))
        for split in filter(None, (options.fit, options.look))
    }
    fitted = fit_confidence(places[options.fit])
    for name, calibration in (("as it is", system.calibration), ("fitted", fitted)):
        print(f"{name}: {calibration}")
        for split, found in places.items():
            print(f"  {split}: {told(found, calibration)}")


def told(places: FirstPlaces, calibration: Calibration) -> str:
    """Say how confident a calibration is, and how often it is right."""
    confidences = places.confidences(calibration)
    sure = confidences >= calibration.threshold
    return (
        f"expected calibration error {reliability(confidences, places.right).error:.3f}; "
        f"said to be sold here: {sure[places.sold].mean():.3f} of the photos whose product is, "
        f"{sure[~places.sold].mean():.3f} of the same photos with it taken out"
    )


if __name__ == "__main__":
    main()
