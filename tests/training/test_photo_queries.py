"""Photos with all articles that they show."""

from pathlib import Path

import pytest

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.training.photo_queries import photo_queries, sources_without_photos
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


def shown(training_set, **options):
    return [
        (training_set.wanted[query.picture].path.name, query.articles)
        for query in photo_queries(training_set, **options)
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


def titled(name, *pictures):
    return TrainingItem(name, (), tuple(Path(each) for each in pictures))


def test_a_data_set_without_photos_is_searched_with_its_own_pictures():
    found = collect(
        Data(item("coat", "a.jpg"), item("hat"), item("tie", "t.jpg", shop=False)),
        Data(titled("shoe", "front.png", "pair.png"), titled("boot", "pair.png"), name="shoes"),
    )
    assert sources_without_photos(found) == (1,)
    assert shown(found) == [("a.jpg", (0,))]
    assert shown(found, drawn=True) == [
        ("a.jpg", (0,)),
        ("front.png", (3,)),
        ("pair.png", (3, 4)),
    ]


def test_photos_of_nothing_that_is_sold_are_no_reason_to_draw():
    found = collect(Data(item("coat"), item("hat"), item("tie", "t.jpg", shop=False)))
    assert sources_without_photos(found) == ()
    with pytest.raises(TrainingError, match=r"add a data set that has some$"):
        photo_queries(found, drawn=True)


def test_what_could_be_drawn_is_said():
    found = collect(Data(titled("shoe", "s.png"), titled("boot", "b.png"), name="shoes"))
    with pytest.raises(
        TrainingError, match=r"drawn of the pictures of shoes, .* setting augmentation"
    ):
        photo_queries(found)
    one = collect(Data(titled("shoe", "s.png"), item("hat", "h.jpg", shop=False)))
    with pytest.raises(TrainingError, match=r"got 0 photos of articles and 1 .* has some$"):
        photo_queries(one, drawn=True)
