"""Which copies of a picture `snapshelf duplicates` finds, and which other pictures.

Of every data set the pictures of different products: a share of `found` reaches the similarity
`--least` to itself when it was copied in some way, and a share of `same` is then told to be the
same picture by `--check`. `look_alikes` is the share that reaches it to a picture of another
product, and `mistaken` the share that is told to be the same as that one.

Without the development data, or for a shop's own, give product feeds by `--feed`.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from snapshelf.catalog import Catalog, Entry
from snapshelf.features.encoder import Domain
from snapshelf.matching.same_picture import is_same_picture, shrink_picture
from snapshelf.media.decode import decode_picture
from snapshelf.media.source import PictureSource
from snapshelf.shelf.duplicates import LEAST
from snapshelf.systems import System

Picture = NDArray[np.uint8]

BATCH = 32


def main() -> None:
    """Print one JSON line for each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", default="compact")
    parser.add_argument("--least", type=float, default=LEAST)
    parser.add_argument("--most", type=int, default=300, help="pictures of a data set")
    parser.add_argument("--feed", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    system = System.load(options.system)
    for name, files in data_sets(options.feed, options.most):
        pictures = [decode_picture(read()) for read in files]
        result = {
            "benchmark": "duplicates",
            "of": name,
            "pictures": len(pictures),
            "system": options.system,
            "least": options.least,
            **measure(system, pictures, options.least),
        }
        print(json.dumps(result), flush=True)


def data_sets(feeds: Sequence[Path], most: int) -> Iterator[tuple[str, list[Callable[[], bytes]]]]:
    """Name data sets, and what reads their pictures, drawn at random where there are more."""
    root = Path(os.environ.get("SNAPSHELF_DATA", "../shared/data"))
    folders = {
        "grocery": (root / "grocery/iconic-images-and-descriptions").rglob("*_Iconic.jpg"),
        "clothing": (root / "clothing/images").rglob("*.jpg"),
    }
    for name, found in folders.items():
        if files := sorted(found):
            yield name, [file.read_bytes for file in drawn(files, most)]
    for feed in feeds:
        catalog = Catalog.open(feed)
        source = PictureSource(catalog.root)
        images = [entry.product.images[0] for entry in catalog if isinstance(entry, Entry)]
        yield feed.name, [lambda i=i, s=source: s.read(i) for i in drawn(images, most)]


def drawn(items: Sequence, most: int) -> list:
    """Draw items, the same ones every time."""
    chosen = np.random.default_rng(0).permutation(len(items))[:most]
    return [items[number] for number in sorted(chosen.tolist())]


def measure(system: System, pictures: Sequence[Picture], least: float) -> Mapping[str, object]:
    """Compare pictures with copies of each in every way, and with each other."""
    embeddings = embed(system, pictures)
    small = [shrink_picture(picture) for picture in pictures]
    found, same = {}, {}
    for name, copy in COPIES.items():
        copies = [copy(picture) for picture in pictures]
        similar = (embed(system, copies) * embeddings).sum(1) >= least
        shrunk = [shrink_picture(picture) for picture in copies]
        told = np.array([is_same_picture(a, b) for a, b in zip(shrunk, small, strict=True)])
        found[name] = round(float(similar.mean()), 3)
        same[name] = round(float((similar & told).mean()), 3)
    others = embeddings @ embeddings.T
    np.fill_diagonal(others, -1)
    alike = others >= least
    mistaken = [
        any(is_same_picture(small[row], small[other]) for other in np.flatnonzero(alike[row]))
        for row in range(len(pictures))
    ]
    return {
        "found": found,
        "same": same,
        "look_alikes": round(float(alike.any(1).mean()), 4),
        "mistaken": round(float(np.mean(mistaken)), 4),
    }


def embed(system: System, pictures: Sequence[Picture]) -> NDArray[np.float32]:
    """Embed pictures as those of a shop, whole."""
    encoder = system.encoder
    return np.concatenate(
        [
            encoder.encode(
                np.stack(
                    [encoder.prepare(one, Domain.SHOP) for one in pictures[start : start + BATCH]]
                ),
                Domain.SHOP,
            )
            for start in range(0, len(pictures), BATCH)
        ]
    )


def compressed(picture: Picture, quality: int) -> Picture:
    """Save as JPEG and read again."""
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def scaled(picture: Picture, share: float) -> Picture:
    """Scale both sides."""
    height, width = (max(1, round(side * share)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


def cropped(picture: Picture, share: float) -> Picture:
    """Cut a share off each side."""
    down, right = (round(side * share) for side in picture.shape[:2])
    return picture[down : len(picture) - down, right : picture.shape[1] - right]


def padded(picture: Picture, share: float) -> Picture:
    """Put white around, as wide as a share of the longer side."""
    wide = round(max(picture.shape[:2]) * share)
    return np.pad(picture, ((wide, wide), (wide, wide), (0, 0)), constant_values=255)


COPIES: Mapping[str, Callable[[Picture], Picture]] = {
    "compressed at 85": lambda picture: compressed(picture, 85),
    "compressed at 40": lambda picture: compressed(picture, 40),
    "half": lambda picture: scaled(picture, 0.5),
    "half, compressed at 70": lambda picture: compressed(scaled(picture, 0.5), 70),
    "cropped by 2 %": lambda picture: cropped(picture, 0.02),
    "cropped by 5 %": lambda picture: cropped(picture, 0.05),
    "padded by 10 %": lambda picture: padded(picture, 0.1),
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
}


if __name__ == "__main__":
    main()
