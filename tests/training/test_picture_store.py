"""`PictureStore`: the same pixels from memory, from disk, and in another process."""

import multiprocessing

import numpy as np
import pytest
from PIL import Image

from snapshelf.training.picture_store import PictureStore, WantedPicture
from snapshelf.training.training_error import TrainingError

SIZES = [(40, 30), (200, 100), (7, 90), (64, 64), (1, 1)]


@pytest.fixture
def wanted(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for number, (height, width) in enumerate(SIZES):
        file = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(file)
        rows.append(WantedPicture(file, matte=number % 2 == 0))
    return rows


def build(wanted, folder, *, side=64, budget=10**9, **more):
    return PictureStore.build(wanted, side=side, budget=budget, folder=folder, workers=2, **more)


def contents(store):
    return [(store.picture(number), store.matte(number)) for number in range(len(store))]


def same(a, b):
    return all(
        np.array_equal(p, q) and ((m is None and n is None) or np.array_equal(m, n))
        for (p, m), (q, n) in zip(a, b, strict=True)
    )


def test_pictures_are_shrunk_to_the_side_and_never_enlarged(tmp_path, wanted):
    store = build(wanted, tmp_path / "c")
    shapes = [picture.shape for picture, _ in contents(store)]
    assert shapes == [(40, 30, 3), (64, 32, 3), (5, 64, 3), (64, 64, 3), (1, 1, 3)]
    exact = np.asarray(Image.open(wanted[0].path))
    assert np.array_equal(store.picture(0), exact)
    large = np.asarray(Image.open(wanted[1].path)).astype(float)
    # 200 x 100 to 64 x 32: the mean stays, and pixels are averages of theirs.
    assert store.picture(1).mean() == pytest.approx(large.mean(), abs=1)
    assert store.picture(1).std() < 0.6 * large.std()


def test_mattes_are_kept_where_wanted(tmp_path, wanted):
    for number, (picture, matte) in enumerate(contents(build(wanted, tmp_path / "c"))):
        assert (matte is not None) == (number % 2 == 0)
        if matte is not None:
            assert matte.dtype == np.float32
            assert matte.shape == picture.shape[:2]
            assert 0 <= matte.min() <= matte.max() <= 1


def test_memory_disk_and_anything_between_are_the_same(tmp_path, wanted):
    whole = build(wanted, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    everything = contents(whole)
    for number, budget in enumerate((0, 4000, 12_000)):
        folder = tmp_path / f"b{number}"
        store = build(wanted, folder, budget=budget)
        assert same(contents(store), everything)
        kept = sum(p.nbytes + (0 if m is None else m.size) for p, m in everything)
        on_disk = (folder / "pictures.raw").stat().st_size
        assert kept - budget <= on_disk < kept or (budget == 0 and on_disk == kept)
        store.close()
        assert not folder.exists()
        store.close()


def test_what_is_given_out_cannot_be_written_to(tmp_path, wanted):
    for budget in (0, 10**9):
        store = build(wanted, tmp_path / f"{budget}", budget=budget)
        with pytest.raises(ValueError, match="read-only"):
            store.picture(0)[0, 0] = 0


def total(store):
    return sum(int(store.picture(number).sum()) for number in range(len(store)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_other_processes_read_the_same(tmp_path, wanted, method):
    store = build(wanted, tmp_path / "c", budget=4000)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(total, (store,)) == total(store)


def test_a_box_is_cut_out_first(tmp_path, wanted):
    whole = np.asarray(Image.open(wanted[3].path))
    store = build([WantedPicture(wanted[3].path, box=(8, 16, 40, 48))], tmp_path / "c")
    assert np.array_equal(store.picture(0), whole[16:48, 8:40])
    assert store.picture(0).flags.c_contiguous


def test_progress_is_told(tmp_path, wanted):
    seen = []
    build(wanted, tmp_path / "c", progress=lambda done, of: seen.append((done, of)))
    assert seen == [(number + 1, len(wanted)) for number in range(len(wanted))]


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "folder"])
def test_a_picture_that_cannot_be_read_is_named(tmp_path, wanted, damage):
    file = tmp_path / "bad.png"
    if damage == "text":
        file.write_text("no picture")
    elif damage == "cut":
        file.write_bytes(wanted[1].path.read_bytes()[:200])
    elif damage == "folder":
        file.mkdir()
    with pytest.raises(TrainingError, match=r"a training picture cannot be used: .*bad\.png") as e:
        build([*wanted, WantedPicture(file)], tmp_path / "c")
    assert str(e.value).count("bad.png") == 1


@pytest.mark.parametrize("change", [{"side": 0}, {"budget": -1}])
def test_mistakes_of_the_caller(tmp_path, wanted, change):
    with pytest.raises(ValueError, match="side >= 1 and budget >= 0"):
        build(wanted, tmp_path / "c", **change)
