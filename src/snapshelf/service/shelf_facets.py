"""What a shelf's products can be told apart by, counted anew when the shelf changes."""

from collections import OrderedDict
from threading import Lock

from snapshelf.service.json_answer import write_json
from snapshelf.store.filters import Filter
from snapshelf.store.records import CategoryFacet, Facets
from snapshelf.store.vector_store import VectorStore

__all__ = ["ShelfFacets", "roll_up"]

MOST = 200
KEPT = 32


class ShelfFacets:
    """Counts a store's products; any number of threads may look.

    Args:
        store: Its products are counted.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, Filter | None], bytes] = OrderedDict()

    def look(self, where: Filter | None = None) -> bytes:
        """Give the counts as JSON.

        Args:
            where: Only products that pass this filter.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        place = (self._store.version, where)
        with self._lock:
            kept = self._kept.get(place)
        if kept is None:
            kept = _written(self._store.facets(MOST, where))
            with self._lock:
                self._kept[place] = kept
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return kept


def roll_up(categories: tuple[CategoryFacet, ...]) -> list[CategoryFacet]:
    """Count in each category those below it too, as a filter does.

    Args:
        categories: Each without those below it.

    Returns:
        With all that stand above them, by name, each before those below it.

    Example:
        >>> below = (CategoryFacet(("A", "B"), 2, "1"), CategoryFacet(("A", "C"), 3, "2"))
        >>> [(" > ".join(each.path), each.products) for each in roll_up(below)]
        [('A', 5), ('A > B', 2), ('A > C', 3)]
    """
    counted: dict[tuple[str, ...], CategoryFacet] = {}
    for each in categories:
        for length in range(1, len(each.path) + 1):
            path = each.path[:length]
            key = tuple(name.casefold() for name in path)
            known = counted.get(key)
            counted[key] = (
                CategoryFacet(path, each.products, each.example)
                if known is None
                else CategoryFacet(known.path, known.products + each.products, known.example)
            )
    return [counted[key] for key in sorted(counted)]


def _written(facets: Facets) -> bytes:
    return write_json(
        {
            "products": facets.products,
            "categories": [
                {
                    "category": " > ".join(each.path),
                    "products": each.products,
                    "example": each.example,
                }
                for each in roll_up(facets.categories)[:MOST]
            ],
            "brands": [{"brand": name, "products": size} for name, size in facets.brands],
            "prices": [
                {
                    "currency": each.currency,
                    "products": each.products,
                    "least": each.least,
                    "most": each.most,
                }
                for each in facets.prices
            ],
        }
    )
