"""The classical encoder: what it must tell apart, and what must make no difference to it."""

import cv2
import numpy as np
import pytest

from snapshelf.features.classical import ColourGradientEncoder
from snapshelf.features.classical.foreground import foreground
from snapshelf.features.encoder import Domain

ENCODER = ColourGradientEncoder()


def embed(*pictures):
    inputs = np.stack([ENCODER.prepare(picture, Domain.SHOP) for picture in pictures])
    return ENCODER.encode(inputs, Domain.SHOP)


def similarity(one, other):
    return float(np.prod(embed(one, other), axis=0).sum())


def item(colour, *, shape="bar", size=160, scale=1.0, move=(0, 0), background=255, stripes=None):
    """A coloured thing on a plain ground."""
    picture = np.full((size, size, 3), background, np.uint8)
    centre = (size // 2 + move[0], size // 2 + move[1])
    reach = scale * size
    if shape == "bar":
        half = (round(0.14 * reach), round(0.32 * reach))
        corners = (
            (centre[0] - half[0], centre[1] - half[1]),
            (centre[0] + half[0], centre[1] + half[1]),
        )
        cv2.rectangle(picture, *corners, colour, -1)
    else:
        cv2.circle(picture, centre, round(0.24 * reach), colour, -1)
    if stripes is not None:
        mask = (picture != background).any(2)
        band = (np.indices(mask.shape)[stripes] // 6) % 2 == 0
        picture[mask & band] = 255 - np.array(colour)
    return picture


ITEMS = [
    item((200, 30, 30)),
    item((30, 60, 200)),
    item((30, 150, 60)),
    item((230, 200, 40)),
    item((90, 60, 40)),
    item((200, 30, 30), stripes=0),
    item((30, 60, 200), stripes=1),
    item((30, 150, 60), shape="disc"),
]


def test_embeddings_are_of_the_stated_form():
    embeddings = embed(*ITEMS)
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (len(ITEMS), ENCODER.dimension)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert "822" in ENCODER.encode.__doc__
    assert ENCODER.dimension == 822


def test_the_batch_makes_no_difference_at_all():
    together = embed(*ITEMS)
    for picture, embedding in zip(ITEMS, together, strict=True):
        assert np.array_equal(embed(picture)[0], embedding)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (2, 3), (80, 80), (81, 79), (700, 500)]
)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_blank_pictures_of_any_size_are_defined(shape, value):
    embedding = embed(np.full((*shape, 3), value, np.uint8))
    assert np.isfinite(embedding).all()
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_noise_is_defined():
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    assert np.isfinite(embed(noise)).all()


CHANGES = {
    "darker": lambda picture: (picture * 0.75).astype(np.uint8),
    "brighter": lambda picture: np.clip(picture * 1.2, 0, 255).astype(np.uint8),
    "warmer": lambda picture: np.clip(picture * [1.06, 1.0, 0.88], 0, 255).astype(np.uint8),
    "moved": lambda picture: np.roll(picture, (12, -10), (0, 1)),
    "smaller": lambda picture: cv2.copyMakeBorder(
        picture, 25, 25, 25, 25, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    ),
    "closer": lambda picture: np.ascontiguousarray(picture[18:-18, 18:-18]),
    "noisy": lambda picture: np.clip(
        picture + np.random.default_rng(1).normal(0, 8, picture.shape), 0, 255
    ).astype(np.uint8),
    "blurred": lambda picture: cv2.GaussianBlur(picture, (0, 0), 1.5),
    "on grey": lambda picture: np.where((picture == 255).all(2, keepdims=True), 150, picture),
    "on a green table": lambda picture: np.where(
        (picture == 255).all(2, keepdims=True), [60, 110, 70], picture
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_item_is_still_the_nearest(change):
    gallery = embed(*ITEMS)
    queries = embed(*(CHANGES[change](picture).astype(np.uint8) for picture in ITEMS))
    assert (queries @ gallery.T).argmax(1).tolist() == list(range(len(ITEMS)))


def test_colour_shape_and_stripes_all_count():
    plain = item((200, 30, 30))
    assert similarity(plain, plain) == pytest.approx(1, abs=1e-5)
    for other in (
        item((30, 60, 200)),
        item((200, 30, 30), shape="disc"),
        item((200, 30, 30), stripes=0),
    ):
        assert similarity(plain, other) < 0.97
    upright, lying = item((200, 30, 30), stripes=0), item((200, 30, 30), stripes=1)
    assert similarity(upright, lying) < 0.97


def test_the_background_counts_less_than_the_item():
    red_on_white = item((200, 30, 30))
    assert similarity(red_on_white, item((200, 30, 30), background=90)) > similarity(
        red_on_white, item((30, 60, 200))
    )


def test_the_fingerprint_is_fixed():
    assert ColourGradientEncoder().fingerprint == ENCODER.fingerprint
    int(ENCODER.fingerprint, 16)


class TestForeground:
    def weigh(self, *pictures):
        inputs = np.stack([ENCODER.prepare(picture, Domain.SHOP) for picture in pictures])
        return foreground(np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2LAB) for one in inputs]))

    @pytest.mark.parametrize("background", [255, 0, 128])
    def test_the_item_outweighs_the_background(self, background):
        picture = item((200, 30, 30), shape="disc", background=background)
        (weights,) = self.weigh(picture)
        # The disc's edge is 19.2 pixels from the middle.
        distance = np.hypot(*(np.indices(weights.shape) - 39.5))
        inside, outside = (distance > 14) & (distance < 17), (distance > 22) & (distance < 25)
        assert weights[inside].mean() > 5 * weights[outside].mean()

    def test_a_blank_picture_is_weighed_by_the_middle_alone(self):
        (weights,) = self.weigh(np.full((80, 80, 3), 77, np.uint8))
        assert (weights > 0).all()
        assert weights.argmax() in {39 * 80 + 39, 39 * 80 + 40, 40 * 80 + 39, 40 * 80 + 40}
        np.testing.assert_allclose(weights, weights[::-1, ::-1], rtol=1e-4)
        np.testing.assert_allclose(weights, weights.T, rtol=1e-4)

    def test_weights_lie_in_range(self):
        noise = np.random.default_rng(0).integers(0, 256, (2, 80, 80, 3), np.uint8)
        weights = self.weigh(*noise)
        assert weights.shape == (2, 80, 80)
        assert (weights > 0).all()
        assert (weights <= 1).all()
