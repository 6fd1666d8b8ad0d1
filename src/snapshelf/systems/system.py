"""A `System`: a locator, an encoder and optionally a re-ranker, put together."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from snapshelf.features.attribute_predictor import AttributePredictor
from snapshelf.features.encoder import Encoder
from snapshelf.locating.locator import Locator
from snapshelf.matching.confidence import Calibration
from snapshelf.matching.distances import Distance, check_distance
from snapshelf.matching.reranker import Reranker

__all__ = ["System"]


@dataclass(frozen=True)
class System:
    """Everything that decides what is found: injected parts and a calibration.

    Attributes:
        name: The name it was loaded by.
        locator: Where the items of a picture are.
        encoder: Pictures of items to embeddings.
        calibration: Similarities to confidences. It can be fitted anew without indexing
            again, so it is no part of the fingerprint.
        reranker: Compares the first candidates more closely; None to leave them as they are.
        distance: How embeddings are compared; what it makes of them is a similarity, larger being
            more alike, see `snapshelf.matching.distances`.
        predictor: Predicts attributes; None if the system knows none. What is found does not
            depend on it, so it is no part of the fingerprint.
    """

    name: str
    locator: Locator
    encoder: Encoder
    calibration: Calibration = field(default_factory=Calibration)
    reranker: Reranker | None = None
    distance: Distance = "cosine"
    predictor: AttributePredictor | None = None

    def __post_init__(self) -> None:
        """Refuse a distance that there is not.

        Raises:
            ValueError: If `distance` is none of the names.
        """
        check_distance(self.distance)

    @classmethod
    def load(cls, name_or_dir: str | Path) -> "System":
        """Load a system by its name or from its folder; see `systems.registry.load_system`.

        Raises:
            ModelError: If there is no such system, or it cannot be loaded.
        """
        from snapshelf.systems.registry import load_system

        return load_system(name_or_dir)

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides what a shelf holds of each picture."""
        if self.reranker is None:
            return self.embedding_fingerprint
        return _digest(*self._embedding_parts, self.reranker.fingerprint)

    @property
    def embedding_fingerprint(self) -> str:
        """Hex digest of what decides a picture's regions and embeddings, and how they compare.

        The same as `fingerprint` for a system without a re-ranker.
        """
        return _digest(*self._embedding_parts)

    @property
    def _embedding_parts(self) -> tuple[str, ...]:
        # Left out where it is the default, so that shelves from before there were others fit.
        compared = () if self.distance == "cosine" else (f"distance {self.distance}",)
        return self.locator.fingerprint, self.encoder.fingerprint, *compared


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
