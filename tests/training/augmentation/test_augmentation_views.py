"""Street and shop views: sizes, seeds, what is kept of a source, and what is never done to it."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from augmentation_pictures import mug, only, photo

from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.training.augmentation import (
    Backgrounds,
    DomainShift,
    Effect,
    Source,
    shop_view,
    street_view,
)
from snapshelf.training.augmentation import camera as cameras
from snapshelf.training.augmentation import domain_shift as views

SIZE = (64, 48)
POOL = Backgrounds(pictures=(photo((90, 90), 7).picture,)).with_items(
    [mug(), mug(colour=(9, 99, 9))]
)


def rng(seed=0):
    return np.random.default_rng(seed)


def both(source, seed, settings=DomainShift(), size=SIZE, pool=POOL):  # noqa: B008
    return (
        street_view(source, size=size, rng=rng(seed), settings=settings, backgrounds=pool),
        shop_view(source, size=size, rng=rng(seed), settings=settings),
    )


def sources(shape):
    picture = np.full((*shape, 3), 255, np.uint8)
    matte = np.zeros(shape, np.float32)
    inner = tuple(slice(side // 4, max(side // 4 + 1, 3 * side // 4)) for side in shape)
    picture[inner], matte[inner] = (90, 30, 160), 1
    noise = rng(1).integers(0, 256, picture.shape, np.uint8)
    for each in (picture, noise, np.full_like(picture, 255), np.full_like(picture, 77)):
        for domain in Domain:
            for own in (matte, np.ones_like(matte), np.zeros_like(matte), None):
                yield Source(each, own, domain)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 2), (60, 90)])
@pytest.mark.parametrize("size", [(1, 1), (32, 32), (20, 64)])
def test_any_picture_gives_views_of_the_size_asked_for(shape, size):
    for number, source in enumerate(sources(shape)):
        for view in both(source, number, size=size):
            assert (view.shape, view.dtype) == ((*size, 3), np.uint8)
            assert view.flags.owndata or view.base is not source.picture


@pytest.mark.parametrize("source", [mug(), photo(), replace(mug(), domain=Domain.STREET)])
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(source):
    before = source.picture.tobytes()
    first = [[view.tobytes() for view in both(source, seed)] for seed in range(6)]
    np.random.seed(1)
    cv2.setRNGSeed(99)
    again = [[view.tobytes() for view in both(source, seed)] for seed in range(6)]
    assert first == again
    assert len({street for street, _ in first}) == 6
    assert len({shop for _, shop in first}) == 6
    assert source.picture.tobytes() == before


def test_threads_and_other_processes_make_the_same_views():
    here = [both(mug(), seed)[0] for seed in range(8)]
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda seed: both(mug(), seed)[0], range(8)))
    assert all(np.array_equal(one, two) for one, two in zip(here, found, strict=True))

    sent = pickle.dumps((mug(), DomainShift(), POOL))
    program = (
        "import pickle, sys, numpy as np\n"
        "from snapshelf.training.augmentation import street_view\n"
        "source, settings, pool = pickle.loads(sys.stdin.buffer.read())\n"
        "for seed in range(8):\n"
        "    view = street_view(source, size=(64, 48), rng=np.random.default_rng(seed),\n"
        "                       settings=settings, backgrounds=pool)\n"
        "    sys.stdout.buffer.write(view.tobytes())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=sent, capture_output=True, check=True, env=os.environ
    )
    assert done.stdout == b"".join(view.tobytes() for view in here)


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5,), (5, 5, 3)])
def test_no_size_is_refused(size):
    for view in (street_view, shop_view):
        with pytest.raises(ValueError, match=r"size must be \(height, width\), each at least 1"):
            view(mug(), size=size, rng=rng())


@pytest.mark.parametrize("shape", [(64, 64), (90, 60), (50, 81)])
def test_where_nothing_happens_a_view_is_what_preprocessing_makes(shape):
    spec = Preprocessing(size=(64, 64), mean=(0, 0, 0), std=(1, 1, 1), background=(255, 255, 255))
    real = photo(shape)
    street, shop = both(real, 0, DomainShift.none(), (64, 64))
    expected = prepare(real.picture, spec).astype(int)
    assert np.abs(street - expected).mean() < 3
    assert np.abs(shop - expected).mean() < 3


def test_where_nothing_happens_a_square_shop_picture_stays():
    source = replace(photo((64, 64)), domain=Domain.SHOP)
    view = shop_view(source, size=(64, 64), rng=rng(), settings=DomainShift.none())
    assert np.abs(view.astype(int) - source.picture).max() <= 1


def test_where_nothing_happens_the_item_lies_whole_on_the_background():
    source = mug((120, 120))
    grey = np.full((50, 50, 3), 128, np.uint8)
    view = street_view(
        source,
        size=(80, 80),
        rng=rng(),
        settings=DomainShift.none(),
        backgrounds=Backgrounds(pictures=(grey,)),
    )
    # The item is 80 x 80 of 120 x 120, and at scale 1 it fills the view.
    expected = cv2.resize(source.picture[20:100, 20:100], (80, 80)).astype(int)
    assert np.abs(view - expected).mean() < 3


def test_a_shop_picture_loses_its_background_and_a_photo_never_does(monkeypatch):
    scenes = []
    monkeypatch.setattr(
        views,
        "draw_scene",
        lambda item, size, *rest: scenes.append(item) or np.zeros((*size, 3), np.uint8),
    )
    noisy = Source(photo((90, 70)).picture, mug().matte, Domain.STREET)
    cases = (
        (mug(), True),
        (replace(mug(), matte=None), True),
        (replace(mug(), domain=Domain.STREET), True),
        (replace(noisy, domain=Domain.SHOP), True),
        (noisy, False),
        (photo(), False),
        (replace(mug(), matte=None, domain=Domain.STREET), False),
        (replace(mug(), matte=np.ones((90, 70), np.float32)), False),
    )
    for source, expected in cases:
        scenes.clear()
        street_view(source, size=SIZE, rng=rng())
        assert bool(scenes) == expected, source.domain


def test_shop_views_stand_on_white_in_any_light():
    dim = only(shop_exposure=True, shop_scale=(0.5, 0.5))
    lights = set()
    for seed in range(20):
        as_shop = replace(photo((50, 50)), domain=Domain.SHOP)
        view = shop_view(as_shop, size=(64, 64), rng=rng(seed), settings=dim)
        # At half the size, moved by at most a quarter of what is spare.
        assert (view[:7] == 255).all()
        assert (view[:, :7] == 255).all()
        lights.add(round(float(view[28:36, 28:36].mean())))
    assert len(lights) > 4


def test_a_photo_is_cut_out_onto_white_as_often_as_asked():
    source = Source(photo((90, 70)).picture, mug().matte, Domain.STREET)
    never, always = (only(cut_photos=share, pad_photos=0.0) for share in (0.0, 1.0))
    for seed in range(10):
        cut = shop_view(source, size=(64, 64), rng=rng(seed), settings=always)
        corners = cut[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners == 255).all()
        assert cut[32, 32].min() < 250
        whole = shop_view(source, size=(64, 64), rng=rng(seed), settings=never)
        assert (whole[[0, 0, -1, -1], [0, -1, 0, -1]] < 255).any()


def test_a_flip_mirrors():
    source = replace(photo(SIZE), domain=Domain.SHOP)
    plain = shop_view(source, size=SIZE, rng=rng(), settings=only(flip=0.0))
    mirrored = shop_view(source, size=SIZE, rng=rng(), settings=only(flip=1.0))
    assert np.abs(mirrored.astype(int) - plain[:, ::-1]).max() <= 1
    real = photo(SIZE)
    plain = street_view(real, size=SIZE, rng=rng(), settings=only(flip=0.0))
    mirrored = street_view(real, size=SIZE, rng=rng(), settings=only(flip=1.0))
    assert np.abs(mirrored.astype(int) - plain[:, ::-1]).max() <= 1


@pytest.mark.parametrize("area", [(0.35, 0.35), (0.6, 0.6), (1.0, 1.0)])
def test_a_view_of_a_photo_shows_the_area_asked_for(area):
    """The photo's red channel is x and its green one y: a view tells which part it shows."""
    y, x = np.mgrid[0:250, 0:250].astype(np.uint8)
    real = Source(np.dstack([x, y, np.zeros_like(x)]), None, Domain.STREET)
    for seed in range(20):
        settings = only(photo_area=area, pad_photos=0.0)
        view = street_view(real, size=(64, 64), rng=rng(seed), settings=settings).astype(int)
        wide = (view[32, -1, 0] - view[32, 0, 0]) / 63 * 64
        tall = (view[-1, 32, 1] - view[0, 32, 1]) / 63 * 64
        assert wide * tall / 250**2 == pytest.approx(area[0], abs=0.04)
        assert 1 / 1.2 < wide / tall < 1.2


def test_padded_photos_keep_their_shape():
    real = photo((40, 80))
    view = street_view(real, size=(64, 64), rng=rng(), settings=only(pad_photos=1.0))
    assert (view[:16] == 255).all()
    assert (view[48:] == 255).all()
    assert (view[16:48] < 250).any(axis=2).mean() > 0.9


def test_colour_blind_pictures_stay_grey_but_for_the_light():
    grey = np.repeat(photo().picture[..., :1], 3, axis=2)
    settings = replace(DomainShift(), exposure=Effect(0.0), jpeg=Effect(0.0), glass=Effect(0.0))
    for seed in range(10):
        view = street_view(
            Source(grey, None, Domain.STREET), size=SIZE, rng=rng(seed), settings=settings
        )
        assert np.ptp(view.astype(int), axis=2).max() <= 2


EFFECTS = {
    "cast_shadow",
    "side_light",
    "streaks",
    "shelf_glare",
    "glass",
    "exposure",
    "motion_blur",
    "focus_blur",
    "jpeg",
}


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_each_effect_of_the_camera_happens_by_its_own_setting(name, monkeypatch):
    called = []
    for each in EFFECTS:
        original = getattr(cameras, each)
        monkeypatch.setattr(
            cameras,
            each,
            lambda *args, each=each, original=original, **more: (
                called.append(each) or original(*args, **more)
            ),
        )
    for seed in range(5):
        street_view(photo(), size=SIZE, rng=rng(seed), settings=only(**{name: True}))
    assert called == [name] * 5
    called.clear()
    street_view(photo(), size=SIZE, rng=rng(), settings=DomainShift.none())
    assert called == []


@pytest.mark.data
def test_views_of_real_shop_pictures_are_told_from_black_and_white(data_dir):
    """In nearly all views there is something to be seen: neither dark, nor burnt out, nor flat."""
    from snapshelf.training.augmentation import alpha_matte

    files = sorted(data_dir.glob("grocery/iconic-images-and-descriptions/**/*.jpg"))[::12]
    assert files
    pool = Backgrounds.from_folder(data_dir / "ccp" / "photos", at_most=12, longest_side=200)
    poor = 0
    for file in files:
        picture = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        picture = cv2.resize(picture, (200, 200), interpolation=cv2.INTER_AREA)
        source = Source(picture, alpha_matte(picture), Domain.SHOP)
        for seed in range(15):
            view = street_view(source, size=(96, 96), rng=rng(seed), backgrounds=pool)
            poor += not (25 < view.mean() < 235 and view.std() > 10)
    assert poor <= 0.02 * 15 * len(files)
