"""A `System`: a locator, an encoder and optionally a re-ranker, put together."""

import hashlib
from dataclasses import dataclass, field

from snapshelf.features.encoder import Encoder
from snapshelf.locating.locator import Locator
from snapshelf.matching.confidence import Calibration

__all__ = ["System"]


@dataclass(frozen=True)
class System:
    """Everything that decides what is found: three injected parts and a calibration.

    Attributes:
        name: The name it was loaded by.
        locator: Where the items of a picture are.
        encoder: Pictures of items to embeddings.
        calibration: Similarities to confidences. It can be fitted anew without indexing
            again, so it is no part of the fingerprint.
    """

    name: str
    locator: Locator
    encoder: Encoder
    calibration: Calibration = field(default_factory=Calibration)

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides the embeddings a shelf holds."""
        parts = (self.locator.fingerprint, self.encoder.fingerprint)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
