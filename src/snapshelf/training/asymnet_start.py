"""A model for one category begins from the general one.

Cheng, Wu, Liu, Hua: Video2Shop, Section 5: "a general AsymNet is first trained, followed by
fine-tuning for each clothing category".
"""

from snapshelf.matching.asymnet_folder import AsymNetParts
from snapshelf.training.training_error import TrainingError

__all__ = ["begin_from"]


def begin_from(parts: AsymNetParts, general: AsymNetParts) -> None:
    """Give networks that are to be trained the weights of trained ones.

    Args:
        parts: Changed in place.
        general: Of the same sizes.

    Raises:
        TrainingError: If they are of other sizes; what differs is named.
    """
    named = {
        "image network": (parts.image, general.image),
        "video network": (parts.video, general.video),
        "similarity network": (parts.similarity, general.similarity),
    }
    for name, (mine, theirs) in named.items():
        if mine is None or theirs is None:
            if mine is not theirs:
                raise TrainingError(
                    f"only one of the models has an {name}: start from a model with the same "
                    "features"
                )
            continue
        shapes = [
            {key: tuple(each.shape) for key, each in net.state_dict().items()}
            for net in (mine, theirs)
        ]
        different = sorted(
            key
            for key in shapes[0].keys() | shapes[1].keys()
            if shapes[0].get(key) != shapes[1].get(key)
        )
        if different:
            key = different[0]
            raise TrainingError(
                f"the {name} to start from is of other sizes: {key} is {shapes[1].get(key)}, "
                f"expected {shapes[0].get(key)}; give the settings that it was trained with"
            )
        mine.load_state_dict(theirs.state_dict())
