"""R-MAC and RA-MAC against the equations, with loops over pictures, regions and channels."""

from fractions import Fraction
from math import floor, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.regional_pooling import GridScale, r_mac, ra_mac, region_grid  # noqa: E402

SHAPES = [
    (2, 5, 7, 7),
    (2, 5, 3, 4),
    (1, 8, 6, 5),
    (2, 3, 4, 13),
    (1, 3, 1, 1),
    (2, 4, 2, 2),
    (2, 4, 7, 1),
    (1, 4, 1, 20),
    (3, 1, 5, 9),
]
PARTS_OF_FIVE = {0.0: Fraction(0), 0.2: Fraction(1, 5), 0.4: Fraction(2, 5), 0.6: Fraction(3, 5)}


def slow_regions(height, width, scales=3, overlap=0.4):
    """List (top, left, side), in exact numbers, as Tolias et al. lay them."""
    short, long = min(height, width), max(height, width)
    extra = 0
    if short != long:
        misses = {}
        for count in (2, 3, 4, 5, 6, 7):
            step = Fraction(long - short, count - 1)
            misses[count] = abs((short**2 - short * step) / short**2 - PARTS_OF_FIVE[overlap])
        extra = next(count for count in misses if misses[count] == min(misses.values())) - 1
    found = []
    for level in range(1, scales + 1):
        side = max(1, floor(Fraction(2 * short, level + 1)))
        down = level + extra if height > width else level
        across = level + extra if width > height else level
        for row in range(down):
            for column in range(across):
                top = floor(Fraction(row * (height - side), down - 1)) if down > 1 else 0
                left = floor(Fraction(column * (width - side), across - 1)) if across > 1 else 0
                found.append((top, left, side))
    return found


def slow_vector(picture, region):
    """Give R_k / norm(R_k) of eq. 3; a vector of zeros stays."""
    top, left, side = region
    largest = []
    for channel in picture:
        places = [channel[top + i][left + j] for i in range(side) for j in range(side)]
        largest.append(max(places))
    norm = sqrt(sum(value**2 for value in largest))
    return [value / norm if norm else 0.0 for value in largest]


def slow_mask(picture):
    """Give M of eq. 4."""
    _, height, width = picture.shape
    sums = [[sum(picture[:, i, j].tolist()) for j in range(width)] for i in range(height)]
    mean = sum(map(sum, sums)) / (width * height)
    return [[1 if value > mean else 0 for value in row] for row in sums]


def slow_r_mac(features, **grid):
    result = np.zeros(features.shape[:2])
    for picture, total in zip(features, result, strict=True):
        for region in slow_regions(*picture.shape[1:], **grid):
            total += slow_vector(picture, region)
    return result


def slow_ra_mac(features, **grid):
    result = np.zeros(features.shape[:2])
    for picture, total in zip(features, result, strict=True):
        mask = slow_mask(picture)
        regions = slow_regions(*picture.shape[1:], **grid)
        weights = []
        for top, left, side in regions:
            places = [mask[top + i][left + j] for i in range(side) for j in range(side)]
            weights.append(sum(places) / side**2)
        if not any(weights):
            weights = [1.0] * len(regions)
        for region, weight in zip(regions, weights, strict=True):
            total += weight * np.array(slow_vector(picture, region))
    return result


BOTH = pytest.mark.parametrize(
    ("pooling", "slow"), [(r_mac, slow_r_mac), (ra_mac, slow_ra_mac)], ids=["r-mac", "ra-mac"]
)


def random_features(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def places(grid, height, width):
    """List (top, left, side) of a grid, as `GridScale` says."""
    return [
        (
            row * (height - scale.side) // max(scale.rows - 1, 1),
            column * (width - scale.side) // max(scale.columns - 1, 1),
            scale.side,
        )
        for scale in grid
        for row in range(scale.rows)
        for column in range(scale.columns)
    ]


class TestGrid:
    # By hand, from section 3.2 of Tolias et al. 24 x 32 is VGG16's map of 1024 x 768 pixels, for
    # which they count about 20 regions with three scales.
    @pytest.mark.parametrize(
        ("height", "width", "expected"),
        [
            (7, 7, [(7, 1, 1), (4, 2, 2), (3, 3, 3)]),
            (24, 32, [(24, 1, 2), (16, 2, 3), (12, 3, 4)]),
            (32, 24, [(24, 2, 1), (16, 3, 2), (12, 4, 3)]),
            (10, 22, [(10, 1, 3), (6, 2, 4), (5, 3, 5)]),
            (1, 1, [(1, 1, 1), (1, 2, 2), (1, 3, 3)]),
            (2, 2, [(2, 1, 1), (1, 2, 2), (1, 3, 3)]),
            (7, 1, [(1, 7, 1), (1, 8, 2), (1, 9, 3)]),
            (5, 9, [(5, 1, 2), (3, 2, 3), (2, 3, 4)]),  # 2 overlap by 0.2, 3 by 0.6
        ],
    )
    def test_by_hand(self, height, width, expected):
        assert region_grid(height, width) == tuple(GridScale(*scale) for scale in expected)

    @given(
        st.integers(1, 40),
        st.integers(1, 40),
        st.integers(1, 5),
        st.sampled_from(sorted(PARTS_OF_FIVE)),
    )
    def test_against_the_slow_reference(self, height, width, scales, overlap):
        grid = region_grid(height, width, scales=scales, overlap=overlap)
        assert places(grid, height, width) == slow_regions(height, width, scales, overlap)

    @given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 6))
    def test_stays_on_the_map_and_covers_it(self, height, width, scales):
        grid = region_grid(height, width, scales=scales)
        covered = np.zeros((height, width), bool)
        for top, left, side in places(grid, height, width):
            assert top >= 0
            assert left >= 0
            assert top + side <= height
            assert left + side <= width
            covered[top : top + side, left : left + side] = True
        if max(height, width) <= 7 * min(height, width):
            assert covered.all()

    @given(st.integers(1, 60), st.integers(1, 60))
    def test_turns_with_the_map(self, height, width):
        turned = [
            GridScale(each.side, each.columns, each.rows) for each in region_grid(width, height)
        ]
        assert region_grid(height, width) == tuple(turned)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"height": 0}, "height and width must be at least 1, got 0 and 3"),
            ({"width": -1}, "height and width must be at least 1, got 3 and -1"),
            ({"scales": 0}, "scales must be at least 1, got 0"),
            ({"overlap": 1.0}, r"overlap must be in \[0, 1\), got 1.0"),
            ({"overlap": -0.1}, r"overlap must be in \[0, 1\), got -0.1"),
            ({"overlap": float("nan")}, r"overlap must be in \[0, 1\), got nan"),
        ],
    )
    def test_refuses_what_is_no_grid(self, change, message):
        with pytest.raises(ValueError, match=message):
            region_grid(**{"height": 3, "width": 3, **change})


@BOTH
@pytest.mark.parametrize("scales", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_the_slow_reference(pooling, slow, shape, scales):
    features = random_features(*shape)
    assert (features < 0).any()
    result = pooling(torch.from_numpy(features), scales=scales)
    assert result.dtype == torch.float64
    np.testing.assert_allclose(result.numpy(), slow(features, scales=scales), atol=1e-9)


@BOTH
@pytest.mark.parametrize("overlap", sorted(PARTS_OF_FIVE))
def test_the_wanted_overlap(pooling, slow, overlap):
    features = random_features(1, 4, 5, 9)
    result = pooling(torch.from_numpy(features), overlap=overlap).numpy()
    np.testing.assert_allclose(result, slow(features, overlap=overlap), atol=1e-9)


SMALL = arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 8), st.integers(1, 8)),
    elements=st.integers(-3, 3).map(float),
)


@BOTH
@settings(max_examples=60, deadline=None)
@given(features=SMALL)
def test_ties_and_zeros(pooling, slow, features):
    """Few levels: equal maxima, sums that equal the mean, regions of zeros, constant maps."""
    result = pooling(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(result, slow(features), atol=1e-9)


def test_r_mac_by_hand():
    """A region of 3 and 4, and four of one place each: 3, 0 | 0, 4 | zeros | zeros."""
    features = torch.zeros(1, 2, 2, 2)
    features[0, 0, 0, 0], features[0, 1, 0, 1] = 3, 4
    expected = torch.tensor([[0.6 + 1, 0.8 + 1]])
    torch.testing.assert_close(r_mac(features, scales=2), expected)


def test_ra_mac_by_hand():
    """Two of four places exceed the mean sum of 7 / 4; half of the first region attends."""
    features = torch.zeros(1, 2, 2, 2)
    features[0, 0, 0, 0], features[0, 1, 0, 1] = 3, 4
    expected = torch.tensor([[0.6 / 2 + 1, 0.8 / 2 + 1]])
    torch.testing.assert_close(ra_mac(features, scales=2), expected)


def test_a_place_at_the_mean_does_not_attend():
    """Sums 4, 2, 0, 2: only the first exceeds the mean of 2."""
    features = torch.tensor([[[[4.0, 2.0], [0.0, 2.0]]]])
    assert ra_mac(features, scales=1).tolist() == [[0.25]]


@BOTH
def test_negative_maps_keep_their_sign(pooling, slow):
    features = -np.abs(random_features(2, 5, 6, 8)) - 0.1
    result = pooling(torch.from_numpy(features)).numpy()
    assert (result < 0).all()
    np.testing.assert_allclose(result, slow(features), atol=1e-9)


@BOTH
def test_a_map_of_zeros_gives_zeros_and_leaves_the_others(pooling, slow):
    features = random_features(3, 5, 4, 6)
    features[1] = 0
    result = pooling(torch.from_numpy(features)).numpy()
    assert (result[1] == 0).all()
    np.testing.assert_allclose(result[[0, 2]], slow(features[[0, 2]]), atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("level", [-2.0, 0.1, 3.0])
def test_where_all_is_the_same_every_region_counts(shape, level):
    batch, channels, *sides = shape
    values = level * torch.arange(1, channels + 1, dtype=torch.float32)
    features = values.reshape(1, -1, 1, 1).expand(batch, channels, *sides)
    torch.testing.assert_close(ra_mac(features), r_mac(features))
    assert (ra_mac(features).norm(dim=1) > 1).all()


def test_where_no_region_attends_every_region_counts():
    """The only place above the mean lies between the regions of a very long map."""
    covered = {left for _, left, _ in slow_regions(1, 60, scales=1)}
    between = next(place for place in range(60) if place not in covered)
    features = torch.ones(1, 2, 1, 60)
    features[0, :, 0, between] = 9
    torch.testing.assert_close(ra_mac(features, scales=1), r_mac(features, scales=1))


@BOTH
def test_pictures_of_a_batch_do_not_see_each_other(pooling, slow):
    features = torch.from_numpy(random_features(4, 6, 5, 7))
    features[2] *= 1000
    alone = torch.cat([pooling(one[None]) for one in features])
    torch.testing.assert_close(pooling(features), alone, rtol=0, atol=1e-12)
    assert pooling(features[:0]).shape == (0, 6)


@BOTH
def test_brightness_makes_no_difference(pooling, slow):
    features = torch.from_numpy(random_features(2, 6, 5, 7))
    torch.testing.assert_close(pooling(features), pooling(8 * features))


@BOTH
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_types_and_layouts(pooling, slow, dtype, layout):
    features = torch.from_numpy(random_features(2, 64, 7, 9)).to(dtype, memory_format=layout)
    expected = slow(features.double().numpy())
    result = pooling(features)
    assert result.dtype == dtype
    # Three roundings of each region, and one of the sum.
    atol = 4 * torch.finfo(dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(result.double().numpy(), expected, atol=atol)


def test_attention_is_told_in_float32():
    """In bfloat16 every sum would round to the mean."""
    features = torch.ones(1, 300, 2, 2, dtype=torch.bfloat16)
    features[0, 0, 1, 1] = 1.5
    assert ra_mac(features, scales=1).norm().item() == pytest.approx(0.25, rel=0.01)


@BOTH
@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (1, 3, 3, 5), (2, 2, 1, 1)], ids=str)
def test_gradients(pooling, slow, shape):
    features = torch.from_numpy(random_features(*shape)).requires_grad_()
    assert torch.autograd.gradcheck(pooling, features)


@BOTH
@pytest.mark.parametrize("fill", [0.0, 2.0])
def test_gradients_of_a_constant_map_are_finite(pooling, slow, fill):
    features = torch.full((1, 3, 4, 5), fill, requires_grad=True)
    pooling(features).square().sum().backward()
    assert torch.isfinite(features.grad).all()


@BOTH
def test_what_is_pooled_stays_as_it_was(pooling, slow):
    features = torch.from_numpy(random_features(2, 3, 4, 5))
    before = features.clone()
    pooling(features)
    assert torch.equal(features, before)


@BOTH
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scales": 0}, "scales must be at least 1"),
        ({"overlap": 1.5}, "overlap must be in"),
        ({"eps": 0.0}, "eps must be above 0, got 0.0"),
    ],
)
def test_refuses_settings_out_of_range(pooling, slow, change, message):
    with pytest.raises(ValueError, match=message):
        pooling(torch.ones(1, 1, 2, 2), **change)
