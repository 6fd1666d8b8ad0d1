"""Pictures to embeddings: the encoder contract, preprocessing and the parallel pipeline.

The encoders themselves are imported from their own modules, since some need heavy packages:
`snapshelf.features.backbone_encoder` and `snapshelf.features.classical`.
"""

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.pipeline import EmbeddedPicture, crop, embed_pictures
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.weights import find_weights, require_weights

__all__ = [
    "Domain",
    "EmbeddedPicture",
    "Encoder",
    "Preprocessing",
    "crop",
    "embed_pictures",
    "find_weights",
    "normalise",
    "prepare",
    "require_weights",
]
