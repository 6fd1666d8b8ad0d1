"""`ColourGradientEncoder`: colour and gradient histograms of the foreground, without a network."""

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.foreground import foreground
from snapshelf.features.classical.histogram import soft_histogram
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.media.picture import RGB

__all__ = ["ColourGradientEncoder"]

VERSION = 1
"""Raised whenever the same picture would get another embedding."""

PREPROCESSING = Preprocessing(size=(80, 80), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))

WHOLE_BINS = (3, 10, 10)
BAND_BINS = (3, 6, 6)
BAND_EDGE = 0.6
CHROMA_RANGE = 60.0
GREY_WORLD = 0.35
MIDDLE_LIGHTNESS = 0.55
EXPOSURE = 0.3

CELLS = 4
CELL_REACH = 1.8
ORIENTATIONS = 9
TEXTURE_BINS = 6
TEXTURE_REACH = 7.0

WEIGHTS = {"whole": 1.0, "bands": 0.7, "shape": 0.3, "texture": 0.2}
"""Of the blocks in an inner product, as square roots."""


class ColourGradientEncoder:
    """A descriptor for machines without weights, and a baseline for those with.

    Four blocks, each weighed by `foreground`, square-rooted (the Hellinger kernel) and
    L2-normalised by itself:

    * the joint histogram of lightness and the two chromas;
    * the same, coarser, of the upper, middle and lower part of the item;
    * gradient orientations in a grid laid over the item (Dalal, Triggs: Histograms of Oriented
      Gradients for Human Detection);
    * the joint histogram of gradient orientation and strength.

    Position is measured from the foreground's centroid in units of its standard deviation, so
    moving or scaling the item changes little. Before counting, colours are drawn part of the
    way to a grey world and lightness part of the way to a fixed middle, since a street photo's
    light is not the studio's.
    """

    dimension = (
        int(np.prod(WHOLE_BINS))
        + 3 * int(np.prod(BAND_BINS))
        + CELLS * CELLS * ORIENTATIONS
        + TEXTURE_BINS * ORIENTATIONS
    )
    preprocessing = PREPROCESSING

    @property
    def fingerprint(self) -> str:
        """Hex digest of the name and version of this descriptor."""
        return hashlib.blake2b(f"colour-gradient {VERSION}".encode(), digest_size=16).hexdigest()

    def prepare(
        self,
        picture: RGB,
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: Makes no difference here.

        Returns:
            (80, 80, 3) uint8, RGB, [0, 255].
        """
        return prepare(picture, PREPROCESSING)

    def encode(
        self,
        inputs: NDArray[np.uint8],
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Describe a batch of prepared pictures.

        Args:
            inputs: (B, 80, 80, 3) uint8, RGB, [0, 255], B >= 1.
            domain: Makes no difference here.

        Returns:
            (B, 822) float32, L2-normalised; the same for a picture in every batch.
        """
        weights = foreground(_lab(inputs))
        lab = _lab(_even_light(inputs, weights))
        flat = weights.reshape(len(inputs), -1)
        down, across = _position(weights)
        lightness, chroma = _colours(lab, flat)
        strength, orientation = _gradients(lab[..., 0])

        def colours(bins: tuple[int, int, int]) -> list[NDArray[np.float32]]:
            return [lightness * bins[0], chroma[0] * bins[1], chroma[1] * bins[2]]

        bands = (down >= -BAND_EDGE).astype(np.intp) + (down >= BAND_EDGE)
        grid = _cell(down) * CELLS + _cell(across)
        turn = orientation * ORIENTATIONS
        blocks = {
            "whole": soft_histogram(colours(WHOLE_BINS), WHOLE_BINS, flat),
            "bands": soft_histogram(colours(BAND_BINS), BAND_BINS, flat, cells=bands, cell_count=3),
            "shape": soft_histogram(
                [turn],
                [ORIENTATIONS],
                flat * strength,
                cells=grid,
                cell_count=CELLS * CELLS,
                periodic=True,
            ),
            "texture": soft_histogram(
                [turn],
                [ORIENTATIONS],
                flat,
                cells=_strength_bin(strength),
                cell_count=TEXTURE_BINS,
                periodic=True,
            ),
        }
        roots = {name: np.sqrt(block) for name, block in blocks.items()}
        for name in ("shape", "texture"):
            # What all orientations have in common says nothing about shape.
            roots[name] -= roots[name].mean(axis=2, keepdims=True)
        parts = [
            _unit(roots[name].reshape(len(inputs), -1)) * weight for name, weight in WEIGHTS.items()
        ]
        return _unit(np.concatenate(parts, axis=1))


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert (B, S, S, 3) RGB to L*a*b* in OpenCV's 8-bit scaling."""
    tall = np.ascontiguousarray(rgb).reshape(-1, *rgb.shape[2:])
    lab = np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2LAB), np.uint8)
    return lab.reshape(rgb.shape)


def _even_light(rgb: NDArray[np.uint8], weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw the foreground's mean colour part of the way to grey."""
    mean = np.einsum("bhwc,bhw->bc", rgb.astype(np.float32), weights)
    mean = np.maximum(mean / weights.sum(axis=(1, 2))[:, None], 1.0)
    gain = (mean.mean(axis=1, keepdims=True) / mean) ** GREY_WORLD
    result: NDArray[np.uint8] = np.clip(rgb * gain[:, None, None], 0, 255).astype(np.uint8)
    return result


def _colours(
    lab: NDArray[np.uint8], weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Give lightness and both chromas, each (B, P) with [0, 1] spanning its histogram."""
    values = lab.reshape(len(lab), -1, 3).astype(np.float32)
    lightness = values[..., 0] / np.float32(255)
    mean = (lightness * weights).sum(axis=1) / weights.sum(axis=1)
    lightness += EXPOSURE * (MIDDLE_LIGHTNESS - mean)[:, None]
    chroma = (values[..., 1:] - 128) / np.float32(2 * CHROMA_RANGE) + np.float32(0.5)
    return lightness, (chroma[..., 0], chroma[..., 1])


def _position(
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give each pixel's (B, P) place below and right of the centroid, in standard deviations."""
    pictures, side = weights.shape[:2]
    index = np.arange(side, dtype=np.float32)
    places = []
    for other in (2, 1):
        marginal = weights.sum(axis=other)
        total = marginal.sum(axis=1)
        centroid = (marginal @ index / total)[:, None]
        deviation = np.sqrt((marginal * (index - centroid) ** 2).sum(axis=1) / total)
        places.append((index - centroid) / np.maximum(deviation, 1.0)[:, None])
    shape = (pictures, side, side)
    down = np.broadcast_to(places[0][:, :, None], shape).reshape(pictures, -1)
    across = np.broadcast_to(places[1][:, None, :], shape).reshape(pictures, -1)
    return down, across


def _cell(place: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give the row or column of the grid that a place falls in; the outermost reach out."""
    cell = np.floor((place / CELL_REACH + 1) / 2 * CELLS)
    return np.clip(cell, 0, CELLS - 1).astype(np.intp)


def _gradients(
    lightness: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give each pixel's (B, P) gradient strength and its orientation, half a turn to [0, 1)."""
    values = np.pad(lightness.astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = (values[:, 1:-1, 2:] - values[:, 1:-1, :-2]).reshape(len(values), -1)
    down = (values[:, 2:, 1:-1] - values[:, :-2, 1:-1]).reshape(len(values), -1)
    orientation = np.arctan2(down, across) / np.float32(np.pi)
    return np.hypot(across, down), orientation % 1


def _strength_bin(strength: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give the bin of a gradient's strength on a logarithmic scale."""
    level = np.log2(1 + strength) / TEXTURE_REACH * TEXTURE_BINS
    return np.minimum(level, TEXTURE_BINS - 1).astype(np.intp)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """L2-normalise rows; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: NDArray[np.float32] = vectors / np.maximum(length, 1e-12)
    return result
