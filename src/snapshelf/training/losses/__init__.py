"""What training minimises: each loss a pure function that gives one value per triplet or row.

They compute in float32 at least, under mixed precision too, so half-precision embeddings can
go in as they are. A NaN that comes in comes out: nothing hides it. To average is the caller's,
except for `multi_task`. All of them need the extra `torch`.
"""

from snapshelf.training.losses.attribute_prediction import attribute_prediction, class_weights
from snapshelf.training.losses.contrastive import contrastive
from snapshelf.training.losses.cosine import cosine_similarities, unit_rows
from snapshelf.training.losses.distance import euclidean
from snapshelf.training.losses.distillation import cosine_distillation, relational_distillation
from snapshelf.training.losses.hinge_triplet import hinge_triplet
from snapshelf.training.losses.info_nce import info_nce
from snapshelf.training.losses.match import match_cross_entropy, sigmoid_triplets
from snapshelf.training.losses.multi_task import multi_task
from snapshelf.training.losses.pair_softmax import pair_softmax
from snapshelf.training.losses.ratio_triplet import ratio_triplet
from snapshelf.training.losses.ratio_tuplet import ratio_tuplet
from snapshelf.training.losses.robust_contrastive import robust_contrastive
from snapshelf.training.losses.step_match import step_match
from snapshelf.training.losses.view_invariance import view_invariance

__all__ = [
    "attribute_prediction",
    "class_weights",
    "contrastive",
    "cosine_distillation",
    "cosine_similarities",
    "euclidean",
    "hinge_triplet",
    "info_nce",
    "match_cross_entropy",
    "multi_task",
    "pair_softmax",
    "ratio_triplet",
    "ratio_tuplet",
    "relational_distillation",
    "robust_contrastive",
    "sigmoid_triplets",
    "step_match",
    "unit_rows",
    "view_invariance",
]
