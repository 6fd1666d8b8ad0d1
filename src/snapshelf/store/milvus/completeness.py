"""Whether the server has the whole of a shelf at hand, and nothing of it that was removed."""

import time
from collections.abc import Collection
from dataclasses import replace

from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.connection_errors import UnavailableError
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.removals import removed_lately, still_there
from snapshelf.store.milvus.visibility import embeddings_of, products_of

__all__ = ["Completeness"]

FRESH_S = 1.0
"""A server takes longer to start than this."""


class Completeness:
    """Tells whether the server answers from all the rows of a shelf.

    A server that has just started answers from what it has loaded so far, and says nothing of the
    rest: of a killed one, a search was seen to find nothing at all. So, where a second has passed
    without a request or one has failed, the rows are counted first: the head says how many there
    must be. Where there are more, the killed server has forgotten deletions, see `removals`; what
    has come back is left out, and the next writer deletes it again.

    Args:
        connection: To the server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._checked = 0.0
        self._returned: frozenset[int] = frozenset()

    def check(self, head: Head) -> Head:
        """Count the rows of a state, where that was not just done.

        Returns:
            The state as it is read: it names as dead, besides, what was removed and is there again.

        Raises:
            UnavailableError: If there are not as many as there must be.
        """
        now = time.monotonic()
        if now - self._checked <= FRESH_S and not self._connection.disturbed:
            # A writer's head names them too, and goes on to until they are deleted again.
            if self._returned and self._returned.issubset(head.dead):
                self._returned = frozenset()
            return _without(head, self._returned)
        self._connection.disturbed = False
        returned: frozenset[int] | None = frozenset()
        wanted = (head.counts.embeddings, head.counts.products)
        if (found := self._count(head)) != wanted:
            more = found[0] >= wanted[0] and found[1] >= wanted[1]
            returned = self._find_returned(head, wanted) if more else None
        if returned is None:
            self._connection.disturbed = True
            raise UnavailableError(
                f"the server has {found[0]:,} of {wanted[0]:,} embeddings and {found[1]:,} of "
                f"{wanted[1]:,} products at hand: has it just started? Try again; if it stays so, "
                "the shelf is damaged: restore it from a backup, or index the feed into a new one"
            )
        self._returned, self._checked = returned, now
        return _without(head, returned)

    def _count(self, head: Head) -> tuple[int, int]:
        """Count the embeddings and the products of a state."""
        products = products_of(head, None, "part == 0")
        return (
            self._connection.count(head.embeddings, embeddings_of(head), head.timestamp),
            self._connection.count(head.products, products, head.timestamp),
        )

    def _find_returned(self, head: Head, wanted: tuple[int, int]) -> frozenset[int] | None:
        """Find removed products without which the rows are as many as they must be.

        Returns:
            Their numbers; None if those whose removal is noted do not account for it.
        """
        returned = self._returned
        if returned and self._count(_without(head, returned)) == wanted:
            return returned
        now = self._connection.now()
        for numbers in removed_lately(self._connection, head):
            if there := still_there(self._connection, head, numbers, now):
                returned |= there
                if self._count(_without(head, returned)) == wanted:
                    return returned
        return None


def _without(head: Head, returned: Collection[int]) -> Head:
    """Give a state that names products as dead besides."""
    return replace(head, dead=tuple(sorted({*head.dead, *returned}))) if returned else head
