"""`located`: a locator's folder in front of a base system."""

import json

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.locating.edge_boxes import EdgeBoxes
from snapshelf.locating.locator_file import save_locator
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.locating.whole_if_plain import WholeIfPlain
from snapshelf.systems.registry import load_system

LOCATOR = RankedProposals(EdgeBoxes(), most=3)
CALIBRATION = {"slope": 2.0, "intercept": -1.0, "threshold": 0.25}


@pytest.fixture
def write(tmp_path):
    save_locator(tmp_path / "out" / "locator", LOCATOR)

    def write_settings(**changes):
        settings = {"system": "located", "base": "classical", "locator": "locator", **changes}
        kept = {name: value for name, value in settings.items() if value is not None}
        (tmp_path / "out" / "system.json").write_text(json.dumps(kept))
        return tmp_path / "out"

    return write_settings


def test_the_locator_goes_in_front_of_the_base(write):
    system, base = load_system(write()), load_system("classical")
    assert system.locator.fingerprint == WholeIfPlain(LOCATOR).fingerprint
    assert system.encoder.fingerprint == base.encoder.fingerprint
    assert system.fingerprint != base.fingerprint
    assert system.name == str(write().resolve())


def test_plain_pictures_stay_whole_and_others_are_located_in(write):
    system = load_system(write())
    plain = np.full((80, 60, 3), 255, np.uint8)
    assert [region.box for region in system.locator.locate(plain)] == [(0.0, 0.0, 60.0, 80.0)]
    street = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    assert system.locator.locate(street) == LOCATOR.locate(street)


def test_the_calibration_is_the_bases_unless_one_is_given(write):
    assert load_system(write()).calibration == load_system("classical").calibration
    assert load_system(write(calibration=CALIBRATION)).calibration.threshold == 0.25


def test_a_locator_may_lie_elsewhere(write, tmp_path):
    save_locator(tmp_path / "far", LOCATOR)
    far = load_system(write(locator=str(tmp_path / "far")))
    assert far.fingerprint == load_system(write()).fingerprint
    save_locator(tmp_path / "out", LOCATOR)
    assert load_system(write(locator=".")).fingerprint == far.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": None}, "the setting 'base' is missing"),
        ({"locator": None}, "the setting 'locator' is missing"),
        ({"locator": ""}, "locator must be the folder of a locator, got ''"),
        ({"locator": 7}, "locator must be a str, got 7"),
        ({"locator": "nowhere"}, "nowhere must be the folder of a locator"),
        ({"base": "no-such-system"}, "there is no system 'no-such-system'"),
        ({"base": "."}, "must not be a located system itself"),
        ({"calibration": {"slope": 1}}, "calibration must hold the numbers"),
        ({"most": 2}, "unknown setting 'most'"),
    ],
)
def test_a_bad_setting_is_named(write, changes, message):
    with pytest.raises(ModelError, match=message):
        load_system(write(**changes))
