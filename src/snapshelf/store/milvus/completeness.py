"""Whether the server has the whole of a shelf at hand."""

import time

from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.connection_errors import UnavailableError
from snapshelf.store.milvus.head import Head
from snapshelf.store.milvus.visibility import embeddings_of, products_of

__all__ = ["Completeness"]

FRESH_S = 1.0
"""A server takes longer to start than this."""


class Completeness:
    """Tells whether the server answers from all the rows of a shelf.

    A server that has just started answers from what it has loaded so far, and says nothing of the
    rest: of a killed one, a search was seen to find nothing at all. So, where a second has passed
    without a request or one has failed, the rows are counted first: the head says how many there
    must be.

    Args:
        connection: To the server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._checked = 0.0

    def check(self, head: Head) -> None:
        """Count the rows of a state, where that was not just done.

        Raises:
            UnavailableError: If there are not as many as there must be.
        """
        now = time.monotonic()
        if now - self._checked <= FRESH_S and not self._connection.disturbed:
            return
        self._connection.disturbed = False
        wanted = (head.counts.embeddings, head.counts.products)
        found = (
            self._connection.count(head.embeddings, embeddings_of(head), head.timestamp),
            self._connection.count(
                head.products, products_of(head, None, "part == 0"), head.timestamp
            ),
        )
        if found != wanted:
            self._connection.disturbed = True
            raise UnavailableError(
                f"the server has {found[0]:,} of {wanted[0]:,} embeddings and {found[1]:,} of "
                f"{wanted[1]:,} products at hand: has it just started? Try again; if it stays so, "
                "the shelf is damaged: restore it from a backup, or index the feed into a new one"
            )
        self._checked = now
