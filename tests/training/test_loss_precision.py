"""Every loss alike: half types, mixed precision, and a NaN that must not be hidden."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import (  # noqa: E402
    attribute_prediction,
    contrastive,
    cosine_distillation,
    euclidean,
    hinge_triplet,
    info_nce,
    multi_task,
    pair_softmax,
    ratio_triplet,
    ratio_tuplet,
    relational_distillation,
    robust_contrastive,
    step_match,
    view_invariance,
)

ROWS = 6
NUMBERS = torch.arange(ROWS)
WEIGHTS = torch.full((8,), 0.125)

LOSSES = {
    "attribute_prediction": lambda a, b, c: attribute_prediction([a], NUMBERS[:, None], [WEIGHTS]),
    "contrastive": lambda a, b, c: contrastive(a, b, NUMBERS % 2 == 0, margin=5),
    "cosine_distillation": lambda a, b, c: cosine_distillation(a, b),
    "euclidean": lambda a, b, c: euclidean(a, b),
    "hinge_triplet": lambda a, b, c: hinge_triplet(a, b, c, margin=5),
    "info_nce": lambda a, b, c: info_nce(a, b, NUMBERS, temperature=0.05),
    "multi_task": lambda a, b, c: multi_task(a[:, 0], b[:, 0], c[:, 0], weights=a[:, 1]),
    "pair_softmax": lambda a, b, c: pair_softmax(a[:, 0], b, c, NUMBERS, 7 - NUMBERS),
    "ratio_triplet": lambda a, b, c: ratio_triplet(a, b, c),
    "ratio_tuplet": lambda a, b, c: ratio_tuplet(a, b, c),
    "relational_distillation": lambda a, b, c: relational_distillation(a, b, temperature=0.05),
    "robust_contrastive": lambda a, b, c: robust_contrastive(
        a, b, NUMBERS % 2 == 0, near=1, margin=5
    ),
    "step_match": lambda a, b, c: step_match(a, NUMBERS % 2 == 0),
    "view_invariance": lambda a, b, c: view_invariance(torch.stack([a, b, c], dim=1)),
}


def embeddings(dtype=torch.float32):
    rng = np.random.default_rng(0)
    return [torch.from_numpy(rng.normal(size=(ROWS, 8))).to(dtype) for _ in range(3)]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", LOSSES)
def test_half_types_are_computed_in_float32(name, dtype):
    halves = embeddings(dtype)
    result = LOSSES[name](*halves)
    assert result.dtype == torch.float32
    torch.testing.assert_close(
        result, LOSSES[name](*(half.float() for half in halves)), rtol=0, atol=0
    )


@pytest.mark.parametrize("name", LOSSES)
def test_mixed_precision_changes_nothing(name):
    parts = embeddings()
    expected = LOSSES[name](*parts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (parts[0] @ parts[1].T).dtype == torch.bfloat16
        result = LOSSES[name](*parts)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", LOSSES)
def test_half_types_get_gradients_of_their_own_type(name):
    halves = [half.requires_grad_() for half in embeddings(torch.bfloat16)]
    LOSSES[name](*halves).sum().backward()
    assert halves[0].grad.dtype == torch.bfloat16
    assert halves[0].grad.isfinite().all()
    assert (halves[0].grad != 0).any()


@pytest.mark.parametrize("name", LOSSES)
def test_a_nan_is_not_hidden(name):
    parts = embeddings()
    parts[0][2] = torch.nan
    result = LOSSES[name](*parts)
    assert result.isnan().any()
    assert result.ndim == 0 or result[2].isnan()


ROW_BY_ROW = sorted(set(LOSSES) - {"info_nce", "multi_task", "relational_distillation"})


@pytest.mark.parametrize("name", ROW_BY_ROW)
def test_a_nan_spoils_no_other_row(name):
    clean = LOSSES[name](*embeddings())
    parts = embeddings()
    parts[0][2] = torch.nan
    others = NUMBERS != 2
    torch.testing.assert_close(LOSSES[name](*parts)[others], clean[others])
