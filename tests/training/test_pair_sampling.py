"""Pairs and single views: who is drawn, from which side, and that nothing but the seed decides."""

from collections import Counter

import numpy as np
import pytest
from toy_data import ToyData, toy_data

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.training.pair_sampling import PairSampler  # noqa: E402
from snapshelf.training.picture_sampling import PictureSampler  # noqa: E402
from snapshelf.training.recolouring import TURNS  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

STREET, SHOP = Domain.STREET, Domain.SHOP


@pytest.fixture(scope="module")
def two_sources(tmp_path_factory):
    """Five products with both sides and seven with the shop side only."""
    folder = tmp_path_factory.mktemp("two")
    both = toy_data(folder / "both", 5, street=3, shop=2, name="both")
    shop = toy_data(folder / "shop", 7, street=0, shop=1, name="shop", first=20)
    data = (ToyData("both", both.items), ToyData("shop", shop.items))
    return TrainingSet.collect(data, mattes=True)


def owner(training_set, picture):
    return next(
        item
        for item, pictures in enumerate(training_set.pictures)
        if picture in pictures.street + pictures.shop
    )


def drawn(sampler, epoch=0, indices=None):
    return list(sampler.draw(epoch, range(len(sampler)) if indices is None else indices))


class TestPairs:
    def test_no_two_pairs_of_a_batch_show_the_same_item(self, two_sources):
        pairs = drawn(PairSampler(two_sources, batch=8, batches=30))
        assert len(pairs) == 8 * 30
        for start in range(0, len(pairs), 8):
            items = [pair.item for pair in pairs[start : start + 8]]
            assert len(set(items)) == 8

    @pytest.mark.parametrize(("sources", "parts"), [({}, (4, 4)), ({"both": 1, "shop": 3}, (2, 6))])
    def test_each_batch_has_its_part_of_each_data_set(self, two_sources, sources, parts):
        pairs = drawn(PairSampler(two_sources, batch=8, batches=10, sources=sources))
        for start in range(0, len(pairs), 8):
            count = Counter(two_sources.sources[pair.item] for pair in pairs[start : start + 8])
            assert (count[0], count[1]) == parts

    def test_a_pair_is_a_street_and_a_shop_view_of_its_item(self, two_sources):
        for pair in drawn(PairSampler(two_sources, batch=8, batches=10)):
            assert [view.side for view in pair.views] == [STREET, SHOP]
            for view in pair.views:
                assert owner(two_sources, view.picture) == pair.item

    def test_the_shop_view_is_of_a_shop_picture(self, two_sources):
        for pair in drawn(PairSampler(two_sources, batch=8, batches=10)):
            assert two_sources.domains[pair.views[1].picture] is SHOP

    @pytest.mark.parametrize("generated", [0.0, 0.3, 1.0])
    def test_street_views_are_generated_as_often_as_asked_for(self, two_sources, generated):
        pairs = drawn(PairSampler(two_sources, batch=8, batches=200, generated=generated))
        of_both = [pair for pair in pairs if two_sources.sources[pair.item] == 0]
        made = [two_sources.domains[pair.views[0].picture] is SHOP for pair in of_both]
        assert np.mean(made) == pytest.approx(generated, abs=0.05)

    @pytest.mark.parametrize("recoloured", [0.0, 0.6, 1.0])
    def test_pairs_are_recoloured_as_often_as_asked_for(self, two_sources, recoloured):
        pairs = drawn(PairSampler(two_sources, batch=8, batches=100, recoloured=recoloured))
        turns = np.array([pair.turn for pair in pairs])
        assert np.mean(turns != 0) == pytest.approx(recoloured, abs=0.05)
        far = turns[turns != 0]
        assert ((far >= TURNS[0]) & (far <= TURNS[1])).all()

    def test_every_item_and_picture_comes(self, two_sources):
        pairs = drawn(PairSampler(two_sources, batch=8, batches=100))
        assert {pair.item for pair in pairs} == set(range(12))
        seen = {view.picture for pair in pairs for view in pair.views}
        assert seen == set(range(len(two_sources.wanted)))

    def test_the_seed_the_epoch_and_the_index_decide(self, two_sources):
        def make(seed=0):
            return PairSampler(two_sources, batch=8, batches=5, seed=seed)

        whole = drawn(make(), 3)
        assert drawn(make(), 3) == whole
        assert drawn(make(), 3, [17, 18, 39, 2]) == [whole[index] for index in (17, 18, 39, 2)]
        assert drawn(make(), 4) != whole
        assert drawn(make(1), 3) != whole
        assert len({pair.seed for pair in whole}) == len(whole)

    def test_refuses_a_batch_that_the_items_cannot_fill(self, two_sources):
        with pytest.raises(TrainingError, match=r"6 different products of both, which has 5"):
            PairSampler(two_sources, batch=12, batches=1)

    def test_refuses_weights_of_other_data_sets(self, two_sources):
        with pytest.raises(TrainingError, match="both, shop, got both, shoes"):
            PairSampler(two_sources, batch=4, batches=1, sources={"both": 1, "shoes": 1})


class TestSingleViews:
    def test_data_sets_are_drawn_by_their_weights_and_items_alike(self, two_sources):
        sampler = PictureSampler(two_sources, count=4000, sources={"both": 3, "shop": 1})
        count = Counter(view.item for view in drawn(sampler))
        assert sum(count[item] for item in range(5)) == pytest.approx(3000, abs=150)
        for item in range(5):
            assert count[item] == pytest.approx(600, abs=120)

    @pytest.mark.parametrize("street", [0.0, 0.75, 1.0])
    def test_sides_come_as_often_as_asked_for(self, two_sources, street):
        views = drawn(PictureSampler(two_sources, count=2000, street=street))
        sides = [one.views[0].side is STREET for one in views]
        assert np.mean(sides) == pytest.approx(street, abs=0.05)
        for one in views:
            (view,) = one.views
            assert owner(two_sources, view.picture) == one.item
            if two_sources.pictures[one.item].street:
                assert two_sources.domains[view.picture] is view.side

    def test_the_seed_the_epoch_and_the_index_decide(self, two_sources):
        whole = drawn(PictureSampler(two_sources, count=50), 2)
        assert drawn(PictureSampler(two_sources, count=50), 2, [9, 4]) == [whole[9], whole[4]]
        assert drawn(PictureSampler(two_sources, count=50), 1) != whole
        assert drawn(PictureSampler(two_sources, count=50, seed=1), 2) != whole

    def test_refuses_weights_of_other_data_sets(self, two_sources):
        with pytest.raises(TrainingError, match="both, shop, got shoes"):
            PictureSampler(two_sources, count=4, sources={"shoes": 1})
