"""Fit a system's confidence on a validation split and say how far it can be trusted.

Prints the `Calibration` that the system's file then holds.
"""

import argparse

import numpy as np

from snapshelf.datasets import open_dataset
from snapshelf.evaluation import collect_pairs, evaluate, fit_confidence, reliability
from snapshelf.systems import System


def main() -> None:
    """Fit on one split, and look at another if one is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", required=True)
    parser.add_argument("--data", required=True, help="NAME:DIR")
    parser.add_argument("--fit", default="val", help="split to fit on")
    parser.add_argument("--look", help="split to look at, never to choose by")
    options = parser.parse_args()
    system, dataset = System.load(options.system), open_dataset(options.data)
    fitted = fit_confidence(evaluate(system, dataset, split=options.fit))
    print(fitted)
    for split in filter(None, (options.fit, options.look)):
        evaluation = evaluate(system, dataset, split=split)
        similarities, right = collect_pairs(evaluation)
        confidences = [fitted.confidence(similarity) for similarity in similarities]
        sure = np.array(confidences) >= fitted.threshold
        sold = len(evaluation.outcomes)
        print(
            f"{split}: expected calibration error {reliability(confidences, right).error:.3f}; "
            f"said to be sold here: {sure[:sold].mean():.3f} of the photos whose product is, "
            f"{sure[sold:].mean():.3f} of the same photos with it taken out"
        )


if __name__ == "__main__":
    main()
