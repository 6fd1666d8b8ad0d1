"""`LearnedMethod`: key points found by DISK and matched by LightGlue, then verified like others."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.sift import DESCRIPTOR_LENGTH
from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.local.keypoint_features import KeypointFeatures, scaled_to
from snapshelf.matching.local.keypoint_matching import Matches
from snapshelf.matching.local.learned_weights import load_disk, load_lightglue
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["LearnedMethod", "find_learned", "match_learned"]

SMALLEST = 32
"""A side of fewer pixels, once scaled, has no key points: the network halves it four times."""

SIGNED_STEPS = 256.0
"""Length of a descriptor as it is kept. Its numbers have a sign, so 0 is kept as `ZERO`."""

ZERO = 128.0


class LearnedMethod:
    """DISK and LightGlue, a `KeypointMethod`.

    The strongest key points, which decide what is looked at closely, are matched as SIFT's are, by
    `LocalSettings.ratio` and `mutual`; what LightGlue matches, it decides alone.

    Args:
        finder: DISK; None for the published one.
        matcher: LightGlue; None for the published one.

    Raises:
        MissingWeightsError: If published weights are not on this machine, and cannot be fetched.
        ModelError: If they cannot be read.
    """

    def __init__(self, finder: nn.Module | None = None, matcher: nn.Module | None = None) -> None:
        self._finder = (finder or load_disk()).eval()
        self._matcher = (matcher or load_lightglue()).eval()
        self.finding = f"disk {_digest(self._finder)}"
        self.matching = f"{self.finding} lightglue {_digest(self._matcher)}"

    def find(
        self,
        picture: RGB,
        *,
        side: int,
        most: int,
        contrast: float,  # noqa: ARG002
    ) -> KeypointFeatures:
        """Do what `find_learned` does; `contrast` has no say."""
        return find_learned(self._finder, picture, side=side, most=most)

    def match(
        self,
        query: KeypointFeatures,
        candidates: Sequence[KeypointFeatures],
        settings: LocalSettings,  # noqa: ARG002
    ) -> list[Matches]:
        """Do what `match_learned` does, with one candidate after the other."""
        return [match_learned(self._matcher, query, candidate) for candidate in candidates]


def find_learned(finder: nn.Module, picture: RGB, *, side: int, most: int) -> KeypointFeatures:
    """Find the key points of a picture that a network is surest of.

    Args:
        finder: kornia's DISK, or what takes and gives the same.
        picture: (H, W, 3) uint8, RGB, [0, 255], from 1 x 1.
        side: The picture is scaled until its longer side has so many pixels.
        most: Key points at most, at least 1.

    Returns:
        The key points, none in a tiny picture; their descriptors of a length of `SIGNED_STEPS`
        about `ZERO`.
    """
    size = (picture.shape[1], picture.shape[0])
    scaled = scaled_to(picture, side)
    height, width = scaled.shape[:2]
    if min(height, width) < SMALLEST:
        nothing = np.empty((0, DESCRIPTOR_LENGTH), np.uint8)
        return KeypointFeatures(size, np.empty((0, 2), np.float32), nothing)
    inputs = torch.from_numpy(scaled).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        (found,) = finder(inputs, n=most, pad_if_not_divisible=True)
    order = torch.argsort(found.detection_scores, descending=True, stable=True)
    # A key point at (x, y) means the middle of that pixel.
    middles = found.keypoints[order].numpy() + 0.5
    points = (middles * (size[0] / width, size[1] / height)).astype(np.float32)
    signed = np.rint(found.descriptors[order].numpy() * SIGNED_STEPS) + ZERO
    return KeypointFeatures(size, points, signed.clip(0, 255).astype(np.uint8))


def match_learned(
    matcher: nn.Module, query: KeypointFeatures, candidate: KeypointFeatures
) -> Matches:
    """Match a query's key points with a candidate's.

    Args:
        matcher: kornia's LightGlue, or what takes and gives the same.
        query: As `find_learned` gives them; any number.
        candidate: Likewise.
    """
    if not len(query) or not len(candidate):
        nothing = np.empty(0, np.int64)
        return Matches(nothing, nothing, np.empty(0, np.float32))
    one, two = _unit(query.descriptors), _unit(candidate.descriptors)
    with torch.inference_mode():
        found = matcher({"image0": _side(query, one), "image1": _side(candidate, two)})
    pairs = found["matches"][0].numpy().astype(np.int64)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    distance = np.linalg.norm(one[pairs[:, 0]] - two[pairs[:, 1]], axis=1).astype(np.float32)
    return Matches(pairs[:, 0], pairs[:, 1], distance)


def _unit(kept: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give descriptors (N, 128) as the network gave them, L2-normalised."""
    signed = kept.astype(np.float32) - np.float32(ZERO)
    lengths = np.linalg.norm(signed, axis=1, keepdims=True)
    return np.asarray(signed / np.maximum(lengths, 1), np.float32)


def _side(keypoints: KeypointFeatures, descriptors: NDArray[np.float32]) -> dict[str, Tensor]:
    """Give key points as LightGlue takes them."""
    return {
        "keypoints": torch.from_numpy(keypoints.points)[None],
        "descriptors": torch.from_numpy(descriptors)[None],
        "image_size": torch.tensor([keypoints.size], dtype=torch.float32),
    }


def _digest(network: nn.Module) -> str:
    """Give the hex digest of a network's weights."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
