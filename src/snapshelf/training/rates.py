"""Learning rates by step, relative to the one that was set."""

import math

__all__ = ["cosine_rate"]


def cosine_rate(step: int, *, steps: int, warmup: float = 0.0) -> float:
    """Rise in a straight line, then fall to 0 along half a cosine.

    Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, 2017, Eq. 5, without
    restarts.

    Args:
        step: Counted from 0.
        steps: Of the whole training, at least 1.
        warmup: Steps that the rate rises over, at least 0.

    Returns:
        In [0, 1].

    Example:
        >>> [cosine_rate(step, steps=4, warmup=2) for step in range(4)]
        [0.3333333333333333, 0.6666666666666666, 1.0, 0.5]
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(steps - warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
