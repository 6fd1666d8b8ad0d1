"""`RemovedContents`: what pictures that were removed lately gave."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from snapshelf.store.milvus.embedding_rows import Located, located_in

__all__ = ["RemovedContents"]

CONTENTS_KEPT = 4_096


class RemovedContents:
    """What removed pictures gave, kept for a product to come that shows one of them.

    An update asks for the contents that the store knows a little before it stores them, and their
    pictures may be removed in between. The latest `CONTENTS_KEPT` are kept.
    """

    def __init__(self) -> None:
        self._located: OrderedDict[str, Located] = OrderedDict()

    def among(self, contents: Sequence[str]) -> dict[str, Located]:
        """Give those of some contents that are kept."""
        return {each: self._located[each] for each in contents if each in self._located}

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep what rows of embeddings, which were removed, tell of their pictures."""
        pictures: dict[tuple[str, int, int], list[Mapping[str, Any]]] = {}
        for row in rows:
            key = (row["content"], int(row["product"]), int(row["position"]))
            pictures.setdefault(key, []).append(row)
        for (content, _, _), each in list(pictures.items())[-CONTENTS_KEPT:]:
            self._located[content] = located_in(each)
            self._located.move_to_end(content)
        while len(self._located) > CONTENTS_KEPT:
            self._located.popitem(last=False)
