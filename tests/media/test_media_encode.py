"""Thumbnails and content hashes."""

import io

import numpy as np
import pytest
from PIL import Image

from snapshelf.media import content_hash, decode_picture, encode_jpeg


def gradient(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns % 256, rows % 256, (rows + columns) % 256], -1).astype(np.uint8)


def test_a_picture_comes_back_nearly_the_same() -> None:
    picture = gradient(120, 200)
    back = decode_picture(encode_jpeg(picture, quality=95))
    assert np.abs(back.astype(int) - picture).mean() < 5


@pytest.mark.parametrize(
    ("size", "longest", "wanted"),
    [
        ((300, 150), 100, (100, 50)),
        ((150, 300), 100, (50, 100)),
        ((80, 60), 100, (80, 60)),
        ((1000, 2), 10, (10, 1)),
        ((80, 60), None, (80, 60)),
    ],
)
def test_longest_side(size: tuple[int, int], longest: int | None, wanted: tuple[int, int]) -> None:
    width, height = size
    data = encode_jpeg(gradient(height, width), longest_side=longest)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert image.size == wanted


def test_a_view_with_strides_is_encoded_as_it_looks() -> None:
    picture = gradient(64, 64)
    assert encode_jpeg(picture[:, ::-1]) == encode_jpeg(picture[:, ::-1].copy())
    assert encode_jpeg(picture[:, ::-1]) != encode_jpeg(picture)


def test_quality_changes_the_size() -> None:
    picture = gradient(200, 200)
    assert len(encode_jpeg(picture, quality=30)) < len(encode_jpeg(picture, quality=90))


@pytest.mark.parametrize(
    ("picture", "options", "error", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), {}, TypeError, "must be uint8, got float32"),
        (np.zeros((4, 4), np.uint8), {}, ValueError, r"must be \(H, W, 3\) with pixels"),
        (np.zeros((4, 4, 4), np.uint8), {}, ValueError, r"got \(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), {}, ValueError, r"got \(0, 4, 3\)"),
        (np.zeros((4, 4, 3), np.uint8), {"longest_side": 0}, ValueError, "longest_side must be"),
        (np.zeros((4, 4, 3), np.uint8), {"quality": 0}, ValueError, "quality must be 1 to 95"),
        (np.zeros((4, 4, 3), np.uint8), {"quality": 96}, ValueError, "got 96"),
        (np.zeros((1, 70_000, 3), np.uint8), {}, ValueError, "at most 65,535 pixels"),
    ],
)
def test_a_callers_mistake(
    picture: np.ndarray, options: dict[str, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        encode_jpeg(picture, **options)


def test_content_hash_is_blake2b_of_128_bits() -> None:
    assert content_hash(b"") == "cae66941d9efbd404e4d88758ea67670"
    assert content_hash(b"shoe") != content_hash(b"shoe ")
