"""A locator that remembers asks the other one once for each picture."""

import numpy as np

from snapshelf.locating import Region
from snapshelf.locating.remembering import RememberingLocator, RememberingParts


class Counted:
    """Takes a corner that depends on the picture, and counts how often it is asked."""

    fingerprint = "counted"

    def __init__(self):
        self.asked = []

    def locate(self, picture):
        self.asked.append("locate")
        return (Region((0.0, 0.0, 1.0, 1.0 + float(picture.mean()))),)

    def candidates(self, picture):
        self.asked.append("candidates")
        return (*self.locate(picture), Region((0.0, 0.0, 2.0, 2.0)))


def test_each_picture_is_located_in_once():
    inner = Counted()
    locator = RememberingLocator(inner)
    assert locator.fingerprint == "counted"
    pictures = [np.full((4, 6, 3), value, np.uint8) for value in (3, 9)]
    # The same bytes in another shape are another picture.
    pictures.append(pictures[0].reshape(6, 4, 3))
    for _ in range(2):
        for picture in pictures:
            assert locator.locate(picture) == Counted().locate(picture)
    assert inner.asked == ["locate"] * 3
    for _ in range(2):
        assert locator.candidates(pictures[0]) == Counted().candidates(pictures[0])
    assert inner.asked[3:] == ["candidates", "locate"]


def test_the_parts_of_each_picture_are_found_once():
    asked = []

    class Corner:
        count = 1
        fingerprint = "corner"

        def __call__(self, picture):
            asked.append(picture.shape)
            return ((0.0, 0.0, 1.0, 1.0 + float(picture.mean())),)

    parts = RememberingParts(Corner())
    assert (parts.count, parts.fingerprint) == (1, "corner")
    pictures = [np.full((4, 6, 3), value, np.uint8) for value in (3, 9)]
    for _ in range(2):
        assert [parts(picture)[0][3] for picture in pictures] == [4.0, 10.0]
    assert len(asked) == 2
