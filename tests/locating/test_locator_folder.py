"""What a folder locates with is told by the files in it."""

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.locating import locator_folder
from snapshelf.locating.edge_boxes import EdgeBoxes
from snapshelf.locating.locator_file import LOCATOR_FILE, save_locator
from snapshelf.locating.locator_folder import (
    copy_locator,
    locator_from_folder,
    parts_from_folder,
)
from snapshelf.locating.part_model import PartModel
from snapshelf.locating.part_model_confidence import PartModelConfidence
from snapshelf.locating.part_model_file import save_part_model
from snapshelf.locating.part_model_parts import PartModelParts
from snapshelf.locating.proposal_ranking import ProposalRanking
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.locating.whole_if_plain import WholeIfPlain


def test_ranked_proposals_are_loaded(tmp_path):
    locator = RankedProposals(EdgeBoxes(), most=2)
    save_locator(tmp_path, locator)
    assert locator_from_folder(tmp_path).fingerprint == WholeIfPlain(locator).fingerprint


def test_a_detector_is_what_its_own_reader_loads(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "detector.json").write_text("[")
    with pytest.raises(ModelError, match=r"detector\.json cannot be read as JSON"):
        locator_from_folder(tmp_path)


def test_the_files_have_the_names_that_are_written():
    pytest.importorskip("torch")
    from snapshelf.locating.detector_file import DETECTOR_FILE

    assert locator_folder.LOCATOR_FILE == LOCATOR_FILE
    assert locator_folder.DETECTOR_FILE == DETECTOR_FILE


def test_none_or_both_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(ModelError, match=r"must be the folder of a locator.+got neither"):
            locator_from_folder(folder)
    save_locator(tmp_path, RankedProposals(EdgeBoxes()))
    (tmp_path / "detector.json").write_text("{}")
    with pytest.raises(ModelError, match=r"got locator\.json and detector\.json"):
        locator_from_folder(tmp_path)


def test_parts_are_those_of_the_part_model(random_model, tmp_path):
    model = PartModel(random_model().components[:1])
    save_part_model(tmp_path, model)
    parts = parts_from_folder(tmp_path)
    assert parts.fingerprint == PartModelParts(model).fingerprint
    assert len(parts(np.zeros((30, 30, 3), np.uint8))) == parts.count == 2


def test_what_gives_no_parts_is_named(random_model, tmp_path):
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        parts_from_folder(tmp_path)
    save_part_model(tmp_path, random_model())
    with pytest.raises(ModelError, match="same number of parts, at least 1, got 2, 0"):
        parts_from_folder(tmp_path)


def test_a_copy_is_the_same_locator_and_nothing_else(random_model, tmp_path):
    source, target = tmp_path / "source", tmp_path / "out" / "locator"
    target.parent.mkdir()
    locator = RankedProposals(
        EdgeBoxes(), [PartModelConfidence(random_model())], ProposalRanking((0.5, 2.0))
    )
    save_locator(source, locator)
    (source / "checkpoints").mkdir()
    (source / "log.csv").write_text("epoch\n")
    for _ in range(2):  # what is there is replaced, with what a cut-off copy left
        copy_locator(source, target)
        assert locator_from_folder(target).fingerprint == WholeIfPlain(locator).fingerprint
        assert sorted(file.name for file in target.iterdir()) == [
            "locator.json", "part_model.json", "part_model.safetensors",
        ]  # fmt: skip
        assert [file.name for file in target.parent.iterdir()] == ["locator"]
        (target / "other").touch()
        target.with_name("locator.partial").mkdir()
    copy_locator(target, tmp_path / "out" / ".." / "out" / "locator")
    assert (target / "other").exists()


def test_what_is_no_locator_is_not_copied(tmp_path):
    with pytest.raises(ModelError, match=r"must be the folder of a locator.+got neither"):
        copy_locator(tmp_path, tmp_path / "target")
    assert not list(tmp_path.iterdir())


def test_all_files_of_a_locator_are_known():
    pytest.importorskip("torch")
    from snapshelf.locating import detector_file, object_file, part_model_file

    assert set(locator_folder.FILES[LOCATOR_FILE]) == {
        object_file.CLASSIFIER_FILE, object_file.OBJECT_FILE,
        part_model_file.FILTERS_FILE, part_model_file.PART_MODEL_FILE,
    }  # fmt: skip
    assert locator_folder.FILES[detector_file.DETECTOR_FILE] == (detector_file.WEIGHTS_FILE,)
