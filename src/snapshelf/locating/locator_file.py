"""A `RankedProposals` in a folder: ``locator.json``, and the files of its confidences beside it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.weights import file_digest
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings
from snapshelf.locating.part_model_confidence import PartModelConfidence
from snapshelf.locating.part_model_file import load_part_model, save_part_model
from snapshelf.locating.proposal_confidence import ProposalConfidence
from snapshelf.locating.proposal_ranking import ProposalRanking
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.whole_file import write_whole

__all__ = ["LOCATOR_FILE", "load_locator", "save_locator"]

LOCATOR_FILE = "locator.json"


def save_locator(folder: Path, locator: RankedProposals) -> None:
    """Write a locator into a folder, ``locator.json`` last.

    Args:
        folder: Made if it isn't there; files of the same names are replaced.
        locator: Its proposer is an `EdgeBoxes`, and its confidences are a `PartModelConfidence`
            and an `ObjectConfidence`, each once at most.

    Raises:
        TypeError: If its parts are others.
        OSError: If it cannot be written.
    """
    if not isinstance(locator.proposer, EdgeBoxes):
        raise TypeError(f"proposer must be EdgeBoxes, got {type(locator.proposer).__name__}")
    folder.mkdir(parents=True, exist_ok=True)
    confidences = [_save_confidence(folder, confidence) for confidence in locator.confidences]
    kinds = [confidence["kind"] for confidence in confidences]
    if len(set(kinds)) < len(kinds):
        raise TypeError(f"confidences must each be of another kind, got {', '.join(kinds)}")
    forest = locator.proposer.forest
    settings = {
        "edge_boxes": asdict(locator.proposer.settings),
        "forest": None if forest is None else file_digest(forest),
        "confidences": confidences,
        "ranking": locator.ranking.to_dict(),
        "most": locator.most,
        "overlap": locator.overlap,
        "least": locator.least,
    }
    write_whole(folder / LOCATOR_FILE, (json.dumps(settings, indent=2) + "\n").encode())


def load_locator(folder: Path, *, forest: Path | None = None) -> RankedProposals:
    """Read a locator back.

    Args:
        folder: That it was written into.
        forest: The structured forest, if it was trained with one: that is not copied.

    Raises:
        ModelError: If a file is missing, damaged, they do not go together, or the forest is not
            that of the training.
    """
    file = folder / LOCATOR_FILE
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        wanted = settings["forest"]
        given = None if forest is None else file_digest(forest)
        if wanted != given:
            raise ModelError(
                f"{file} was trained {'with' if wanted else 'without'} a structured forest of "
                f"digest {wanted}: give the same one, got {given}"
            )
        proposer = EdgeBoxes(EdgeBoxesSettings(**settings["edge_boxes"]), forest=forest)
        confidences = [_load_confidence(folder, **each) for each in settings["confidences"]]
        return RankedProposals(
            proposer,
            confidences,
            ProposalRanking.from_dict(settings["ranking"]),
            **{name: settings[name] for name in ("most", "overlap", "least")},
        )
    except KeyError as error:
        raise ModelError(f"{file}: {error} is missing; train the locator anew") from error
    except (AttributeError, OSError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{file} holds no locator: {error}. Copy the folder again, or train anew"
        ) from error


def _save_confidence(folder: Path, confidence: ProposalConfidence) -> dict[str, Any]:
    if isinstance(confidence, PartModelConfidence):
        save_part_model(folder, confidence.model)
        settings = ("threshold", "overlap", "most")
        return {"kind": "part model", **{name: getattr(confidence, name) for name in settings}}
    # Torch is needed for this one only.
    from snapshelf.locating.object_confidence import ObjectConfidence
    from snapshelf.locating.object_file import save_object_confidence

    if isinstance(confidence, ObjectConfidence):
        save_object_confidence(folder, confidence)
        return {"kind": "objectness network"}
    raise TypeError(
        "confidences must be PartModelConfidence or ObjectConfidence, "
        f"got {type(confidence).__name__}"
    )


def _part_model(folder: Path, **settings: Any) -> ProposalConfidence:
    return PartModelConfidence(load_part_model(folder), **settings)


def _objectness_network(folder: Path) -> ProposalConfidence:
    from snapshelf.locating.object_file import load_object_confidence

    return load_object_confidence(folder)


CONFIDENCES: Mapping[str, Callable[..., ProposalConfidence]] = {
    "objectness network": _objectness_network,
    "part model": _part_model,
}
"""What ``locator.json`` can name."""


def _load_confidence(folder: Path, kind: str, **settings: Any) -> ProposalConfidence:
    if kind not in CONFIDENCES:
        raise ValueError(f"confidences must be of {', '.join(CONFIDENCES)}, got {kind!r}")
    return CONFIDENCES[kind](folder, **settings)
