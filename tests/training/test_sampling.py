"""Triplets: who meets whom, from which side, and that nothing but the seed decides."""

import itertools
from collections import Counter

import numpy as np
import pytest
from toy_data import ToyData, toy_data

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.datasets.training_item import TrainingItem  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.training.negatives import RandomNegatives  # noqa: E402
from snapshelf.training.sampling import TripletSampler  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

STREET, SHOP = Domain.STREET, Domain.SHOP


def collect(*data):
    return TrainingSet.collect(data, mattes=True)


def owners(training_set):
    """The item that each picture shows."""
    return {
        picture: item
        for item, pictures in enumerate(training_set.pictures)
        for picture in pictures.street + pictures.shop
    }


def triplets_of(training_set, **settings):
    """A sampler of random negatives."""
    negatives = RandomNegatives(np.zeros(len(training_set.items), np.int64))
    return TripletSampler(training_set, pool=lambda epoch: negatives, **settings)


def all_of(sampler, epoch=0):
    return list(sampler.draw(epoch, range(len(sampler))))


@pytest.fixture
def mixed(tmp_path):
    """Items with both sides, with the street side only, and with the shop side only."""
    return collect(
        ToyData(
            "mixed",
            (
                *toy_data(tmp_path / "both", 4, street=3, shop=4).items,
                *toy_data(tmp_path / "street", 2, street=2, shop=0, first=10).items,
                *toy_data(tmp_path / "shop", 2, street=0, shop=2, first=20).items,
            ),
        )
    )


class TestTrainingSet:
    def test_numbers_every_picture_once(self, mixed):
        numbers = [n for item in mixed.pictures for n in item.street + item.shop]
        assert numbers == list(range(len(mixed.wanted))) == list(range(4 * 7 + 4 + 4))
        for item, pictures in zip(mixed.items, mixed.pictures, strict=True):
            assert tuple(mixed.wanted[n].path for n in pictures.street) == item.street
            assert tuple(mixed.wanted[n].path for n in pictures.shop) == item.shop
            assert all(mixed.domains[n] is STREET for n in pictures.street)
            assert all(mixed.domains[n] is SHOP for n in pictures.shop)

    def test_mattes_of_the_shop_side_and_of_what_must_stand_in_for_it(self, mixed):
        for item, pictures in zip(mixed.items, mixed.pictures, strict=True):
            assert all(mixed.wanted[n].matte for n in pictures.shop)
            assert all(mixed.wanted[n].matte == (not item.shop) for n in pictures.street)

    def test_boxes_come_along(self, tmp_path):
        items = toy_data(tmp_path, 2).items
        boxed = TrainingItem("b", items[0].street, (), {}, {items[0].street[1]: (1, 2, 3, 4)})
        pictures = collect(ToyData("a", (boxed, items[1]))).wanted
        assert [picture.box for picture in pictures[:2]] == [None, (1, 2, 3, 4)]

    def test_the_digest_tells_items_and_pictures_but_not_folders(self, tmp_path):
        one = collect(toy_data(tmp_path / "a", 3))
        assert collect(toy_data(tmp_path / "b", 3)).digest == one.digest
        others = [
            collect(toy_data(tmp_path / "c", 4)),
            collect(toy_data(tmp_path / "d", 3, shop=2)),
            collect(toy_data(tmp_path / "e", 3, name="other")),
        ]
        assert len({one.digest, *(other.digest for other in others)}) == 4

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda p: [toy_data(p, 1)], "at least two products are needed, got 1"),
            (lambda p: [ToyData("none", ())], "none has no item to train on"),
            (lambda p: [toy_data(p, 2), toy_data(p, 2)], "may be given once, got toy, toy"),
        ],
    )
    def test_what_cannot_be_trained_on(self, tmp_path, make, message):
        with pytest.raises(TrainingError, match=message):
            collect(*make(tmp_path))


class TestSides:
    def test_an_epoch_has_every_anchor_once(self, mixed):
        sampler = triplets_of(mixed)
        anchors = Counter(triplet.views[0].picture for triplet in all_of(sampler))
        expected = [n for pictures in mixed.pictures for n in (pictures.street or pictures.shop)]
        assert anchors == Counter(expected)

    def test_anchors_are_street_pictures_wherever_there_are_any(self, mixed):
        for epoch in range(3):
            for triplet in all_of(triplets_of(mixed), epoch):
                anchor, positive, negative, *bag = triplet.views
                assert anchor.side is STREET
                assert all(view.side is SHOP for view in (positive, negative, *bag))
                for view, wanted in ((anchor, STREET), (positive, SHOP), (negative, SHOP)):
                    item = mixed.pictures[owners(mixed)[view.picture]]
                    own = item.street if wanted is STREET else item.shop
                    assert (mixed.domains[view.picture] is wanted) == bool(own)

    def test_who_belongs_to_whom(self, mixed):
        owner = owners(mixed)
        for triplet in all_of(triplets_of(mixed)):
            anchor, positive, negative, *bag = (owner[view.picture] for view in triplet.views)
            assert anchor == positive == triplet.item
            assert negative != anchor
            assert set(bag) == {anchor}
            assert triplet.weight == 1

    @pytest.mark.parametrize("side", ["street", "shop", "any"])
    def test_sides_can_be_chosen(self, mixed, side):
        sampler = triplets_of(mixed, anchors=side, positives=side, negatives=side)
        for triplet in all_of(sampler):
            for view in triplet.views:
                expected = mixed.domains[view.picture] if side == "any" else Domain(side)
                assert view.side is expected

    def test_with_any_side_every_picture_is_an_anchor_and_never_its_own_positive(self, mixed):
        sampler = triplets_of(mixed, anchors="any", positives="any")
        triplets = all_of(sampler)
        assert len(triplets) == len(mixed.wanted)
        assert all(t.views[0].picture != t.views[1].picture for t in triplets)

    def test_one_picture_is_its_own_positive(self, tmp_path):
        alone = collect(toy_data(tmp_path, 2, street=0, shop=1))
        for triplet in all_of(triplets_of(alone)):
            assert triplet.views[0].picture == triplet.views[1].picture
            assert (triplet.views[0].side, triplet.views[1].side) == (STREET, SHOP)


class TestBags:
    @pytest.mark.parametrize(("shop", "different"), [(1, 1), (2, 2), (3, 3), (5, 3)])
    def test_holds_as_many_different_pictures_as_there_are(self, tmp_path, shop, different):
        data = collect(toy_data(tmp_path, 2, shop=shop))
        for triplet in all_of(triplets_of(data, bag=3)):
            bag = [view.picture for view in triplet.views[3:]]
            assert len(bag) == 3
            assert len(set(bag)) == different

    def test_may_be_left_out(self, tmp_path):
        data = collect(toy_data(tmp_path, 2))
        sampler = triplets_of(data, bag=0)
        assert sampler.views_per_group == 3
        assert all(len(triplet.views) == 3 for triplet in all_of(sampler))


class TestRandomness:
    def test_follows_from_seed_epoch_and_index_only(self, mixed):
        whole = all_of(triplets_of(mixed, seed=3), 5)
        again = triplets_of(mixed, seed=3)
        indices = [7, 2, 11, 0]
        assert list(again.draw(5, indices)) == [whole[each] for each in indices]
        assert len({triplet.seed for triplet in whole}) == len(whole)

    def test_seeds_and_epochs_differ(self, mixed):
        runs = [
            all_of(triplets_of(mixed, seed=seed), epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))
        ]
        for a, b in ((0, 1), (0, 2), (1, 2)):
            assert [t.views for t in runs[a]] != [t.views for t in runs[b]]
            assert not {t.seed for t in runs[a]} & {t.seed for t in runs[b]}

    def test_positives_and_negatives_are_spread_evenly(self, tmp_path):
        data = collect(toy_data(tmp_path, 5, street=1, shop=4))
        sampler = triplets_of(data)
        positives, negatives = Counter(), Counter()
        for epoch in range(400):
            triplet = next(sampler.draw(epoch, [0]))
            positives[data.pictures[triplet.item].shop.index(triplet.views[1].picture)] += 1
            negatives[(owners(data)[triplet.views[2].picture] - triplet.item) % 5] += 1
        assert set(positives) == {0, 1, 2, 3}
        assert min(positives.values()) > 60
        assert set(negatives) == {1, 2, 3, 4}
        assert min(negatives.values()) > 60

    def test_triplets_are_recoloured_as_often_as_asked_for(self, mixed):
        triplets = all_of(triplets_of(mixed, count=1000, recoloured=0.3))
        assert np.mean([triplet.turn != 0 for triplet in triplets]) == pytest.approx(0.3, abs=0.05)
        plain = all_of(triplets_of(mixed, count=1000))
        assert not any(triplet.turn for triplet in plain)
        assert [t.views for t in plain] == [t.views for t in triplets]


class TestSources:
    @pytest.fixture
    def two(self, tmp_path):
        return collect(
            toy_data(tmp_path / "a", 2, street=2, name="a"),
            toy_data(tmp_path / "b", 6, street=3, name="b", first=10),
        )

    @pytest.mark.parametrize(
        ("weights", "expected"), [({"a": 1, "b": 1}, 50), ({"a": 3, "b": 1}, 75)]
    )
    def test_weights_share_out_an_epoch(self, two, weights, expected):
        sampler = triplets_of(two, count=100, sources=weights)
        triplets = all_of(sampler)
        assert sum(two.sources[triplet.item] == 0 for triplet in triplets) == expected
        # Within a data set every anchor comes as often as any other, but for one.
        for source in (0, 1):
            counts = Counter(t.views[0].picture for t in triplets if two.sources[t.item] == source)
            assert len(counts) == (4, 18)[source]
            assert max(counts.values()) - min(counts.values()) <= 1

    def test_data_sets_are_mixed_within_an_epoch(self, two):
        sampler = triplets_of(two, count=100, sources={"a": 1, "b": 1})
        sources = [two.sources[triplet.item] for triplet in all_of(sampler)]
        assert 20 < sum(a != b for a, b in itertools.pairwise(sources)) < 80

    def test_more_triplets_than_anchors(self, two):
        sampler = triplets_of(two, count=50)
        counts = Counter(triplet.views[0].picture for triplet in all_of(sampler))
        assert sum(counts.values()) == 50
        assert set(counts.values()) == {2, 3}

    @pytest.mark.parametrize("weights", [{"a": 1}, {"a": 1, "b": 1, "c": 1}, {"x": 1, "b": 1}])
    def test_weights_of_other_data_sets_are_refused(self, two, weights):
        with pytest.raises(TrainingError, match="each of the data sets a, b, got"):
            triplets_of(two, sources=weights)


def test_a_large_set_is_dealt_quickly():
    """100,000 items of one picture each; only what is asked for is drawn."""
    from pathlib import Path
    from time import process_time

    paths = [Path(f"{number}.jpg") for number in range(100_000)]
    data = collect(ToyData("large", tuple(TrainingItem(str(p), (p,), (p,)) for p in paths)))
    sampler = triplets_of(data)
    began = process_time()
    triplets = list(sampler.draw(0, range(80)))
    assert process_time() - began < 2
    assert len({triplet.item for triplet in triplets}) == 80
    assert np.mean([triplet.item for triplet in triplets]) == pytest.approx(50_000, rel=0.4)
