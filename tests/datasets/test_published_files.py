"""Lists as they are published: any line end, a byte order mark, and damage."""

import pytest

from snapshelf.datasets.published_files import (
    counted_rows,
    find_picture,
    numbered_lines,
    whole_number,
)
from snapshelf.errors import DatasetError


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_marks_change_nothing(listed, end, mark):
    path = listed("list.txt", "2", "name  value", "a  1", "", "b\t2 ", end=end, mark=mark)
    assert list(counted_rows(path, "a list")) == [
        (f"{path}:3", ["a", "1"]),
        (f"{path}:5", ["b", "2"]),
    ]


def test_other_separators_of_lines_do_not_count(listed):
    path = listed("list.txt", "one\x0bline\u2028still", "two")
    assert [where for where, _ in numbered_lines(path, "a list")] == [f"{path}:1", f"{path}:2"]


BAD_LISTS = [
    ((), r"list.txt:1: expected the number of rows \(a whole number\), got ''"),
    (("two", "names", "a"), r"list.txt:1: expected the number of rows .* got 'two'"),
    (("-1", "names"), r"got '-1'"),
    (("1" * 5000, "names"), r"got '1{40}'"),
    (("2", "names", "a"), r"list.txt: expected 2 rows, as its first line says, got 1"),
    (("1", "names", "a", "b"), r"expected 1 rows, as its first line says, got 2"),
    (("1",), r"expected 1 rows, as its first line says, got 0"),
]


@pytest.mark.parametrize(("lines", "message"), BAD_LISTS)
def test_a_list_that_is_not_what_it_says(listed, lines, message):
    path = listed("list.txt", *lines)
    with pytest.raises(DatasetError, match=message):
        list(counted_rows(path, "a list"))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DatasetError, match=r"none.txt is missing: expected a list"):
        list(numbered_lines(tmp_path / "none.txt", "a list"))
    with pytest.raises(DatasetError, match=r"cannot be read .*expected UTF-8 text"):
        list(numbered_lines(tmp_path, "a list"))
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(DatasetError, match=r"bytes.txt cannot be read .*expected UTF-8 text"):
        list(numbered_lines(tmp_path / "bytes.txt", "a list"))


@pytest.mark.parametrize("name", ["shop/a.jpg", "/shop/a.jpg", "shop//a.jpg", "./shop/a.jpg"])
def test_a_picture_is_found_by_its_path(write, name):
    assert find_picture(write("shop/a.jpg"), "list:1", name) == "shop/a.jpg"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../a.jpg", r"list:1: the path '../a.jpg' leaves the data set's folder"),
        ("shop/../../a.jpg", "leaves the data set's folder"),
        ("shop/b.jpg", r"list:1: there is no file .*shop/b.jpg; get the whole data set again"),
        ("shop", "there is no file"),
        ("", "there is no file"),
        ("a\0b.jpg", "there is no file"),
        ("x" * 5000, "there is no file"),
        ("//etc/passwd", "there is no file .*/etc/passwd"),
    ],
)
def test_a_picture_that_is_not_there(write, name, message):
    root = write("shop/a.jpg")
    with pytest.raises(DatasetError, match=message):
        find_picture(root, "list:1", name)


@pytest.mark.parametrize("text", ["", "-3", "3.0", "²", "٣", "0x3", "9" * 13])
def test_what_is_no_whole_number(text):
    with pytest.raises(DatasetError, match=r"list:1: expected an ID \(a whole number\), got"):
        whole_number("list:1", text, "an ID")
