"""The preprocessing in ONNX gives what `prepare` gives."""

import itertools

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.export.preprocessing_graph import preprocessing_graph  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing, prepare  # noqa: E402

VALUES = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "background": (250, 3, 120)}
KINDS = [
    Preprocessing(size=size, fit=fit, interpolation=interpolation, crop_pct=crop_pct, **VALUES)
    for size, fit, interpolation, crop_pct in itertools.product(
        [(32, 48)], ["pad", "crop", "squash"], ["bilinear", "bicubic"], [1.0, 0.875]
    )
]


def name_of(spec):
    return f"{spec.fit}-{spec.interpolation}-{spec.crop_pct}"


@pytest.fixture(params=KINDS, ids=name_of)
def both(request):
    """`prepare` and the graph, for one preprocessing."""
    model = preprocessing_graph(request.param)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )

    def graph(*pictures):
        return session.run(None, {"pictures": np.stack(pictures)})[0]

    return request.param, graph


def smooth(height, width, seed=0):
    from PIL import Image

    small = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 60), (31, 47), (33, 49), (40, 41), (64, 96), (97, 60), (150, 220)]
)
def test_is_prepare_within_two_levels(both, shape):
    spec, graph = both
    picture = smooth(*shape)
    result = graph(picture)
    assert result.shape == (1, *spec.size, 3)
    assert result.dtype == np.uint8
    off = np.abs(result[0].astype(int) - prepare(picture, spec))
    # Cutting between two pixels blurs where the picture changes fast; half a pixel of shift
    # would give a mean of 6.
    assert off.max() <= (10 if cuts(spec) else 2)
    assert off.mean() <= (1.6 if cuts(spec) else 0.2)


def cuts(spec):
    return spec.fit == "crop" or spec.crop_pct < 1


def test_a_picture_of_the_right_size_passes_untouched(both):
    spec, graph = both
    picture = np.random.default_rng(2).integers(0, 256, (*spec.size, 3), np.uint8)
    assert np.array_equal(graph(picture, 255 - picture), [picture, 255 - picture])


def test_pictures_of_a_batch_do_not_mix(both):
    _, graph = both
    one, other = smooth(70, 50, 1), smooth(70, 50, 2)
    together = graph(one, other)
    assert np.array_equal(together[0], graph(one)[0])
    assert np.array_equal(together[1], graph(other)[0])


def test_stays_close_where_prepare_averages_first(both):
    """More than six times too large: `prepare` halves in whole steps before it resizes."""
    spec, graph = both
    large = smooth(500, 700)
    off = np.abs(graph(large)[0].astype(int) - prepare(large, spec))
    assert off.max() <= 12
    assert off.mean() <= 2


@pytest.mark.parametrize("interpolation", ["nearest", "lanczos"])
def test_what_onnx_lacks_is_refused(interpolation):
    spec = Preprocessing(size=(8, 8), interpolation=interpolation, **VALUES)
    with pytest.raises(ModelError, match=f"{interpolation} cannot.*bilinear or bicubic"):
        preprocessing_graph(spec)
