"""A system that a setting names: loaded once, and told apart by what is in it."""

import pytest

from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.systems import System
from snapshelf.systems.given_system import GivenSystem


class Loading:
    """Gives a system or raises, and counts."""

    def __init__(self, result):
        self.result, self.calls = result, []

    def __call__(self, name):
        self.calls.append(name)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def test_it_is_loaded_once_when_it_is_asked_for():
    system = System.load("gist")
    load = Loading(system)
    given = GivenSystem("base", "some", load)
    assert load.calls == []
    assert given.identity() == system.embedding_fingerprint
    assert given.load() is system
    assert load.calls == ["some"]


def test_missing_weights_are_looked_for_once():
    load = Loading(MissingWeightsError("the weights are not here", "Fetch them"))
    given = GivenSystem("base", "some", load)
    assert given.identity() == given.identity() == "some"
    for _ in range(2):
        with pytest.raises(MissingWeightsError, match="the weights are not here"):
            given.load()
    assert load.calls == ["some"]


def test_one_that_cannot_be_loaded_has_no_identity():
    given = GivenSystem("base", "some", Loading(ModelError("it is damaged")))
    for ask in (given.identity, given.load):
        with pytest.raises(ModelError, match="the setting base: it is damaged"):
            ask()


def test_a_setting_that_is_left_out():
    given = GivenSystem("base", None)
    assert given.identity() is None
    with pytest.raises(MissingWeightsError, match="needs a system as the setting base"):
        given.load()
