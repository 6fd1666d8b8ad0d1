"""Batches: the same bytes from any number of workers, and from the middle of an epoch."""

import multiprocessing

import numpy as np
import pytest
from toy_data import toy_data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.preprocessing import Preprocessing, prepare  # noqa: E402
from snapshelf.training.augmentation import DomainShift  # noqa: E402
from snapshelf.training.batches import ViewLoader, default_workers  # noqa: E402
from snapshelf.training.negatives import RandomNegatives  # noqa: E402
from snapshelf.training.picture_store import PictureStore  # noqa: E402
from snapshelf.training.sampling import TripletSampler  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402
from snapshelf.training.views import ViewMaker, neighbours  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.5,) * 3, std=(0.5,) * 3)


@pytest.fixture(scope="module")
def training_set(tmp_path_factory):
    return TrainingSet.collect([toy_data(tmp_path_factory.mktemp("toy"), 6)], mattes=True)


@pytest.fixture(scope="module")
def store(training_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    return PictureStore.build(training_set.wanted, side=48, budget=20_000, folder=folder)


@pytest.fixture
def make(training_set, store):
    loaders = []

    def loader(*, workers=0, shift=DomainShift(), bag=3, **more):  # noqa: B008
        views = ViewMaker(
            training_set=training_set, store=store, preprocessing=SPEC, domain_shift=shift
        )
        asked = []

        def negatives(epoch):
            asked.append(epoch)
            return RandomNegatives(np.zeros(len(training_set.items), np.int64))

        made = ViewLoader(
            TripletSampler(training_set, pool=negatives, bag=bag, seed=1),
            views,
            batch=3,
            workers=workers,
            **more,
        )
        made.asked = asked
        loaders.append(made)
        return made

    yield loader
    for each in loaders:
        each.close()


def epoch_of(loader, epoch):
    loader.set_epoch(epoch)
    return list(loader)


def same(a, b):
    return len(a) == len(b) and all(
        torch.equal(p, q) for x, y in zip(a, b, strict=True) for p, q in zip(x, y, strict=True)
    )


def test_shapes_and_types(make):
    batches = epoch_of(make(), 0)
    assert len(batches) == len(make()) == 12 // 3
    for batch in batches:
        assert batch.pictures.shape == (3, 6, 3, 32, 32)
        assert batch.pictures.dtype == torch.uint8
        flat = batch.pictures.flatten(0, 1)
        assert flat.is_contiguous(memory_format=torch.channels_last)
        assert flat.data_ptr() == batch.pictures.data_ptr(), "flattening copies nothing"
        assert batch.items.dtype == torch.int64
        assert batch.weights.tolist() == [1, 1, 1]


def test_no_number_of_workers_changes_a_byte(make):
    expected = [epoch_of(make(), epoch) for epoch in (0, 1)]
    assert not same(*expected)
    for workers in (1, 2):
        loader = make(workers=workers)
        assert same(epoch_of(loader, 0), expected[0])
        assert same(epoch_of(loader, 1), expected[1])
        assert same(epoch_of(loader, 0), expected[0]), "workers outlive their epoch"


@pytest.mark.parametrize("workers", [0, 1])
def test_goes_on_in_the_middle_of_an_epoch(make, workers):
    loader = make(workers=workers)
    loader.set_epoch(4)
    batches = iter(loader)
    first = [next(batches), next(batches)]
    state = loader.state_dict()
    other = make(workers=workers)
    other.load_state_dict(state)
    rest = epoch_of(other, 4)
    assert same([*first, *rest], epoch_of(make(), 4))
    assert same(epoch_of(other, 5), epoch_of(make(), 5)), "the next epoch is whole again"


def test_a_checkpoint_of_an_epochs_end_begins_the_next(make):
    loader = make()
    epoch_of(loader, 0)
    other = make()
    other.load_state_dict(loader.state_dict())
    assert same(epoch_of(other, 1), epoch_of(make(), 1))


def test_nothing_is_drawn_before_a_batch_is_asked_for(make):
    loader = make()
    batches = iter(loader)
    loader.set_epoch(7)
    assert loader.asked == []
    next(batches)
    assert loader.asked == [7]


def test_processes_share_out_an_epoch(make):
    whole = epoch_of(make(), 2)
    parts = [epoch_of(make(rank=rank, world=2), 2) for rank in (0, 1)]
    assert [len(part) for part in parts] == [2, 2]
    assert same([parts[0][0], parts[1][0], parts[0][1], parts[1][1]], whole)


def test_without_augmentation_pictures_are_what_is_searched_with(make, training_set, store):
    loader = make(shift=None)
    views = {
        prepare(store.picture(number), SPEC).tobytes(): number
        for number in range(len(training_set.wanted))
    }
    for batch in epoch_of(loader, 0):
        for item, pictures in zip(batch.items, batch.pictures, strict=True):
            own = training_set.pictures[int(item)]
            numbers = [
                views[np.ascontiguousarray(one.permute(1, 2, 0).numpy()).tobytes()]
                for one in pictures
            ]
            assert numbers[0] in own.street
            assert set(numbers[1:2] + numbers[3:]) == set(own.shop)
            assert numbers[2] not in own.shop


def test_augmented_views_of_one_picture_differ(make):
    for batch in epoch_of(make(), 0):
        for pictures in batch.pictures:
            # The items have one shop picture each: the positive and the bag all show it.
            shown = {pictures[place].numpy().tobytes() for place in (1, 3, 4, 5)}
            assert len(shown) == 4


def test_without_a_bag(make):
    assert epoch_of(make(bag=0), 0)[0].pictures.shape == (3, 3, 3, 32, 32)


def test_too_few_triplets_for_a_batch(make):
    with pytest.raises(TrainingError, match="12 samples, fewer than the 15 of one batch"):
        make(world=5)


def test_neighbours_are_cut_out_shop_pictures(training_set, store):
    chosen = neighbours(training_set, store, count=4, seed=0)
    assert len(chosen) == 4
    shop = [store.picture(n).tobytes() for item in training_set.pictures for n in item.shop]
    assert all(source.picture.tobytes() in shop for source in chosen)
    assert all(source.matte is not None for source in chosen)
    assert len(neighbours(training_set, store, count=99, seed=0)) == 6


def test_default_workers_leave_a_core(monkeypatch):
    monkeypatch.setattr("snapshelf.training.batches.torch.cuda.is_available", lambda: False)
    for cores, expected in ((1, 0), (2, 1), (16, 1)):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid, n=cores: set(range(n)))
        assert default_workers() == expected
    monkeypatch.setattr("snapshelf.training.batches.torch.cuda.is_available", lambda: True)
    for cores, expected in ((1, 1), (2, 1), (16, 15), (64, 16)):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid, n=cores: set(range(n)))
        assert default_workers() == expected


def test_closing_ends_the_workers(make):
    before = set(multiprocessing.active_children())
    loader = make(workers=2)
    epoch_of(loader, 0)
    workers = set(multiprocessing.active_children()) - before
    assert len(workers) == 2
    loader.close()
    assert not workers & set(multiprocessing.active_children())


def test_closing_before_the_first_batch_does_nothing(make):
    make(workers=2).close()
