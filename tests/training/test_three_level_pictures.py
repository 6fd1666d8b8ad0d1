"""Which pictures `three-level` learns on: regions of photos, labelled items, and those of PCAs."""

from pathlib import Path

import numpy as np
import pytest
from toy_data import toy_data

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.datasets.training_item import TrainingItem  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.locating import Region, WholePicture  # noqa: E402
from snapshelf.training.labelled_items import labelled_items  # noqa: E402
from snapshelf.training.level_projections import choose_pictures  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.region_pictures import with_regions  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402


class Strips:
    """Finds three strips."""

    fingerprint = "strips"

    def locate(self, picture):
        height, width = picture.shape[:2]
        return tuple(Region((0, height * n / 3, width, height * (n + 1) / 3)) for n in range(3))


def test_photos_become_their_best_regions_and_shop_pictures_stay(tmp_path):
    before = TrainingSet.collect([toy_data(tmp_path, 3)], mattes=True)
    after = with_regions(before, Strips(), most=2, monitor=Monitor())
    assert len(after.wanted) == len(after.domains) == 3 * (2 * 2 + 1)
    for item, (old, new) in enumerate(zip(before.pictures, after.pictures, strict=True)):
        photos = [before.wanted[number] for number in old.street]
        found = [after.wanted[number] for number in new.street]
        assert [one.path for one in found] == [one.path for one in photos for _ in range(2)]
        # Photos are of 40 and of 44 pixels.
        assert [one.box[3] for one in found] == pytest.approx([40 / 3, 80 / 3, 44 / 3, 88 / 3])
        assert [after.domains[number] for number in new.street] == [Domain.STREET] * 4
        (shop,) = new.shop
        assert after.wanted[shop] == before.wanted[old.shop[0]]
        assert after.domains[shop] is Domain.SHOP
        assert after.items[item] is before.items[item]
    assert with_regions(before, WholePicture(), most=2, monitor=Monitor()) is before


def test_a_box_that_the_data_tells_stays(tmp_path):
    data = toy_data(tmp_path, 2)
    photo = data.items[0].street[0]
    items = (
        TrainingItem("a", (photo,), data.items[0].shop, {}, {photo: (1, 2, 30, 31)}),
        data.items[1],
    )
    before = TrainingSet.collect([type(data)("toy", items)], mattes=False)
    after = with_regions(before, Strips(), most=3, monitor=Monitor())
    assert [after.wanted[n].box for n in after.pictures[0].street] == [(1, 2, 30, 31)]
    assert len(after.pictures[1].street) == 6


def test_a_photo_that_cannot_be_read_and_a_stop(tmp_path):
    data = toy_data(tmp_path, 2)
    data.items[1].street[0].write_bytes(b"no picture")
    before = TrainingSet.collect([data], mattes=False)
    with pytest.raises(TrainingError, match=data.items[1].street[0].name):
        with_regions(before, Strips(), most=1, monitor=Monitor())

    class Stops(Monitor):
        def should_stop(self):
            return True

    with pytest.raises(TrainingStopped):
        with_regions(before, Strips(), most=1, monitor=Stops())


def test_items_and_data_sets_without_a_label_are_left_out(tmp_path):
    sets = [toy_data(tmp_path / name, 2, name=name) for name in ("bare", "one", "two")]
    whole = TrainingSet.collect(sets, mattes=False)
    labels = np.array([[-1, -1], [-1, -1], [0, -1], [-1, -1], [-1, 1], [1, 0]])
    smaller, kept = labelled_items(whole, labels)
    assert smaller.names == ("one", "two")
    assert smaller.sources == (0, 1, 1)
    assert [item.product_id for item in smaller.items] == ["one-0", "two-0", "two-1"]
    assert smaller.pictures == tuple(whole.pictures[n] for n in (2, 4, 5))
    assert kept.tolist() == [[0, -1], [-1, 1], [1, 0]]
    nothing, none = labelled_items(whole, np.full((6, 2), -1))
    assert (nothing.items, none.shape) == ((), (0, 2))


def test_pictures_of_the_pcas_are_drawn_and_the_other_side_stands_in(tmp_path):
    data = toy_data(tmp_path, 4)
    bare = TrainingItem("bare", (), (Path("shop.png"),))
    training_set = TrainingSet.collect([type(data)("toy", (*data.items, bare))], mattes=False)
    street = choose_pictures(training_set, Domain.STREET, most=100, seed=0)
    assert [one.path for one in street] == [p for i in data.items for p in i.street] + [
        Path("shop.png")
    ]
    few = choose_pictures(training_set, Domain.STREET, most=4, seed=0)
    places = [street.index(one) for one in few]
    assert len(few) == 4
    assert places == sorted(places)
    assert few == choose_pictures(training_set, Domain.STREET, most=4, seed=0)
    assert few != choose_pictures(training_set, Domain.STREET, most=4, seed=1)
