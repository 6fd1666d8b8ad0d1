"""Locators and part models that a recipe of `three-level` names: kept in the folder, told apart."""

import dataclasses
import shutil

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from coloured_products import TINY, toy  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings  # noqa: E402
from snapshelf.locating.feature_pyramid import PyramidSettings  # noqa: E402
from snapshelf.locating.locator_file import save_locator  # noqa: E402
from snapshelf.locating.part_model import Component, Part, PartModel  # noqa: E402
from snapshelf.locating.part_model_file import save_part_model  # noqa: E402
from snapshelf.locating.ranked_proposals import RankedProposals  # noqa: E402
from snapshelf.locating.whole_if_plain import WholeIfPlain  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.three_level import train_three_level  # noqa: E402
from snapshelf.systems.three_level_tables import three_level_rows, three_level_tables  # noqa: E402
from snapshelf.training.monitor import Monitor  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

PARTS = 3


def scene():
    """A red disc on a black foot before stripes of many colours, of 200 x 160 pixels."""
    stripes = np.random.default_rng(1).integers(90, 220, (1, 10, 3)).repeat(16, 1).repeat(200, 0)
    picture = np.ascontiguousarray(stripes.astype(np.uint8))
    cv2.circle(picture, (60, 80), 30, (250, 10, 20), -1)
    cv2.rectangle(picture, (40, 110), (80, 150), (0, 0, 0), -1)
    return picture


@pytest.fixture
def located(tmp_path):
    """A recipe that names a locator and a part model, and the locator itself."""
    locator = RankedProposals(EdgeBoxes(EdgeBoxesSettings(count=20)))
    save_locator(tmp_path / "chosen", locator)
    rng = np.random.default_rng(2)

    def weights(height, width):
        return rng.normal(0, 0.05, (height, width, 32)).astype(np.float32)

    parts = tuple(Part(weights(2, 2), (row, 1), (0.0, 0.0, 0.05, 0.05)) for row in range(PARTS))
    model = PartModel((Component(weights(4, 4), 0.0, parts),), PyramidSettings(levels=2, pad=2))
    save_part_model(tmp_path / "model", model)
    settings = dataclasses.replace(
        TINY,
        street_epochs=1,
        shop_epochs=1,
        locator=str(tmp_path / "chosen"),
        part_model=str(tmp_path / "model"),
    )
    return settings, locator


def test_the_folder_holds_what_it_was_made_with(located, tmp_path):
    settings, locator = located
    data, out = toy(tmp_path / "data"), tmp_path / "out"
    system = train_three_level([data], settings, out)
    picture = scene()
    inputs = system.encoder.prepare(picture, Domain.STREET)
    assert inputs.shape == ((2 + PARTS) * 32, 32, 3)
    (first, *_) = locator.locate(picture)
    x0, y0, x1, y1 = (int(value) for value in first.box)
    assert (x0, y0, x1, y1) != (0, 0, 160, 200)
    region = system.encoder.prepare(np.ascontiguousarray(picture[y0:y1, x0:x1]), Domain.STREET)[:32]
    assert np.array_equal(inputs[32:64], region)
    # On a plain background the whole is the region.
    plain = np.full_like(picture, 255)
    plain[50:150, 40:120] = picture[50:150, 40:120]
    inputs = system.encoder.prepare(plain, Domain.STREET)
    assert np.array_equal(inputs[:32], inputs[32:64])

    shutil.rmtree(tmp_path / "chosen")
    shutil.rmtree(tmp_path / "model")
    shutil.move(out, tmp_path / "elsewhere")
    again = System.load(tmp_path / "elsewhere")
    assert again.fingerprint == system.fingerprint
    assert np.array_equal(
        again.encoder.prepare(picture, Domain.STREET),
        system.encoder.prepare(picture, Domain.STREET),
    )
    shutil.rmtree(tmp_path / "elsewhere" / "locator")
    with pytest.raises(ModelError, match=r"made with the locator .*, got 'whole-picture'"):
        System.load(tmp_path / "elsewhere")


def test_another_locator_in_the_same_folder_is_not_gone_on_with(located, tmp_path):
    settings, _ = located
    data, out = toy(tmp_path / "data"), tmp_path / "out"
    train_three_level([data], settings, out)
    other = RankedProposals(EdgeBoxes(EdgeBoxesSettings(count=21)))
    save_locator(tmp_path / "chosen", other)
    with pytest.raises(TrainingError, match=r"locator was .*, is .*another folder"):
        train_three_level([data], settings, out, resume=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [("locator", "must be the folder of a locator"), ("part_model", "part_model")],
)
def test_a_folder_that_holds_nothing_is_refused_before_training(located, tmp_path, name, message):
    settings = dataclasses.replace(located[0], **{name: str(tmp_path / "nothing")})
    with pytest.raises(ModelError, match=message):
        train_three_level([toy(tmp_path / "data")], settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def identities(settings):
    tables = three_level_rows(settings, lambda *_: None)
    return {row.training.name: row.training.identity for each in tables for row in each.rows}


def test_rows_are_told_apart_by_what_the_folders_hold(located, tmp_path):
    settings, locator = located
    levels = {"three-level", "no-1", "no-2", "no-3", "no-conv5"}
    before = identities(settings)
    assert before["three-level"]["locator"] == WholeIfPlain(locator).fingerprint

    def differing(after):
        return {name for name in before if before[name] != after[name]}

    shutil.copytree(tmp_path / "chosen", tmp_path / "copied")
    moved = dataclasses.replace(settings, locator=str(tmp_path / "copied"))
    assert differing(identities(moved)) == set()
    grid = dataclasses.replace(settings, part_model=None)
    assert differing(identities(grid)) == levels
    whole = dataclasses.replace(settings, locator=None)
    assert differing(identities(whole)) == {*levels, "sag-fc1"}
    with pytest.raises(ModelError, match="must be the folder of a locator"):
        identities(dataclasses.replace(settings, locator=str(tmp_path / "nothing")))


def test_rows_share_what_they_describe_and_are_the_systems_that_training_makes(located, tmp_path):
    settings, _ = located
    data = toy(tmp_path / "data")
    (tmp_path / "rows").mkdir()
    with three_level_tables([data], settings, tmp_path / "rows" / "any") as (first, second):
        made = {}
        for row in (first.rows[-1], second.rows[2]):
            folder = tmp_path / "rows" / row.training.name
            made[row.training.name] = row.training.make(0, folder, Monitor())
        (memory,) = (tmp_path / "rows" / "networks").glob("*.sqlite")
        alone = train_three_level([data], settings, tmp_path / "alone")
        whole = made["three-level"]
        assert whole.fingerprint == alone.fingerprint
        inputs = alone.encoder.prepare(scene(), Domain.STREET)[None]
        for domain in Domain:
            found = whole.encoder.encode(inputs, domain)
            np.testing.assert_allclose(found, alone.encoder.encode(inputs, domain), atol=1e-5)
        assert made["no-3"].encoder.prepare(scene(), Domain.STREET).shape[0] == 2 * 32
    assert not memory.exists()
