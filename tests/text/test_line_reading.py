import itertools

import numpy as np
import pytest

from snapshelf.text.line_reading import likeliest_text, lines_batch

CHARACTERS = ("", "a", "b", " ")


def columns(path: str, confidence: float = 0.9) -> np.ndarray:
    """Give the output of a network that is as sure of each character; ``-`` stands for none."""
    numbers = ["-", *CHARACTERS[1:]]
    rows = np.full((len(path), len(CHARACTERS)), (1 - confidence) / 3, np.float32)
    for row, character in zip(rows, path, strict=True):
        row[numbers.index(character)] = confidence
    return rows


@pytest.mark.parametrize(
    ("path", "text"),
    [("aab", "ab"), ("a-a", "aa"), ("--", ""), ("ab ba", "ab ba"), ("bbb", "b"), ("-a--", "a")],
)
def test_repeats_are_one_and_blanks_are_left_out(path: str, text: str) -> None:
    assert likeliest_text(columns(path), CHARACTERS).text == text


def test_every_short_path_reads_as_the_definition_says() -> None:
    for path in itertools.product("-ab", repeat=4):
        merged = [character for character, _ in itertools.groupby(path)]
        expected = "".join(character for character in merged if character != "-")
        assert likeliest_text(columns("".join(path)), CHARACTERS).text == expected


def test_the_confidence_is_that_of_the_columns_read() -> None:
    outputs = np.concatenate([columns("a", 0.5), columns("a", 0.9), columns("-b", 0.8)])
    line = likeliest_text(outputs, CHARACTERS)
    assert line.text == "ab"
    assert line.confidence == pytest.approx((0.5 + 0.8) / 2)
    assert likeliest_text(columns("---"), CHARACTERS).confidence == 0


def test_lines_are_of_one_height_and_filled_up() -> None:
    red = np.zeros((10, 100, 3), np.uint8)
    red[..., 0] = 255
    batch = lines_batch([red, np.full((96, 96, 3), 255, np.uint8)])
    assert batch.shape == (2, 3, 48, 480)
    # Blue comes first.
    np.testing.assert_allclose(batch[0].mean(axis=(1, 2)), [-1, -1, 1])
    assert (batch[1, :, :, :48] == 1).all()
    assert (batch[1, :, :, 48:] == 0).all()


def test_a_line_without_end_is_squeezed() -> None:
    batch = lines_batch([np.zeros((1, 4000, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)])
    assert batch.shape == (2, 3, 48, 3200)
