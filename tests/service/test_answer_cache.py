"""Kept answers: the same request, copies of a picture, and nothing else."""

from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image
from service_parts import file_of, ids, png

from snapshelf.service.answer_cache import AnswerCache, small_picture
from snapshelf.service.api_keys import add_key

TYPE = {"Content-Type": "image/png"}


def smooth(seed: int, height: int = 120, width: int = 160) -> np.ndarray:
    """A picture like a photo: large areas whose colours run into each other."""
    colours = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    image = Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(image)


def recompressed(picture: np.ndarray, quality: int) -> np.ndarray:
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.ascontiguousarray(Image.open(stream))


def test_the_same_key_gives_the_same_answer_and_the_longest_unused_goes() -> None:
    cache = AnswerCache(7, 0)
    for key in "abc":
        cache.keep(key, key.encode() * 3)
        cache.find("a")
    assert cache.find("a") == b"aaa", "it was used between"
    assert cache.find("b") is None
    assert cache.find("c") == b"ccc"
    cache.keep("a", b"A")
    cache.keep("d", b"ddd")
    assert [cache.find(key) for key in "acd"] == [b"A", b"ccc", b"ddd"]


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    for bound in (0, 3):
        cache = AnswerCache(bound, 0)
        cache.keep("a", b"aaaa")
        assert cache.find("a") is None
    cache.keep("b", b"bbb")
    assert cache.find("b") == b"bbb"


@pytest.mark.parametrize("quality", [60, 85, 95])
def test_copies_are_told_from_other_pictures(quality: int) -> None:
    cache = AnswerCache(1000, 10)
    for seed in range(5):
        cache.keep(seed, b"%d" % seed, "size", small_picture(smooth(seed)))
    for seed in range(5):
        copy = small_picture(recompressed(smooth(seed), quality))
        assert cache.find_near("size", copy) == b"%d" % seed
        assert cache.find_near("other size", copy) is None
    assert cache.find_near("size", small_picture(smooth(9))) is None


def test_what_differs_in_a_small_place_or_in_colour_is_no_copy() -> None:
    cache = AnswerCache(10, 10)
    picture = smooth(0)
    cache.keep("key", b"a", "size", small_picture(picture))
    word = picture.copy()
    word[60:70, 40:60] = 255 - word[60:70, 40:60]
    assert cache.find_near("size", small_picture(word)) is None
    tinted = np.clip(picture.astype(int) + np.array((8, 0, -8)), 0, 255).astype(np.uint8)
    assert cache.find_near("size", small_picture(tinted)) is None


def test_as_many_as_wished_are_kept_for_copies_and_only_with_their_answer() -> None:
    cache = AnswerCache(2, 2)
    for seed in range(3):
        cache.keep(seed, b"%d" % seed, "size", small_picture(smooth(seed)))
    assert cache.find_near("size", small_picture(smooth(0))) is None
    assert cache.find_near("size", small_picture(smooth(2))) == b"2"
    cache.keep(3, b"33")
    assert cache.find_near("size", small_picture(smooth(2))) is None
    none = AnswerCache(5, 0)
    none.keep("key", b"a", "size", small_picture(smooth(0)))
    assert none.find_near("size", small_picture(smooth(0))) is None


def test_over_http_copies_and_repeats_are_kept_until_something_differs(client) -> None:
    picture = Image.fromarray(smooth(21))

    def asked(data: bytes, **options: object) -> str | None:
        return client.post("/v1/search", params=options, content=data, headers=TYPE).json()[
            "cached"
        ]

    assert asked(file_of(picture)) is None
    assert asked(file_of(picture)) == "exact"
    assert asked(file_of(picture), top=3) is None
    copy = file_of(picture, "JPEG", quality=85)
    assert asked(copy) == "near"
    assert asked(copy) == "exact"
    assert asked(file_of(picture.resize((80, 60)))) is None, "its boxes are in other pixels"


def test_a_change_of_the_shelf_makes_answers_new(start, tmp_path) -> None:
    secret = add_key(tmp_path / "keys.json", "all", "write")
    client: httpx.Client = start(keys=tmp_path / "keys.json")
    client.headers["Authorization"] = f"Bearer {secret}"

    def search() -> dict:
        return client.post("/v1/search", params={"top": 1}, content=png(3), headers=TYPE).json()

    assert ids(search()) == ["P3"]
    assert search()["cached"] == "exact"
    assert client.delete("/v1/products/P3").status_code == 200
    after = search()
    assert after["cached"] is None
    assert ids(after) != ["P3"]
