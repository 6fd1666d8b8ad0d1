"""The attribute table: classes, labels and what is left out."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import ModelError
from snapshelf.training.attributes import AttributeTable


def item(number, **attributes):
    return TrainingItem(str(number), (), (Path(f"{number}.jpg"),), attributes)


ITEMS = [
    item(0, kind=("Fruit", "Other"), colour=("warm", "red")),
    item(1, kind=("Dairy", "Other"), colour=("warm", "yellow"), shape=("round", "round")),
    item(2, kind=("Fruit", "Apple"), shape=("round", "round")),
    item(3, kind=("Fruit", "Other"), colour=("cool", "blue")),
    item(4),
]


def test_classes_are_pairs_in_sorted_order():
    table = AttributeTable.from_items(ITEMS)
    assert table.names == ("colour", "kind")
    assert table.classes == (
        (("cool", "blue"), ("warm", "red"), ("warm", "yellow")),
        (("Dairy", "Other"), ("Fruit", "Apple"), ("Fruit", "Other")),
    )
    assert table.counts == ((1, 1, 1), (1, 1, 2))
    assert table.sizes == (3, 3)
    assert [groups.tolist() for groups in table.level1] == [[0, 1, 1], [0, 1, 1]]
    assert all(groups.dtype == np.int64 for groups in table.level1)


def test_labels():
    labels = AttributeTable.from_items(ITEMS).labels(ITEMS)
    assert labels.dtype == np.int64
    assert labels.tolist() == [[1, 2], [2, 0], [-1, 1], [0, 2], [-1, -1]]


def test_items_the_table_was_not_made_from_may_have_unknown_values():
    table = AttributeTable.from_items(ITEMS)
    strange = item(9, kind=("Dairy", "Apple"), colour=("warm", "red"), size=("big", "big"))
    assert table.labels([strange]).tolist() == [[1, -1]]
    assert table.labels([]).shape == (0, 2)


def test_an_attribute_with_nothing_to_predict_is_left_out_with_the_reason():
    table = AttributeTable.from_items(ITEMS, names=["kind", "shape", "heel"])
    assert table.names == ("kind",)
    assert table.left_out == {
        "heel": "no item is labelled with it",
        "shape": "all 2 labelled items are of one class, round / round",
    }


def test_items_without_attributes_give_a_table_without_attributes():
    table = AttributeTable.from_items([item(0), item(1)])
    assert (table.names, table.level1, table.left_out) == ((), (), {})
    assert table.labels([item(0), item(1)]).shape == (2, 0)


def test_the_order_of_the_items_changes_nothing():
    assert AttributeTable.from_items(ITEMS) == AttributeTable.from_items(ITEMS[::-1])


TEXTS = st.text(max_size=4)
ATTRIBUTES = st.dictionaries(st.sampled_from("abc"), st.tuples(TEXTS, TEXTS))


@example([{"a": ("", "")}, {"a": ("\x00", "")}])
@given(st.lists(ATTRIBUTES, min_size=1, max_size=12))
def test_labels_give_the_values_back_and_json_gives_the_table_back(rows):
    items = [item(number, **row) for number, row in enumerate(rows)]
    table = AttributeTable.from_items(items)
    labels = table.labels(items)
    for row, numbers in zip(rows, labels.tolist(), strict=True):
        for name, classes, number in zip(table.names, table.classes, numbers, strict=True):
            assert (classes[number] if number >= 0 else None) == row.get(name)
    for column, counts in zip(labels.T, table.counts, strict=True):
        assert [int((column == number).sum()) for number in range(len(counts))] == list(counts)
    for classes, groups in zip(table.classes, table.level1, strict=True):
        same = [[x[0] == y[0] for y in classes] for x in classes]
        assert (groups[:, None] == groups[None]).tolist() == same
    assert set(table.names) | set(table.left_out) == {name for row in rows for name in row}
    assert AttributeTable.from_dict(json.loads(json.dumps(table.to_dict()))) == table


def test_refuses_to_be_made_from_nothing():
    with pytest.raises(ValueError, match="at least one training item"):
        AttributeTable.from_items([])


@pytest.mark.parametrize("value", ["ab", ("a",), ("a", 1), None, ("a", "b", "c")])
def test_refuses_a_value_that_is_no_pair(value):
    with pytest.raises(ValueError, match="attribute 'kind' of item '7'"):
        AttributeTable.from_items([item(7, kind=value)])


def changed(**parts):
    return AttributeTable.from_items(ITEMS).to_dict() | parts


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        {"names": []},
        changed(names=["kind", "colour"]),
        changed(names=["colour"]),
        changed(names=["colour", 7]),
        changed(names=None),
        changed(classes=[[["a", "b"]], [["a", "b"]]]),
        changed(classes=[[["b", "b"], ["a", "a"]], [["a", "a"], ["b", "b"]]]),
        changed(classes=["ab", "cd"]),
        changed(counts=[[1, 1, 1], [1, 1]]),
        changed(counts=[[1, 1, 1], [1, 1, 0]]),
        changed(counts=[[1, 1, 1], [1, 1, 1.5]]),
        changed(counts=[[1, 1, 1], [1, 1, True]]),
        changed(left_out=["shape"]),
        changed(left_out={"shape": 1}),
        changed(more=1),
    ],
)
def test_refuses_what_to_dict_never_gave(values):
    with pytest.raises(ModelError, match="attributes of the model cannot be used"):
        AttributeTable.from_dict(values)
