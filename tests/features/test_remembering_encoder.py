"""`RememberingEncoder` with what is recent: each embedding worked out once, and the same."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.features.remembering_encoder import RememberingEncoder
from snapshelf.media.picture import RGB
from snapshelf.recent import Recent


class Counting:
    """Embeds a picture as its mean colour, another way for each side, and counts pictures."""

    dimension, fingerprint = 3, "counting"

    def __init__(self) -> None:
        self.encoded: list[int] = []

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        return picture[:2, :2]

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        self.encoded.append(len(inputs))
        means = inputs.mean((1, 2)).astype(np.float32)
        return means if domain is Domain.SHOP else -means


def remembering(inner: Counting, kept: int = 1024) -> RememberingEncoder:
    return RememberingEncoder(inner, Recent(kept))


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 2, 2, 3), np.uint8)


def test_what_was_asked_is_not_worked_out_again() -> None:
    inner, asked = Counting(), pictures(5)
    encoder = remembering(inner)
    expected = Counting().encode(asked, Domain.SHOP)
    one = encoder.encode(asked[2:3], Domain.SHOP)
    np.testing.assert_array_equal(one, expected[2:3])
    np.testing.assert_array_equal(encoder.encode(asked, Domain.SHOP), expected)
    np.testing.assert_array_equal(encoder.encode(asked[::-1], Domain.SHOP), expected[::-1])
    assert inner.encoded == [1, 4]


def test_sides_are_apart() -> None:
    inner, asked = Counting(), pictures(2)
    encoder = remembering(inner)
    shop, street = (encoder.encode(asked, domain) for domain in (Domain.SHOP, Domain.STREET))
    np.testing.assert_array_equal(shop, -street)
    assert inner.encoded == [2, 2]


def test_the_same_picture_twice_in_a_batch() -> None:
    encoder, asked = remembering(Counting()), pictures(1)
    found = encoder.encode(np.concatenate([asked, asked]), Domain.SHOP)
    np.testing.assert_array_equal(found[0], found[1])
    assert found.shape == (2, 3)


def test_no_more_are_kept_than_said_and_those_asked_last_stay() -> None:
    inner, asked = Counting(), pictures(3)
    encoder = remembering(inner, kept=2)
    encoder.encode(asked[:2], Domain.SHOP)
    encoder.encode(asked[:1], Domain.SHOP)
    encoder.encode(asked[2:], Domain.SHOP)  # the second is forgotten, not the first
    inner.encoded.clear()
    encoder.encode(asked[:1], Domain.SHOP)
    assert inner.encoded == []
    encoder.encode(asked[1:2], Domain.SHOP)
    assert inner.encoded == [1]


def test_a_batch_longer_than_what_is_kept_is_whole() -> None:
    asked = pictures(9)
    found = remembering(Counting(), kept=2).encode(asked, Domain.SHOP)
    np.testing.assert_array_equal(found, Counting().encode(asked, Domain.SHOP))


def test_threads_get_their_own_pictures() -> None:
    asked = pictures(400)
    encoder, expected = remembering(Counting(), kept=16), Counting().encode(asked, Domain.SHOP)
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: encoder.encode(asked[n % 400][None], Domain.SHOP), range(1200))
        for number, row in enumerate(found):
            np.testing.assert_array_equal(row[0], expected[number % 400])


def test_it_stands_for_the_encoder() -> None:
    encoder, picture = remembering(Counting()), np.zeros((7, 5, 3), np.uint8)
    assert (encoder.dimension, encoder.fingerprint) == (3, "counting")
    assert encoder.prepare(picture, Domain.SHOP).shape == (2, 2, 3)


def test_none_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="kept must be at least 1, got 0"):
        Recent(0)
