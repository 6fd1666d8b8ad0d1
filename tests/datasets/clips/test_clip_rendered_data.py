"""A data set of photos as one of clips: what is trained on, and what is searched with."""

from dataclasses import replace

import pytest
from clip_shop import ROOT, Reader, Shop

from snapshelf.datasets import Query, TrainingItem, open_dataset
from snapshelf.datasets.clips import (
    ClipDataset,
    ClipTrainingData,
    Filming,
    RenderedClipData,
    RenderSettings,
    open_clip_dataset,
)
from snapshelf.datasets.clips.clip_dataset import ClipItem
from snapshelf.errors import DatasetError

SMALL = RenderSettings(frames=12, size=(8, 8), cuts=(2, 2), shortest_shot=2)


def rendered(shop=None, **options):
    read = Reader()
    return RenderedClipData(shop or Shop(), Filming(SMALL, read=read), **options), read


def test_there_is_a_clip_for_each_query_and_none_of_the_photos_trained_on():
    data, _ = rendered()
    assert isinstance(data, ClipDataset)
    assert isinstance(data, ClipTrainingData)
    assert (data.name, data.root, data.splits) == ("clips:shop", ROOT, ("val", "test"))
    clips = data.clips("test")
    assert [(clip.id, set(clip.products), clip.category) for clip in clips] == [
        ("cup#0", {"cup"}, "Drinking"),
        ("bowl#0", {"bowl"}, "Eating"),
        ("cup#1", {"cup"}, "Drinking"),
        ("plate#0", {"plate"}, "Eating"),
        ("cup#2", {"cup"}, "Drinking"),
    ]
    assert [product.id for product in data.products()] == ["cup", "plate", "bowl"]
    for split in ("train", "dev"):
        with pytest.raises(ValueError, match=f"split must be one of val, test, got '{split}'"):
            data.clips(split)


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_clip_is_made_of_its_own_split_and_product(split):
    data, read = rendered()
    photos = {query.picture: query.products for query in Shop().queries(split)}
    firsts = []
    for clip in data.clips(split):
        before = len(read.asked)
        list(clip.frames())
        asked = read.asked[before:]
        assert {photos[path] for path in asked} == {clip.products}
        firsts.append(asked[0])
    # Each clip begins with the photo of its query, and cups are cut to one another.
    assert firsts == list(photos)
    assert len(read.asked) == 3 * len(photos)


def test_training_clips_are_of_seen_products_and_training_photos_only():
    data, read = rendered(training_clips=4)
    items = data.training_clips()
    assert [(item.product_id, item.category, len(item.clips)) for item in items] == [
        ("cup", "Drinking", 4),
        ("plate", "Eating", 4),
    ]
    assert items[0].shop == ((ROOT / "cup.jpg", None),)
    for item in items:
        assert data.is_seen(item.product_id)
        for clip in item.clips:
            assert clip.products == {item.product_id}
            list(clip.frames())
    trained = {path for item in Shop().training_items() for path in item.street}
    queries = {query.picture for split in data.splits for query in Shop().queries(split)}
    assert set(read.asked) == trained - {ROOT / "street.jpg"}
    assert not set(read.asked) & queries


def test_training_and_test_clips_of_a_product_differ():
    data, _ = rendered()
    test = next(clip for clip in data.clips("test") if clip.products == {"cup"})
    trained = next(item for item in data.training_clips() if item.product_id == "cup").clips[0]
    assert (test.id, trained.id) == ("cup#0", "cup#0")
    assert next(test.frames()).time == next(trained.frames()).time == 0
    assert test != trained


def test_training_is_as_good_as_endless_by_default():
    data, read = rendered()
    clips = data.training_clips()[0].clips
    assert len(clips) > 1_000_000
    assert not read.asked
    with pytest.raises(ValueError, match="training_clips must be at least 1, got 0"):
        rendered(training_clips=0)


def test_a_box_of_a_query_is_framed():
    data, _ = rendered()
    plate = data.clips("test")[3]
    cup = data.clips("test")[0]
    assert {frame.box for frame in cup.frames()} == {(0.0, 0.0, 8.0, 8.0)}
    assert (0.0, 0.0, 8.0, 8.0) not in {frame.box for frame in plate.frames()}


class Parted(Shop):
    """Its photos show several things, and it tells them apart."""

    def queries(self, split):
        return (Query(ROOT / "all.jpg", frozenset({"cup", "bowl"}), "Eating"),)

    def item_queries(self, split):
        return (
            Query(ROOT / "all.jpg", frozenset({"cup"}), "Drinking", (0.0, 0.0, 20.0, 20.0)),
            Query(ROOT / "all.jpg", frozenset({"bowl"}), "Eating", (30.0, 0.0, 60.0, 20.0)),
        )


def test_items_of_one_photo_have_clips_of_their_own():
    data, _ = rendered(Parted())
    assert [clip.id for clip in data.clips("test")] == ["cup#0", "bowl#0"]


def test_clips_of_several_products_have_ids_of_their_own():
    class Odd(Shop):
        def queries(self, split):
            sets = ({"a", "b"}, {"a+b"}, {"a%2Bb"}, {"b#0", "a"})
            return tuple(Query(ROOT / "p.jpg", frozenset(names), "") for names in sets)

    data, _ = rendered(Odd())
    assert len({clip.id for clip in data.clips("test")}) == 4


def test_a_data_set_without_what_training_needs_is_refused():
    class Lonely(Shop):
        def training_items(self):
            return (TrainingItem("cup", (), (ROOT / "cup.jpg",)),)

    with pytest.raises(DatasetError, match="no product of the data set shop has a street photo"):
        rendered(Lonely())[0].training_clips()

    class Fixed:
        name, splits, root = "fixed", ("test",), ROOT

        def products(self):
            return ()

        def queries(self, split):
            return ()

        def is_seen(self, product_id):
            return False

    with pytest.raises(DatasetError, match="the data set fixed has no training pictures"):
        rendered(Fixed())[0].training_clips()
    assert rendered(Fixed())[0].clips("test") == ()


def test_an_item_lacks_no_side():
    data, _ = rendered()
    item = data.training_clips()[0]
    for side in ("shop", "clips"):
        with pytest.raises(ValueError, match="item 'cup' must have at least one"):
            replace(item, **{side: ()})
    assert isinstance(item, ClipItem)


@pytest.mark.data
def test_clips_of_the_real_groceries(data_dir):
    place = f"grocery:{data_dir / 'grocery'}"
    filming = Filming(replace(SMALL, frames=4, shortest_shot=1))
    data = open_clip_dataset(f"clips:{place}", filming)
    photos = open_dataset(place)
    assert data.splits == ("val", "test")
    queries = photos.queries("test")
    clips = data.clips("test")
    assert [clip.products for clip in clips] == [query.products for query in queries]
    assert len({clip.id for clip in clips}) == len(clips)
    assert len(data.products()) == 81
    shown = {name for clip in clips for name in clip.products}
    unseen = {name for name in shown if not data.is_seen(name)}
    assert len(unseen) > 20
    items = data.training_clips()
    assert len(items) == 54
    assert not unseen & {item.product_id for item in items}
    assert {item.category for item in items} == {clip.category for clip in clips}
    trained = {
        part[0] for item in items for take in (item.clips[0].opened,) for part in take.photos
    }
    searched = {part[0] for clip in clips for part in clip.opened.photos}
    assert searched == {query.picture for query in queries}
    assert not trained & searched
    assert len(list(clips[5].frames())) == len(list(items[3].clips[2].frames())) == 4
