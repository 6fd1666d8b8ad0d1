"""Whether a system is the one that a shelf was made with, and what a shelf notes to tell."""

from collections.abc import Mapping

from snapshelf.errors import ShelfError, SystemMismatchError
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["check_system", "system_properties"]

NAME = "system"
FINGERPRINT = "fingerprint"
EMBEDDINGS = "embedding_fingerprint"
"""Noted where the system has a re-ranker: its fingerprint is of more than the embeddings then."""


def system_properties(system: System) -> Mapping[str, str]:
    """Give what a shelf made with a system notes of it."""
    noted = {NAME: system.name, FINGERPRINT: system.fingerprint}
    if system.reranker is not None:
        noted[EMBEDDINGS] = system.embedding_fingerprint
    return noted


def check_system(store: VectorStore, system: System, *, write: bool = False) -> None:
    """Refuse a system that a store was not made for.

    One without a re-ranker may search a shelf that holds descriptions too, the embeddings being
    the same; it may not write to it, since what it adds would be without.

    Args:
        store: The shelf's store.
        system: The system to search or write with.
        write: Whether products are to be added.

    Raises:
        ShelfError: If the store does not tell its system.
        SystemMismatchError: If the system does not fit.
    """
    properties = store.properties
    recorded = properties.get(FINGERPRINT)
    if recorded is None:
        raise ShelfError("the shelf is damaged: it does not tell its system; index it again")
    if recorded == system.fingerprint:
        return
    if properties.get(EMBEDDINGS, recorded) != system.embedding_fingerprint:
        raise SystemMismatchError(
            f"the shelf was indexed with system {properties.get(NAME)!r} (fingerprint "
            f"{recorded[:12]}), not with {system.name!r} (fingerprint "
            f"{system.fingerprint[:12]}): give the same system and weights, or index into a "
            "new shelf"
        )
    if system.reranker is None:
        if write:
            raise SystemMismatchError(
                f"the shelf holds descriptions for re-ranking, and system {system.name!r} gives "
                f"none: index with system {properties.get(NAME)!r}, or into a new shelf; "
                "searching it is possible"
            )
        return
    held = (
        "descriptions for re-ranking of another kind"
        if EMBEDDINGS in properties
        else "no descriptions for re-ranking"
    )
    raise SystemMismatchError(
        f"the shelf holds {held}, having been indexed with system {properties.get(NAME)!r}: index "
        f"with system {system.name!r} into a new shelf, or search with the one it was made with"
    )
