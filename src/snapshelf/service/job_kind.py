"""What tells one kind of job from another: its name, and how many, how long, how much."""

import math
from dataclasses import dataclass

__all__ = ["JobKind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of job.

    Attributes:
        name: Of one of them, such as ``clip``; its threads and its lines in the log are named so
            too.
        again: What a client is to do whose job the service gave up.
        most: Jobs taken in at a time: arriving, waiting and under way; more are refused.
        workers: Jobs worked on at a time, each by a thread of its own.
        work_s: Longest time for one, seconds.
        kept: Jobs remembered after their end; the oldest go first.
        kept_bytes: Most bytes of what came of them; the latest is kept whatever its size.
        kept_s: How long a job is remembered after its end, seconds.
        ends_at_once: Whether a job that is given up under way is over for its client at once, and
            not only when its work has noticed; where the work changes nothing that others see.
    """

    name: str
    again: str = "ask for it again"
    most: int
    workers: int = 1
    work_s: float = math.inf
    kept: int
    kept_bytes: float = math.inf
    kept_s: float
    ends_at_once: bool = False
