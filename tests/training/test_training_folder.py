"""The folder of a training: who may write to it, and what it must be gone on with."""

import json

import pytest

from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_folder import (
    RECORD_FILE,
    begin,
    check_folder,
    check_record,
    is_finished,
    is_first_process,
)

RECORD = {"recipe": {"rate": 0.5, "stages": [{"epochs": 1}], "clip": None}, "data": ["a"]}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.mark.parametrize("resume", [False, True])
def test_a_new_or_empty_folder_may_be_written_to(out, resume):
    check_folder(out, resume=resume)
    assert not out.exists()
    out.mkdir()
    check_folder(out, resume=resume)
    check_record(out, RECORD)
    begin(out, RECORD)
    assert json.loads((out / RECORD_FILE).read_text()) == RECORD
    assert [file.name for file in out.iterdir()] == [RECORD_FILE]


def test_only_resume_goes_on(out):
    begin(out, RECORD)
    check_folder(out, resume=True)
    check_record(out, RECORD)
    begin(out, RECORD)
    assert not is_finished(out)
    with pytest.raises(TrainingError, match=r"a training that was cut off; add --resume"):
        check_folder(out, resume=False)
    (out / "system.json").write_text("{}")
    assert is_finished(out)
    with pytest.raises(TrainingError, match=r"a finished training; add --resume"):
        check_folder(out, resume=False)
    check_folder(out, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_somebody_elses_folder_is_refused(out, resume):
    out.mkdir()
    (out / "holiday.jpg").touch()
    with pytest.raises(TrainingError, match="holds something else than a training"):
        check_folder(out, resume=resume)
    (out / "system.json").write_text("{}")
    with pytest.raises(TrainingError, match="holds something else than a training"):
        check_folder(out, resume=resume)


def test_a_file_and_a_missing_parent_are_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="is a file; give a folder's path"):
        check_folder(tmp_path / "file", resume=False)
    with pytest.raises(TrainingError, match=r"there is no folder .*none; make it"):
        check_folder(tmp_path / "none" / "out", resume=False)


def test_a_kill_while_the_record_is_written_can_be_gone_on_with(out, monkeypatch):
    from pathlib import Path

    def kill(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", kill)
        with pytest.raises(KeyboardInterrupt):
            begin(out, RECORD)
    assert any(out.iterdir())
    for resume in (False, True):
        check_folder(out, resume=resume)
    begin(out, RECORD)
    assert [file.name for file in out.iterdir()] == [RECORD_FILE]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({**RECORD, "data": ["b"]}, r'data was \["a"\], is \["b"\]'),
        ({**RECORD, "seed": 1}, r"seed was null, is 1"),
        ({"data": ["a"]}, r"recipe was \{.*\}, is null"),
        ({**RECORD, "recipe": RECORD["recipe"] | {"rate": 1}}, r"recipe\.rate was 0\.5, is 1"),
        (
            {**RECORD, "recipe": RECORD["recipe"] | {"stages": [{"epochs": 2}]}},
            r"recipe\.stages was \[\{\"epochs\": 1\}\], is \[\{\"epochs\": 2\}\]",
        ),
        ({**RECORD, "data": ["x" * 500]}, r"is \[\"x{75}\.\.\.\. Go on"),
    ],
)
def test_something_else_is_not_gone_on_with(out, changed, message):
    begin(out, RECORD)
    with pytest.raises(TrainingError, match=message):
        check_record(out, changed)
    assert json.loads((out / RECORD_FILE).read_text()) == RECORD


def test_tuples_are_what_json_makes_of_them(out):
    begin(out, {"sides": (1, 2)})
    check_record(out, {"sides": (1, 2)})


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "null", "\x00", "[" * 100_000])
def test_a_record_that_cannot_be_read_is_told(out, content):
    begin(out, RECORD)
    (out / RECORD_FILE).write_text(content)
    with pytest.raises(TrainingError, match=r"cannot be read as JSON|was .*, is"):
        check_record(out, RECORD)


def test_a_record_that_is_no_text_is_told(out):
    begin(out, RECORD)
    (out / RECORD_FILE).write_bytes(b"\xff\xfe{")
    with pytest.raises(TrainingError, match="cannot be read as JSON"):
        check_record(out, RECORD)


def test_only_the_process_that_was_started_is_the_first(monkeypatch):
    for name in ("LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert is_first_process()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_first_process()
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("NODE_RANK", "2")
    assert not is_first_process()
