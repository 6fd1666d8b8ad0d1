"""A locator's folder: what was written comes back, and what is no locator is named."""

import json

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings
from snapshelf.locating.locator_file import load_locator, save_locator
from snapshelf.locating.part_model_confidence import PartModelConfidence
from snapshelf.locating.proposal_ranking import ProposalRanking
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.matching.confidence import Calibration


@pytest.fixture
def locator(random_model):
    return RankedProposals(
        EdgeBoxes(EdgeBoxesSettings(count=20, sigma=1.5)),
        [PartModelConfidence(random_model(), threshold=-1.5, most=50)],
        ProposalRanking((0.5, 2.0), Calibration(3.0, -1.0)),
        most=3,
        overlap=0.4,
        least=0.1,
    )


def test_a_locator_comes_back_from_its_folder(locator, draw, tmp_path):
    save_locator(tmp_path / "out", locator)
    again = load_locator(tmp_path / "out")
    assert again.fingerprint == locator.fingerprint
    assert again.locate(draw(1).pixels) == locator.locate(draw(1).pixels)
    save_locator(tmp_path / "out", RankedProposals(EdgeBoxes()))
    assert load_locator(tmp_path / "out").fingerprint == RankedProposals(EdgeBoxes()).fingerprint


def test_parts_that_have_no_file_are_named(locator, tmp_path):
    class Other:
        fingerprint = "other"

        def propose(self, picture):
            raise NotImplementedError

        def confidences(self, picture, boxes):
            return np.zeros(len(boxes), np.float32)

    with pytest.raises(TypeError, match="proposer must be EdgeBoxes, got Other"):
        save_locator(tmp_path, RankedProposals(Other()))
    weights = ProposalRanking((1.0, 1.0))
    with pytest.raises(TypeError, match="or ObjectConfidence, got Other"):
        save_locator(tmp_path, RankedProposals(EdgeBoxes(), [Other()], weights))
    twice = RankedProposals(
        EdgeBoxes(), [*locator.confidences, *locator.confidences], ProposalRanking((1.0,) * 3)
    )
    with pytest.raises(TypeError, match="each be of another kind"):
        save_locator(tmp_path, twice)
    assert not (tmp_path / "locator.json").exists()


def test_what_is_no_locator_is_named(locator, tmp_path):
    with pytest.raises(ModelError, match="holds no locator"):
        load_locator(tmp_path)
    save_locator(tmp_path, locator)
    file = tmp_path / "locator.json"
    whole = json.loads(file.read_text())
    for changes, message in (
        ({"most": 0}, "most must be at least 1"),
        ({"edge_boxes": {"count": 0}}, "count must be at least 1"),
        ({"edge_boxes": {"number": 1}}, "number"),
        ({"edge_boxes": 1}, "holds no locator"),
        ({"confidences": []}, "ranking must have 1 weights"),
        ({"confidences": [{"kind": "guess"}]}, "must be of objectness network, part model"),
        ({"confidences": [{"kind": "part model", "other": 1}]}, "other"),
        ({"confidences": ["part model"]}, "holds no locator"),
        ({"ranking": {}}, "no ranking of proposals"),
        ({"forest": "abc"}, "trained with a structured forest"),
    ):
        file.write_text(json.dumps({**whole, **changes}))
        with pytest.raises(ModelError, match=message):
            load_locator(tmp_path)
    del whole["overlap"]
    file.write_text(json.dumps(whole))
    with pytest.raises(ModelError, match="'overlap' is missing"):
        load_locator(tmp_path)
    for content in (b"", b"[]", b"nonsense", b"[" * 100_000):
        file.write_bytes(content)
        with pytest.raises(ModelError, match="holds no locator"):
            load_locator(tmp_path)


def test_a_forest_must_be_the_same(locator, tmp_path):
    save_locator(tmp_path / "out", locator)
    (tmp_path / "model.yml").write_text("%YAML:1.0\n---\na: 1\n")
    with pytest.raises(ModelError, match="trained without a structured forest"):
        load_locator(tmp_path / "out", forest=tmp_path / "model.yml")
