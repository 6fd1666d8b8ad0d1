"""Hold photos out of the grocery data's training split, to choose settings on.

    python recipes/hold_out.py --data GroceryStoreDataset --to cut

The val split has few photos of each product. This makes a data set in which the last fifth of each
seen product's training photos are val photos too, and trained on no more:

    snapshelf train mtv --data grocery:cut --config recipes/mtv.toml --out trial
    snapshelf evaluate --system trial --data grocery:cut --split val --products seen

Its figures compare settings; they do not foretell the test split. Photos of a product were often
taken one after another, and the numbers they bear are not in that order, so many a held-out photo
has a near twin that is trained on. Believe the photos of the val split alone, few as they are.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from snapshelf.datasets.grocery import GroceryStore

SHARE = 5
"""One photo in so many is held out."""


def main() -> None:
    """Link what stays as it is, and write the two lists anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="the data set's folder")
    parser.add_argument("--to", required=True, type=Path, help="a new folder")
    options = parser.parse_args()
    dataset = GroceryStore(options.data)
    train = (dataset.root / "train.txt").read_text().splitlines()
    held = held_out(dataset, train)
    options.to.mkdir(parents=True)
    for file in dataset.root.iterdir():
        if file.name not in ("train.txt", "val.txt"):
            (options.to / file.name).symlink_to(file.resolve())
    write(options.to / "train.txt", [line for line in train if line not in held])
    val = (dataset.root / "val.txt").read_text().splitlines()
    write(options.to / "val.txt", val + [line for line in train if line in held])
    print(f"held {len(held)} of {len(train)} photos out")


def held_out(dataset: GroceryStore, lines: list[str]) -> set[str]:
    """Give the lines of the last photos, by number, of each seen product."""
    seen = defaultdict(list)
    for query, line in zip(dataset.queries("train"), lines, strict=True):
        (product,) = query.products
        if dataset.is_seen(product):
            seen[product].append(line)
    kept = {product: len(each) - round(len(each) / SHARE) for product, each in seen.items()}
    return {line for product, each in seen.items() for line in sorted(each)[kept[product] :]}


def write(file: Path, lines: list[str]) -> None:
    """Write a list of photos."""
    file.write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
