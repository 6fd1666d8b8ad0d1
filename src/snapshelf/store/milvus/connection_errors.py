"""Errors of a Milvus server and of the connection to it, told in the user's words."""

from collections.abc import Iterator
from contextlib import contextmanager

from snapshelf.errors import ShelfError

__all__ = ["MissingCollectionError", "UnavailableError", "readable_errors"]

_NOT_FOUND = 100
_HINTS = (
    ("no space left", "the server's disk is full: make room and run the same command again"),
    ("disk quota", "the server's disk quota is used up: make room and run the same command again"),
    ("quota exceeded", "the server refuses writes until it has room: make room, or wait"),
    ("memory", "the server is short of memory: give it more, or keep fewer shelves loaded"),
    ("auth", "check SNAPSHELF_MILVUS_TOKEN (USER:PASSWORD) and what that user may do"),
    ("permission", "check SNAPSHELF_MILVUS_TOKEN (USER:PASSWORD) and what that user may do"),
    ("too large", "the server takes no request of this size"),
)
_AWAY = (
    "unavailable", "deadline", "timeout", "not ready", "connect", "retry", "not healthy",
    "not loaded", "not fully loaded", "no available", "not serving", "cancel", "initializing",
    "node not", "not available", "offline", "collectionnotloaded", "channel", "closing",
)  # fmt: skip
_AWAY_HINT = (
    "is the server running, is this its address, and does SNAPSHELF_MILVUS_TOKEN hold the right "
    "USER:PASSWORD? Nothing that was committed is lost: run the same command again once it answers"
)


class MissingCollectionError(ShelfError):
    """The server has no such collection (any more)."""


class UnavailableError(ShelfError):
    """The server does not answer, or not yet."""


@contextmanager
def readable_errors(address: object, what: str) -> Iterator[None]:
    """Turn errors of pymilvus and of the connection into a `ShelfError`.

    Args:
        address: The shelf.
        what: What cannot be done if there is one, such as "cannot connect".
    """
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        text = " ".join(str(error.message).split())
        if error.code == _NOT_FOUND or "collection not found" in text:
            raise MissingCollectionError(
                f"{address}: {what}: the server has no such collection; was the shelf "
                "removed or replaced? Open it again, or index it anew"
            ) from error
        raise _told(address, what, text) from error
    except (grpc.RpcError, grpc.FutureTimeoutError, OSError, ValueError) as error:
        if isinstance(error, ValueError) and "closed channel" not in str(error):
            raise
        raise _told(address, what, f"unavailable: {' '.join(str(error).split())}") from error


def _told(address: object, what: str, text: str) -> ShelfError:
    hint = _hint(text)
    made = ShelfError if hint is not None else UnavailableError
    return made(f"{address}: {what}: {text[:300]}; {hint or _AWAY_HINT}")


def _hint(text: str) -> str | None:
    """Tell what to do about an error; None where it is that the server is away."""
    folded = text.casefold()
    for word, hint in _HINTS:
        if word in folded:
            return hint
    if any(word in folded for word in _AWAY):
        return None
    return "see the server's log"
