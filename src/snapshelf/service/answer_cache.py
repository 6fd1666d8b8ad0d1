"""Answers kept for the same request, and for copies of a picture.

A copy is told by the pixels, very small, and not by the embedding: an embedding forgives a colour
or a word on a pack, which is what it is for, so two products that look alike would share an
answer; besides, to have it costs most of the work that a kept answer saves.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["AnswerCache", "small_picture"]

SIDE = 32
"""Pixels of a side that are compared."""

MOST_ON_AVERAGE = 2.0
MOST_ANYWHERE = 12.0
"""Of 255, averaged over the channels: how far copies are apart, over all pixels and in any one.

Of 2,100 photos (700 each of the grocery, clothing and street-fashion data) all are taken for
copies of themselves compressed at quality 85, and 98 in 100 at 60. Of 2,400 no two are taken for
one: the two that are most alike are 4.4 apart on average, and 38 in one place.
"""

Small = NDArray[np.int16]


def small_picture(picture: RGB) -> Small:
    """Make what is compared of a picture.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        (32, 32, 3) int16, [0, 255].
    """
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.int16)


class AnswerCache:
    """Keeps answers, the latest used longest; any number of threads may use it.

    What an answer depends on is part of its key: the shelf's version too, so that nothing is
    found again that was found before the shelf changed.

    Args:
        most_bytes: Of all answers that are kept; 0 for none.
        most_near: Pictures kept, whose copies get the same answer for as long as it is kept; 0
            for none.
    """

    def __init__(self, most_bytes: int, most_near: int) -> None:
        self._most_bytes = most_bytes
        self._most_near = most_near
        self._bytes = 0
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self._pictures: deque[tuple[Hashable, Small, Hashable]] = deque(maxlen=most_near)
        self._lock = Lock()

    def find(self, key: Hashable) -> bytes | None:
        """Give the answer of the same request, None if none is kept."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
        return answer

    def find_near(self, near_key: Hashable, small: Small) -> bytes | None:
        """Give the answer for a copy of a picture, None if none is kept.

        Args:
            near_key: Of all that must be equal, such as the size, in whose pixels boxes are told.
            small: Of the picture.
        """
        with self._lock:
            kept = [(each, key) for own, each, key in self._pictures if own == near_key]
        if not kept:
            return None
        apart = np.abs(np.stack([each for each, _ in kept]) - small).mean(axis=3)
        mean, largest = apart.mean(axis=(1, 2)), apart.max(axis=(1, 2))
        best = int(mean.argmin())
        if mean[best] <= MOST_ON_AVERAGE and largest[best] <= MOST_ANYWHERE:
            return self.find(kept[best][1])
        return None

    def keep(
        self, key: Hashable, answer: bytes, near_key: Hashable = None, small: Small | None = None
    ) -> None:
        """Keep an answer.

        Args:
            key: As for `find`.
            answer: What was answered.
            near_key: As for `find_near`.
            small: Of the picture; None not to keep it for copies.
        """
        with self._lock:
            self._bytes += len(answer) - len(self._answers.pop(key, b""))
            self._answers[key] = answer
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._answers.popitem(last=False)[1])
            if small is not None:
                self._pictures.append((near_key, small, key))
