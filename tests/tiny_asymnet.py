"""Clips of coloured products, and a recipe that learns them in seconds."""

import numpy as np
from PIL import Image

CONFIG = """
backbone = "test_resnet"
weights = "random"
size = [32, 32]
grids = [2, 1]
dense = [8]
states = 8
hidden = 16
tree = "2-2"
clips = 2
batch = 2
positives = 2
epochs = 2
keep_checkpoints = 0
"""

COLOURS = ((220, 30, 30), (30, 200, 40), (40, 60, 220), (210, 200, 40), (40, 200, 210))


def random_system(folder, seed):
    """The folder of a system of an untrained network: it finds some of the products."""
    from snapshelf.systems.asymnet import frozen_features
    from snapshelf.training.asymnet_settings import AsymNetSettings

    settings = AsymNetSettings(backbone="test_resnet", weights="random", size=(32, 32), seed=seed)
    folder.mkdir(exist_ok=True)
    frozen_features(settings, folder)
    return folder / "features"


def picture(colour, seed, size=(40, 48)):
    """One colour, and noise."""
    noise = np.random.default_rng(seed).integers(-20, 21, (*size, 3))
    return np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)


def clip_pairs(root, written_clip, products=4, frames=6):
    """A `clip-pairs` folder: of each product a shop picture, a training clip and a test clip.

    The last product has no training clip.
    """
    root.mkdir(exist_ok=True)
    clips = ["clip,time,x0,y0,x1,y1,product,split"]
    shop = ["product,image,category"]
    for number in range(products):
        colour, name = COLOURS[number], f"p{number}"
        Image.fromarray(picture(colour, number)).save(root / f"{name}.png")
        shop.append(f"{name},{name}.png,{'warm' if number % 2 else 'cold'}")
        for split in ("train", "test")[number == products - 1 :]:
            film = [picture(colour, (number, n, len(split))) for n in range(frames)]
            (root / f"{name}-{split}.mp4").write_bytes(written_clip(film, rate=10))
            box = "4,4,40,36" if split == "test" else ",,,"
            clips += [f"{name}-{split}.mp4,{n / 10},{box},{name},{split}" for n in range(frames)]
    (root / "clips.csv").write_text("\n".join(clips) + "\n")
    (root / "products.csv").write_text("\n".join(shop) + "\n")
    return root
