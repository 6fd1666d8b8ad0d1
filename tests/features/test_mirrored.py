"""`Mirrored`: both sides count, whatever way round a picture comes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from torch import nn  # noqa: E402

from snapshelf.features.mirrored import Mirrored  # noqa: E402


class Sided(nn.Module):
    """Sees left and right apart, and embeddings of lengths of their own."""

    def forward(self, inputs):
        return inputs[:, :, 0, :2].flatten(1) * 5


def test_is_the_sum_of_both_at_unit_length():
    inputs = torch.rand(3, 3, 4, 5, generator=torch.Generator().manual_seed(0)) + 0.1
    result = Mirrored(Sided())(inputs).numpy()
    assert result.shape == (3, 6)
    pictures = inputs.numpy().astype(np.float64)
    for picture, row in zip(pictures, result, strict=True):
        here, there = picture[:, 0, :2].ravel(), picture[:, 0, ::-1][:, :2].ravel()
        expected = here / np.linalg.norm(here) + there / np.linalg.norm(there)
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_a_picture_and_its_mirror_image_are_embedded_alike():
    inputs = torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(1))
    network = Mirrored(Sided())
    torch.testing.assert_close(network(inputs), network(inputs.flip(-1)))
