"""A user's box or point, and pictures that stay whole for their border."""

import numpy as np
import pytest

from snapshelf.locating import Region, WholeIfPlain, WholePicture
from snapshelf.locating.boxes import as_boxes
from snapshelf.locating.chosen_region import chosen_regions, region_at, region_of_box
from snapshelf.locating.plain_border import has_plain_border
from snapshelf.locating.proposal_ranking import ProposalRanking
from snapshelf.locating.proposals import Proposals
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.matching.confidence import Calibration

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
WHOLE = (0.0, 0.0, 60.0, 40.0)


class Three:
    """Two parts, one in the other, and the whole picture; only the large part is an item."""

    fingerprint = "three"
    large, small = Region((10, 10, 40, 40), confidence=0.6), Region((12, 12, 20, 20), "bag", 0.3)

    def locate(self, picture):
        return (self.large,)

    def candidates(self, picture):
        return self.large, Region(WHOLE, confidence=0.5), self.small


def test_a_box_is_taken_as_it_is_and_cut_off_at_the_border():
    assert region_of_box(PICTURE, (3.5, 4, 10, 12)) == Region((3.5, 4, 10, 12))
    assert region_of_box(PICTURE, (-5, -5, 1e9, 20)).box == (0, 0, 60, 20)


@pytest.mark.parametrize(
    "box",
    [
        (60, 0, 70, 10),
        (-9, 0, 0, 10),
        (5, 5, 5, 9),
        (9, 9, 5, 5),
        (0, 0, float("nan"), 5),
        (0, 0, float("inf"), 5),
    ],
)
def test_a_box_without_pixels_is_named(box):
    with pytest.raises(ValueError, match="box must be"):
        region_of_box(PICTURE, box)


def test_a_point_chooses_the_likeliest_part_that_holds_it():
    assert region_at(Three(), PICTURE, (15, 15)) == Three.large
    assert region_at(Three(), PICTURE, (39.9, 30)) == Three.large
    # Ends are exclusive; where there is no part the whole picture is the item.
    assert region_at(Three(), PICTURE, (40, 30)).box == WHOLE
    assert region_at(WholePicture(), PICTURE, (0, 0)).box == WHOLE


def test_of_equally_likely_parts_the_smallest_is_chosen():
    class Equal(Three):
        def candidates(self, picture):
            return tuple(Region(box) for box in (WHOLE, (0, 0, 30, 30), (2, 2, 9, 9), (0, 0, 9, 9)))

    assert region_at(Equal(), PICTURE, (5, 5)).box == (2, 2, 9, 9)


@pytest.mark.parametrize("point", [(60, 5), (5, 40), (-1, 5), (float("nan"), 5)])
def test_a_point_outside_is_named(point):
    with pytest.raises(ValueError, match="in the picture of 60 x 40 pixels"):
        region_at(Three(), PICTURE, point)


def test_what_the_user_chose_goes_before_what_is_located():
    assert chosen_regions(Three(), PICTURE) == (Three.large,)
    assert chosen_regions(Three(), PICTURE, boxes=[(1, 1, 9, 9)]) == (Region((1, 1, 9, 9)),)
    (whole,) = chosen_regions(Three(), PICTURE, points=[(1, 1)])
    assert whole.box == WHOLE
    both = chosen_regions(
        Three(), PICTURE, boxes=[(2, 2, 9, 9), (1, 1, 9, 9)], points=[(1, 1), (2, 1)]
    )
    assert [region.box for region in both] == [(2, 2, 9, 9), (1, 1, 9, 9), WHOLE]


def test_every_proposal_is_a_candidate():
    boxes = [[0, 0, 20, 20], [1, 0, 20, 20], [30, 10, 50, 40], list(WHOLE)]

    class Fixed:
        fingerprint = "fixed"

        def propose(self, picture):
            return Proposals(as_boxes(boxes), np.array([0.9, 0.8, 0.5, 0.6], np.float32))

    locator = RankedProposals(
        Fixed(), ranking=ProposalRanking((1.0,), Calibration(1.0, 0.0)), most=1
    )
    found = locator.candidates(PICTURE)
    assert [list(region.box) for region in found] == [boxes[index] for index in (0, 1, 3, 2)]
    assert [region.confidence for region in found] == pytest.approx(
        [1 / (1 + np.exp(-value)) for value in (0.9, 0.8, 0.6, 0.5)]
    )
    assert found[0] == locator.locate(PICTURE)[0]
    # A point finds what is no item of the picture on its own.
    assert region_at(locator, PICTURE, (40, 30)).box == (30, 10, 50, 40)


def shot(background=255, size=(100, 80)):
    """A product shot: noise on one colour."""
    picture = np.full((*size, 3), background, np.uint8)
    noise = np.random.default_rng(1).integers(0, 255, (size[0] - 40, size[1] - 30, 3))
    picture[20:-20, 15:-15] = noise
    return picture


@pytest.mark.parametrize("background", [0, 128, 240, 255])
def test_a_shot_on_a_plain_background_is_plain(background):
    assert has_plain_border(shot(background))


def test_noise_of_compression_and_a_product_over_one_side_leave_it_plain():
    noise = np.random.default_rng(0).integers(-10, 1, (100, 80, 3))
    assert has_plain_border((shot() + noise).clip(0, 255).astype(np.uint8))
    cut = shot()
    cut[-20:, 15:-15] = np.random.default_rng(2).integers(0, 200, (20, 50, 3))
    assert has_plain_border(cut)


def test_other_pictures_are_not_plain():
    assert not has_plain_border(PICTURE)
    # Two colours, half of the border each.
    halves = shot()
    halves[50:] = 90
    assert not has_plain_border(halves)
    # A border of every lightness, as a wall has it.
    slope = np.repeat(np.linspace(60, 255, 80).astype(np.uint8)[None], 100, axis=0)
    assert not has_plain_border(np.repeat(slope[..., None], 3, axis=2))


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 2), (3, 900)])
def test_tiny_pictures_have_a_border(size):
    assert has_plain_border(np.full((*size, 3), 7, np.uint8))


@pytest.mark.parametrize(
    "picture", [np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3))]
)
def test_what_is_no_picture_has_no_border(picture):
    with pytest.raises(ValueError, match="picture must be"):
        has_plain_border(picture)


def test_only_pictures_without_a_plain_border_are_located_in():
    locator = WholeIfPlain(Three())
    assert locator.locate(PICTURE) == (Three.large,)
    assert locator.locate(shot()) == (Region((0, 0, 80, 100)),)
    # Who points at a part of a product shot shall have it.
    assert locator.candidates(shot()) == Three().candidates(shot())
    assert len({locator.fingerprint, Three().fingerprint, WholePicture().fingerprint}) == 3


def test_shop_pictures_stay_whole_and_street_photos_do_not(data_dir):
    from snapshelf.media.decode import decode_picture

    def plain(pattern):
        files = sorted(data_dir.glob(pattern))[::10]
        assert files
        return [has_plain_border(decode_picture(file.read_bytes())) for file in files]

    assert all(plain("grocery/iconic-images-and-descriptions/**/*.jpg"))
    assert not any(plain("ccp/photos/*.jpg"))
