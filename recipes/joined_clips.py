"""Say which pairs of clips a search would take for one item, see "The same item in several shots".

    python recipes/joined_clips.py --data grocery:GroceryStoreDataset --clips 200

Clips are rendered from the photos of a split, without cuts, and each photo is filmed twice. Prints
one JSON line: of each kind of pair how many there are, and the shares that are joined by the
cosine of their mean embeddings, and where the same product of the gallery is the nearest to both.
"""

import argparse
import json

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets import Dataset, open_dataset
from snapshelf.datasets.clips import Clip, Filming, RenderedClipData, RenderSettings
from snapshelf.evaluation.embedded_pictures import embed_gallery
from snapshelf.features.encoder import Domain
from snapshelf.shelf.clip_settings import ClipSettings
from snapshelf.systems import System

FloatArray = NDArray[np.float32]


def main() -> None:
    """Film, embed, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="NAME:DIR of a data set of photos")
    parser.add_argument("--system", default="compact")
    parser.add_argument("--split", default="test")
    parser.add_argument("--clips", type=int, default=200, help="photos, evenly spread")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    system, dataset = System.load(options.system), open_dataset(options.data)
    gallery = embed_gallery(system, dataset.products(), dataset.root, 32, told, None)
    taken = [film(dataset, options.split, options.clips, seed) for seed in (0, 1)]
    first, second = (np.stack([mean_of(clip, system) for clip in clips]) for clips in taken)
    nearest, again = ((means @ gallery.rows.T).argmax(1) for means in (first, second))
    nearest, again = gallery.products[nearest], gallery.products[again]
    products = np.array([min(clip.products) for clip in taken[0]])
    categories = np.array([clip.category for clip in taken[0]])
    one, two = np.triu_indices(len(first), 1)
    same = products[one] == products[two]
    alike = np.einsum("nd,nd->n", first[one], first[two])
    pairs = alike, nearest[one] == nearest[two]
    report = {
        "data": options.data.partition(":")[0],
        "system": options.system,
        "photos": len(first),
        "one photo, filmed twice": shares(np.einsum("nd,nd->n", first, second), nearest == again),
        "one product, two photos": shares(*(each[same] for each in pairs)),
        "two products": shares(*(each[~same] for each in pairs)),
        "two products of one category": shares(
            *(each[~same & (categories[one] == categories[two])] for each in pairs)
        ),
    }
    print(json.dumps(report))


def film(dataset: Dataset, split: str, count: int, seed: int) -> list[Clip]:
    """Film photos that are evenly spread over a split."""
    filming = Filming(RenderSettings(cuts=(0, 0)), seed)
    clips = RenderedClipData(dataset, filming).clips(split)
    count = min(count, len(clips))
    return [clips[place * len(clips) // count] for place in range(count)]


def mean_of(clip: Clip, system: System) -> FloatArray:
    """Give a clip's mean embedding, of unit length."""
    encoder = system.encoder
    inputs = np.stack([encoder.prepare(frame.picture, Domain.STREET) for frame in clip.frames()])
    mean: FloatArray = encoder.encode(inputs, Domain.STREET).mean(0)
    return mean / np.linalg.norm(mean)


def shares(alike: FloatArray, same_nearest: NDArray[np.bool_]) -> dict[str, float]:
    """Count pairs, and give the share that each of the two rules joins."""
    settings = ClipSettings()
    if not len(alike):
        return {"pairs": 0}
    return {
        "pairs": len(alike),
        f"cosine from {settings.alike}": round(float((alike >= settings.alike).mean()), 4),
        f"from {settings.alike_found}, the same nearest": round(
            float(((alike >= settings.alike_found) & same_nearest).mean()), 4
        ),
    }


def told(step: str, done: int, total: int) -> None:
    """Say nothing."""


if __name__ == "__main__":
    main()
