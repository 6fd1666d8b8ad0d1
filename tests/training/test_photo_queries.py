"""Photos with all articles that they show."""

from pathlib import Path

import pytest

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.training.photo_queries import photo_queries
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet


class Data:
    def __init__(self, *items, name="looks"):
        self.name, self._items = name, items

    def training_items(self):
        return self._items


def item(name, *street, shop=True, boxes=None):
    return TrainingItem(
        name,
        tuple(Path(each) for each in street),
        (Path(f"{name}.png"),) if shop else (),
        boxes={Path(path): box for path, box in (boxes or {}).items()},
    )


def collect(*data):
    return TrainingSet.collect(data, mattes=False)


def shown(training_set):
    return [
        (training_set.wanted[query.picture].path.name, query.articles)
        for query in photo_queries(training_set)
    ]


def test_a_photo_of_several_items_is_one_query():
    found = collect(
        Data(item("coat", "a.jpg", "b.jpg"), item("hat", "b.jpg"), item("bag", "c.jpg", "b.jpg"))
    )
    assert shown(found) == [("a.jpg", (0,)), ("b.jpg", (0, 1, 2)), ("c.jpg", (2,))]


def test_other_parts_of_a_photo_and_other_data_sets_are_other_queries():
    left, right = (0, 0, 5, 9), (5, 0, 9, 9)
    found = collect(
        Data(
            item("coat", "a.jpg", boxes={"a.jpg": left}),
            item("hat", "a.jpg", boxes={"a.jpg": right}),
            item("bag", "a.jpg", boxes={"a.jpg": right}),
        ),
        Data(item("shoe", "a.jpg"), name="shoes"),
    )
    assert shown(found) == [("a.jpg", (0,)), ("a.jpg", (1, 2)), ("a.jpg", (3,))]


def test_items_of_one_side_and_a_photo_given_twice():
    found = collect(
        Data(
            item("coat", "a.jpg", "a.jpg"),
            item("hat", "a.jpg", "d.jpg", shop=False),
            item("bag"),
        )
    )
    assert shown(found) == [("a.jpg", (0,))]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([item("coat"), item("hat")], "got 0 photos of articles and 2 articles"),
        ([item("coat", "a.jpg"), item("hat", "b.jpg", shop=False)], "1 photos of .* 1 articles"),
    ],
)
def test_nothing_to_match(items, message):
    with pytest.raises(TrainingError, match=message):
        photo_queries(collect(Data(*items)))
