import pytest

from snapshelf.errors import ModelError
from snapshelf.text.line_reading import TextLine
from snapshelf.text.words import words_from_bytes, words_of, words_to_bytes


def test_words_are_plain_and_each_is_there_once() -> None:
    lines = [TextLine("GRÄDDFIL & Gräddfil", 0.8), TextLine("Mild&Creamy", 0.95)]
    assert words_of(lines) == ("mild", "creamy", "graddfil")


@pytest.mark.parametrize("text", ["29.90", "2026-11-29", "ab", "", "!?", "1,5%", "_ _"])
def test_prices_dates_and_scraps_are_no_words(text: str) -> None:
    assert words_of([TextLine(text, 1.0)]) == ()


def test_what_was_hardly_read_is_left_out() -> None:
    assert words_of([TextLine("yoghurt", 0.69)]) == ()


def test_there_are_only_so_many_and_so_long() -> None:
    words = words_of([TextLine(" ".join(f"word{number}" for number in range(100)), 1.0)])
    assert len(words) == 64
    (word,) = words_of([TextLine("x" * 1000, 1.0)])
    assert word == "x" * 32


def test_other_scripts_stay() -> None:
    assert words_of([TextLine("Простоквашино 牛乳牛乳", 1.0)]) == ("простоквашино", "牛乳牛乳")


@pytest.mark.parametrize("words", [(), ("eko",), ("graddfil", "牛乳牛乳")])
def test_bytes_give_the_words_back(words: tuple[str, ...]) -> None:
    assert words_from_bytes(words_to_bytes(words)) == words


@pytest.mark.parametrize("data", [b"", b"WRD", b"WRD2eko", b"WRD1\xff\xfe"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="index the shelf again"):
        words_from_bytes(data)
