"""`AsymNetReranker`: a shortlist in the order of AsymNet's similarity network.

Cheng, Wu, Liu, Hua: Video2Shop, Fig. 1.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.spread_frames import stretched
from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.step_features import unit_scale
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.video_feature_network import VideoFeatureNetwork
from snapshelf.matching.folded_similarity import FoldedSimilarity
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.odds import probabilities_of
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.matching.similarity_gallery import SUREST, SimilarityGallery
from snapshelf.media.picture import RGB

with torch_extra():
    import torch

__all__ = ["AsymNetReranker", "windows"]

BATCH = 32
"""Pictures that the encoder takes at a time."""


class AsymNetReranker:
    """Puts a shortlist in the order of the similarities of a trajectory and its pictures.

    A shop picture's description is its part of the similarity network's first layer. A
    trajectory's are its hidden states: of T steps, as the tree has leaves. Of a shorter one each
    picture stands for as many steps; a longer one is searched with in windows of T steps, see
    `windows`, of which the mean of the log-odds decides.

    The similarity is the log-odds over 60, so that it lies in [-1, 1] and still tells candidates
    apart where all probabilities round to 1. A candidate without a description has -1.

    Args:
        encoder: Gives the features of frames and of shop pictures.
        video: Gives the hidden states.
        similarity: Of both.
        depth: Candidates that are looked at, at least 1.

    Raises:
        ValueError: If the lengths do not go together, or the depth is below 1.
    """

    def __init__(
        self,
        encoder: Encoder,
        video: VideoFeatureNetwork,
        similarity: FoldedSimilarity,
        *,
        depth: int,
    ) -> None:
        lengths = (encoder.dimension, video.features, video.states)
        wanted = (*[len(similarity.shop)] * 2, len(similarity.street))
        if lengths != wanted:
            raise ValueError(
                f"the encoder gives features of length {lengths[0]}, the video network takes "
                f"{lengths[1]} and gives states of {lengths[2]}, and the similarity network is for "
                f"features of {wanted[0]} and states of {wanted[2]}"
            )
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self._encoder, self._video, self._similarity = encoder, video.eval(), similarity
        self._depth = depth

    @property
    def depth(self) -> int:
        """How many candidates are looked at."""
        return self._depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of the encoder's fingerprint and the weights of both networks."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f"asymnet {self._encoder.fingerprint}".encode())
        digest.update(self._similarity.fingerprint.encode())
        for name, tensor in self._video.state_dict().items():
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Describe a picture; of the street, as a trajectory of one step.

        May be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], cut to the item, from 1 x 1.
            domain: The side that it comes from.

        Returns:
            Of a shop picture 4 bytes for each unit of the first layer; else as
            `describe_trajectory`.
        """
        if domain is Domain.STREET:
            return self.describe_trajectory([picture])
        features = unit_scale(self._encoded([picture], domain))
        return self._similarity.shop_parts(features[0]).astype("<f4").tobytes()

    def describe_trajectory(self, pictures: Sequence[RGB]) -> bytes:
        """Describe an item of a clip; may be called from several threads.

        Args:
            pictures: One for each step in the order of time, at least one; each (H, W, 3) uint8,
                RGB, [0, 255], cut to the item, from 1 x 1, of any sizes.

        Returns:
            4 bytes for each number of the hidden states of each window.

        Raises:
            ValueError: If there is no picture.
        """
        if not pictures:
            raise ValueError("pictures must be at least one, got none")
        return self.describe_steps(self._encoded(pictures, Domain.STREET))

    def describe_steps(self, embeddings: NDArray[np.floating]) -> bytes:
        """Describe an item of a clip whose embeddings are at hand.

        Args:
            embeddings: (N, D) floating, of its pictures as the encoder gives them, N >= 1.

        Returns:
            As `describe_trajectory`.
        """
        places = windows(len(embeddings), self._similarity.tree.leaves)
        steps = torch.from_numpy(unit_scale(embeddings)[places])
        with torch.inference_mode():
            states = self._video(steps).numpy()
        described: bytes = states.astype("<f4").tobytes()
        return described

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> Sequence[Reranked]:
        """Compare a trajectory with candidates, all of them at once.

        Args:
            query: Description of the trajectory.
            candidates: Any number of them.

        Returns:
            One for each candidate, with its probability as evidence.

        Raises:
            ModelError: If a description is not of this re-ranker's making.
        """
        network = self._similarity
        window = network.tree.leaves * len(network.street)
        states = _numbers(query, window).reshape(-1, network.tree.leaves, len(network.street))
        present = [n for n, each in enumerate(candidates) if each.description is not None]
        found: list[Reranked] = [Reranked(-1.0)] * len(candidates)
        if not present:
            return found
        width = len(network.bias)
        parts = [_numbers(candidates[n].description or b"", width, most=1) for n in present]
        odds = SimilarityGallery.of_parts(network, np.stack(parts)).odds(states).mean(0)
        for n, each, probability in zip(
            present, odds.tolist(), probabilities_of(odds).tolist(), strict=True
        ):
            found[n] = Reranked(each / SUREST, {"probability": probability})
        return found

    def _encoded(self, pictures: Sequence[RGB], domain: Domain) -> NDArray[np.float32]:
        """Embed pictures, a batch at a time."""
        rows = []
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start : start + BATCH]
            inputs = np.stack([self._encoder.prepare(each, domain) for each in batch])
            rows.append(self._encoder.encode(inputs, domain))
        return np.concatenate(rows)


def windows(pictures: int, steps: int) -> NDArray[np.int64]:
    """Say which pictures of a trajectory are the steps of its windows.

    Args:
        pictures: In the trajectory, at least 1.
        steps: Of a window, at least 1.

    Returns:
        (W, steps) int64. No more pictures than steps make one window, in which each picture stands
        for as many steps, or one more. More of them make as few windows as hold them all, at even
        distances from the first picture to the last.

    Example:
        >>> windows(2, 4).tolist(), windows(5, 4).tolist()
        ([[0, 0, 1, 1]], [[0, 1, 2, 3], [1, 2, 3, 4]])
    """
    if pictures <= steps:
        return stretched(pictures, steps)[np.newaxis]
    starts = np.linspace(0, pictures - steps, math.ceil(pictures / steps)).round().astype(np.int64)
    return starts[:, np.newaxis] + np.arange(steps, dtype=np.int64)


def _numbers(description: bytes, width: int, most: int | None = None) -> FloatArray:
    """Read a description of whole rows of so many numbers."""
    rows, rest = divmod(len(description), 4 * width)
    if rest or not rows or (most is not None and rows > most):
        wanted = f"{4 * width} bytes" + ("" if most else " or a multiple of it")
        raise ModelError(
            f"expected a description of {wanted}, got {len(description)}: it is of another "
            "re-ranker; index the shelf anew"
        )
    return np.frombuffer(description, "<f4").astype(np.float32)
