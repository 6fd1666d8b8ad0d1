import cv2
import numpy as np
import pytest

from snapshelf.errors import MissingWeightsError
from snapshelf.text.text_reader import TextReader, read_lines

CHARACTERS = ("", "r", "b")


def dark_is_text(inputs: np.ndarray) -> np.ndarray:
    """Find what is not white."""
    return (inputs[:, :1] + inputs[:, 1:2] + inputs[:, 2:3] < 2.5).astype(np.float32)


def colour_is_read(lines: np.ndarray) -> np.ndarray:
    """Read red as r and blue as b; the first channel is blue."""
    height = lines.shape[2] // 2
    columns = lines[:, :, height, ::8].transpose(0, 2, 1)
    red, blue = columns[..., 2] > 0.5, columns[..., 0] > 0.5
    outputs = np.zeros((*columns.shape[:2], 3), np.float32)
    outputs[..., 1] = red & ~blue
    outputs[..., 2] = blue & ~red
    outputs[..., 0] = 1 - outputs[..., 1] - outputs[..., 2]
    return outputs


def test_lines_are_found_cut_out_and_read() -> None:
    picture = np.full((300, 400, 3), 255, np.uint8)
    picture[40:60, 50:200] = (255, 0, 0)
    picture[200:230, 100:300] = (0, 0, 255)
    lines = read_lines(picture, dark_is_text, colour_is_read, CHARACTERS)
    assert sorted(line.text for line in lines) == ["b", "r"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (200, 300)])
def test_a_blank_or_tiny_picture_says_nothing(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 255, np.uint8)
    assert read_lines(picture, dark_is_text, colour_is_read, CHARACTERS) == []


def test_many_lines_are_read_in_several_batches() -> None:
    picture = np.full((800, 800, 3), 255, np.uint8)
    for row in range(20):
        picture[20 + 38 * row : 32 + 38 * row, 50 : 150 + 30 * row] = (255, 0, 0)
    batches = []

    def reader(lines: np.ndarray) -> np.ndarray:
        batches.append(len(lines))
        return colour_is_read(lines)

    lines = read_lines(picture, dark_is_text, reader, CHARACTERS)
    assert [line.text for line in lines] == ["r"] * 20
    assert batches == [6, 6, 6, 2]


@pytest.fixture(scope="module")
def reader() -> TextReader:
    try:
        return TextReader()
    except MissingWeightsError as error:
        pytest.skip(f"needs the extra `ocr`: {error}")


class TestPublishedNetworks:
    @pytest.mark.parametrize("turned", [0, 8])
    def test_a_pack_is_read(self, reader: TextReader, turned: int) -> None:
        picture = np.full((300, 400, 3), 255, np.uint8)
        for row, word in enumerate(("VANILJ", "Yoghurt", "3% fett")):
            place = (40, 70 + 80 * row)
            cv2.putText(picture, word, place, cv2.FONT_HERSHEY_DUPLEX, 2, (120, 30, 40), 3)
        mapping = cv2.getRotationMatrix2D((200, 150), turned, 0.9)
        shown = cv2.warpAffine(picture, mapping, (400, 300), borderValue=(255, 255, 255))
        assert {"vanilj", "yoghurt", "fett"} <= set(reader.read(shown))

    def test_nothing_is_read_where_nothing_is_written(self, reader: TextReader) -> None:
        for shape in ((1, 1, 3), (200, 300, 3), (1, 900, 3)):
            assert reader.read(np.full(shape, 200, np.uint8)) == ()
