"""Photos taken whole: each file once, and shop pictures as they are."""

from pathlib import Path

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.features.encoder import Domain
from snapshelf.training.photo_queries import photo_queries
from snapshelf.training.training_set import TrainingSet
from snapshelf.training.whole_photos import whole_photos

PHOTO, OTHER = Path("photo.jpg"), Path("other.jpg")


class Data:
    def __init__(self, name, *items):
        self.name = name
        self._items = items

    def training_items(self):
        return self._items


def item(number, *street):
    shop = Path(f"shop-{number}.png")
    boxes = dict.fromkeys((*street, shop), (0.0, 0.0, 10.0 * number, 10.0))
    return TrainingItem(f"item {number}", street, (shop,), {}, boxes)


def test_a_photo_of_two_garments_is_one_picture_without_a_box():
    given = TrainingSet.collect([Data("a", item(1, PHOTO), item(2, PHOTO, OTHER))], mattes=False)
    assert len(photo_queries(given)) == 3
    found = whole_photos(given)
    assert [(part.path, part.box) for part in found.wanted] == [
        (PHOTO, None),
        (Path("shop-1.png"), (0.0, 0.0, 10.0, 10.0)),
        (OTHER, None),
        (Path("shop-2.png"), (0.0, 0.0, 20.0, 10.0)),
    ]
    assert found.domains == (Domain.STREET, Domain.SHOP, Domain.STREET, Domain.SHOP)
    assert [(own.street, own.shop) for own in found.pictures] == [((0,), (1,)), ((0, 2), (3,))]
    assert [(query.picture, query.articles) for query in photo_queries(found)] == [
        (0, (0, 1)),
        (2, (1,)),
    ]
    assert found.items == given.items


def test_photos_of_two_data_sets_stay_apart():
    data = [Data("a", item(1, PHOTO)), Data("b", item(2, PHOTO))]
    found = whole_photos(TrainingSet.collect(data, mattes=False))
    assert [query.articles for query in photo_queries(found)] == [(0,), (1,)]
