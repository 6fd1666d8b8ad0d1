"""The pipeline against one picture at a time, and everything that can go wrong on the way."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshelf.errors import FeaturesError, PictureError
from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop, embed_pictures
from snapshelf.features.product_encoder import ProductParts
from snapshelf.locating import Region, WholePicture


class MeanColour:
    """The mean colour of a picture, and a record of how it was called."""

    dimension = 3
    fingerprint = "mean-colour"

    def __init__(self):
        self.batches = []
        self.domains = set()
        self.encode_threads = set()
        self.prepare_threads = set()

    def prepare(self, picture, domain):
        self.prepare_threads.add(threading.current_thread().name)
        return np.broadcast_to(picture.mean((0, 1)).round().astype(np.uint8), (2, 2, 3)).copy()

    def encode(self, inputs, domain):
        self.batches.append(len(inputs))
        self.domains.add(domain)
        self.encode_threads.add(threading.current_thread().name)
        values = inputs.mean((1, 2)) + 1.0
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


class Columns:
    """As many regions as the picture has columns, one column each."""

    fingerprint = "columns"

    def locate(self, picture):
        height, width = picture.shape[:2]
        return tuple(Region((float(x), 0.0, x + 1.0, float(height))) for x in range(width))


def picture(seed, width=4):
    return np.random.default_rng(seed).integers(0, 256, (3, width, 3), np.uint8)


class SideBySize(MeanColour):
    """Takes street pictures at another size than shop pictures."""

    sizes = {Domain.STREET: (2, 3), Domain.SHOP: (5, 4)}  # noqa: RUF012

    def prepare(self, picture, domain):
        return np.full((*self.sizes[domain], 3), picture.mean(), np.uint8)

    def encode(self, inputs, domain):
        assert inputs.shape[1:3] == self.sizes[domain]
        return super().encode(inputs, domain)


def slow(keys, read, locator, encoder):
    """One picture and one region at a time."""
    for key in keys:
        try:
            found = read(key)
        except PictureError as error:
            yield key, None, (), np.empty((0, encoder.dimension)), str(error)
            continue
        if found is None:
            yield key, None, (), np.empty((0, encoder.dimension)), None
            continue
        regions = locator.locate(found)
        rows = []
        for region in regions:
            x0, y0, x1, y1 = (int(side) for side in region.box)
            inputs = encoder.prepare(found[y0:y1, x0:x1], Domain.SHOP)
            rows.append(encoder.encode(inputs[None], Domain.SHOP)[0])
        yield key, (found.shape[1], found.shape[0]), regions, np.array(rows), None


def run(keys, read, locator=None, encoder=None, **settings):
    settings = {"domain": Domain.SHOP, **settings}
    return embed_pictures(
        keys, read, locator=locator or Columns(), encoder=encoder or MeanColour(), **settings
    )


def assert_same(results, expected):
    results, expected = list(results), list(expected)
    assert len(results) == len(expected)
    for result, (key, size, regions, embeddings, message) in zip(results, expected, strict=True):
        assert (result.key, result.size, result.regions) == (key, size, regions)
        assert (None if result.error is None else str(result.error)) == message
        assert result.embeddings.dtype == np.float32
        assert result.embeddings.shape == (len(regions), 3)
        np.testing.assert_allclose(result.embeddings, embeddings.reshape(-1, 3), atol=1e-6)


OUTCOMES = st.one_of(st.just("error"), st.just("none"), st.integers(1, 9))


@given(
    st.lists(OUTCOMES, max_size=40),
    st.integers(1, 7),
    st.integers(1, 4),
)
@settings(max_examples=80, deadline=None)
def test_is_one_picture_at_a_time(outcomes, batch_size, workers):
    def read(key):
        outcome = outcomes[key]
        if outcome == "error":
            raise PictureError(f"picture {key} is broken")
        return None if outcome == "none" else picture(key, outcome)

    encoder = MeanColour()
    results = run(
        range(len(outcomes)), read, encoder=encoder, batch_size=batch_size, workers=workers
    )
    assert_same(results, slow(range(len(outcomes)), read, Columns(), MeanColour()))
    regions = sum(outcome for outcome in outcomes if isinstance(outcome, int))
    assert sum(encoder.batches) == regions
    assert all(0 < size <= batch_size for size in encoder.batches)


def test_batches_are_full_but_for_the_last():
    encoder = MeanColour()
    widths = [3, 1, 50, 2, 2, 7]
    list(run(range(6), lambda key: picture(key, widths[key]), encoder=encoder, batch_size=8))
    assert encoder.batches == [8] * 8 + [1]


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_each_region_is_described_in_a_worker(batch_size):
    encoder, threads = MeanColour(), set()

    def read(key):
        if key % 5 == 3:
            raise PictureError("broken")
        return None if key % 5 == 4 else picture(key, key % 5 + 1)

    def describe(part):
        threads.add(threading.current_thread().name)
        return part.tobytes()

    results = list(
        run(range(20), read, encoder=encoder, describe=describe, batch_size=batch_size, workers=2)
    )
    for key, result in enumerate(results):
        columns = () if key % 5 > 2 else range(key % 5 + 1)
        whole = picture(key, key % 5 + 1)
        assert result.descriptions == tuple(whole[:, [x]].tobytes() for x in columns)
        assert len(result.descriptions) == len(result.regions)
    assert not threads & (encoder.encode_threads | {threading.current_thread().name})


def test_nothing_is_described_unasked():
    assert all(result.descriptions == () for result in run(range(5), picture))


def test_order_is_kept_though_reading_takes_turns():
    def read(key):
        time.sleep(0.02 if key % 3 == 0 else 0)
        return picture(key)

    results = list(run(range(24), read, workers=4, batch_size=4))
    assert [result.key for result in results] == list(range(24))
    assert_same(results, slow(range(24), picture, Columns(), MeanColour()))


def test_reads_and_prepares_in_workers_and_encodes_in_a_thread_of_its_own():
    encoder, readers = MeanColour(), set()

    def read(key):
        readers.add(threading.current_thread().name)
        time.sleep(0.002)
        return picture(key)

    list(run(range(32), read, encoder=encoder, workers=3, domain=Domain.STREET, batch_size=8))
    here = threading.current_thread().name
    (thread,) = encoder.encode_threads
    assert encoder.domains == {Domain.STREET}
    assert not {here, thread} & (readers | encoder.prepare_threads)
    assert thread != here
    assert len(readers) == 3


def test_an_error_of_the_encoder_comes_out_of_the_generator():
    class Broken(MeanColour):
        def encode(self, inputs, domain):
            if len(self.batches) == 1:
                raise RuntimeError("out of memory")
            return super().encode(inputs, domain)

    results = run(range(12), picture, encoder=Broken(), batch_size=4)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(results)


def test_reading_goes_on_while_the_encoder_is_at_work():
    read_at, busy = [], []

    def read(key):
        read_at.append(time.monotonic())
        time.sleep(0.001)
        return picture(key, 1)

    class Slow(MeanColour):
        def encode(self, inputs, domain):
            start = time.monotonic()
            time.sleep(0.1)
            busy.append((start, time.monotonic()))
            return super().encode(inputs, domain)

    list(run(range(64), read, encoder=Slow(), batch_size=16, workers=2))
    start, end = busy[0]
    assert sum(start < moment < end for moment in read_at) >= 16


@pytest.mark.parametrize("kind", ["pictures", "nothing"])
def test_keys_are_drawn_as_they_are_needed(kind):
    drawn = 0

    def keys():
        nonlocal drawn
        while True:
            drawn += 1
            yield drawn

    def read(key):
        return picture(key) if kind == "pictures" or key == 1 else None

    results = run(keys(), read, batch_size=8, workers=2)
    for _ in range(200):
        next(results)
    assert drawn < 200 + 12 * 8
    results.close()


def test_large_pictures_do_not_pile_up():
    alive, most = 0, 0
    lock = threading.Lock()

    class Counted(np.ndarray):
        def __del__(self):
            nonlocal alive
            with lock:
                alive -= 1

    def read(key):
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)
        made = np.ndarray.__new__(Counted, (4, 4, 3), np.uint8)
        made[:] = 7
        return made

    class Plain(MeanColour):
        def prepare(self, picture, domain):
            return np.zeros((2, 2, 3), np.uint8)

    list(run(range(200), read, WholePicture(), Plain(), workers=2, batch_size=32))
    # Each picture and its crop, for as many as there are workers.
    assert most <= 4


def test_closing_early_ends_the_workers():
    before = threading.active_count()
    results = run(range(1000), picture, workers=3)
    next(results)
    results.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("part", ["read", "locate", "prepare", "describe", "encode", "keys"])
def test_an_unexpected_exception_comes_through(part):
    before = threading.active_count()

    class UnexpectedError(Exception):
        pass

    def fail(*_):
        raise UnexpectedError(part)

    def keys():
        yield from range(5)
        if part == "keys":
            fail()

    encoder, locator = MeanColour(), Columns()
    if part in {"prepare", "encode"}:
        setattr(encoder, part, fail)
    if part == "locate":
        locator.locate = fail
    with pytest.raises(UnexpectedError, match=part):
        list(
            run(
                keys(),
                fail if part == "read" else picture,
                locator,
                encoder,
                describe=fail if part == "describe" else None,
            )
        )
    assert threading.active_count() == before


def test_no_keys_give_nothing():
    encoder = MeanColour()
    assert list(run([], picture, encoder=encoder)) == []
    assert encoder.batches == []


@pytest.mark.parametrize("settings", [{"batch_size": 0}, {"workers": 0}, {"workers": -1}])
def test_settings_below_one_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 1"):
        run([1], picture, **settings)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 6, 4), (0, 4, 0, 6)),
        ((1.2, 0.9, 2.1, 1.1), (0, 2, 1, 3)),
        ((2.0, 1.0, 3.0, 2.0), (1, 2, 2, 3)),
        ((-5, -5, 100, 100), (0, 4, 0, 6)),
        ((5.5, 3.5, 5.6, 3.6), (3, 4, 5, 6)),
        ((2.5, 2.5, 2.5, 2.5), (2, 3, 2, 3)),
        ((6, 4, 6, 4), (3, 4, 5, 6)),
        ((-3, -3, -1, -1), (0, 1, 0, 1)),
    ],
)
def test_crop_keeps_every_pixel_that_the_box_touches(box, expected):
    whole = picture(0, 6)
    whole = np.concatenate([whole, whole[:1]])
    top, bottom, left, right = expected
    assert np.array_equal(crop(whole, box), whole[top:bottom, left:right])
    assert crop(whole, box).size


@pytest.mark.parametrize("domain", list(Domain))
def test_each_side_may_have_a_size_of_its_own(domain):
    found = list(
        embed_pictures(
            range(5), picture, locator=Columns(), encoder=SideBySize(), domain=domain, batch_size=3
        )
    )
    assert [one.embeddings.shape for one in found] == [(4, 3)] * 5


def test_products_are_embedded_and_described_by_their_ids():
    class ByProduct(MeanColour):
        def prepare_product(self, product_id):
            if product_id == "3":
                raise FeaturesError("nothing of 3")
            return np.full((2, 2, 3), 10 * int(product_id), np.uint8)

    class Describer:
        def describe_product(self, product_id):
            return product_id.encode()

    encoder = ByProduct()
    products = ProductParts.of(encoder, Describer(), str)
    found = list(
        embed_pictures(
            range(1, 6), picture, locator=Columns(), encoder=encoder, domain=Domain.SHOP,
            describe=lambda _: b"a picture", products=products,
        )
    )  # fmt: skip
    assert [str(one.error) if one.error else "" for one in found] == [
        "", "", "nothing of 3", "", ""
    ]  # fmt: skip
    for number, one in zip(range(1, 6), found, strict=True):
        if one.error is None:
            assert one.descriptions == (str(number).encode(),) * 4
            np.testing.assert_allclose(one.embeddings, np.full((4, 3), 3**-0.5), atol=1e-6)
    assert ProductParts.of(MeanColour(), None, str) is None
    only = ProductParts.of(encoder, None, str)
    assert (only.encoder, only.describer) == (encoder, None)
