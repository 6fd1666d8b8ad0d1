"""Changes of products, one after the other, beside searches and other processes."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from snapshelf.catalog.entry import Entry, Problem
from snapshelf.catalog.product import Product
from snapshelf.media.source import UrlReader
from snapshelf.service.batch_body import RefusedItem
from snapshelf.service.measures import Measures
from snapshelf.service.problems import ProblemError
from snapshelf.service.product_body import ProductBody, understand
from snapshelf.service.settings import Settings
from snapshelf.shelf.changing import put_products, remove_products
from snapshelf.store.opening import Place, open_store
from snapshelf.systems.system import System

__all__ = ["Changed", "ProductChanges"]

T = TypeVar("T")

RUN = "HTTP API"
"""Names these changes in the store's list of runs."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a product.

    Attributes:
        id: The product.
        status: ``created``, ``stored`` (it was there before), ``deleted``, ``not_found``,
            ``refused`` or, through no fault of its own, ``failed``.
        problems: Why nothing came of it, or what was left out of it.
    """

    id: str
    status: str
    problems: tuple[str, ...] = ()


class ProductChanges:
    """Changes a shelf, whose lock is held for the time of a change only.

    Args:
        path: The shelf's folder or address.
        system: The one that it was made with.
        settings: Bounds.
        measures: Changes are noted there.
        fetcher: Reads pictures from URLs.
    """

    def __init__(
        self,
        path: Place,
        system: System,
        settings: Settings,
        measures: Measures,
        fetcher: UrlReader,
    ) -> None:
        self._path = path
        self._system = system
        self._settings = settings
        self._measures = measures
        self._fetcher = fetcher
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="snapshelf-writer")
        self._waiting = 0

    async def put(self, products: Sequence[tuple[str, ProductBody | RefusedItem]]) -> list[Changed]:
        """Store products; once this is back they are on disk and found by searches.

        Args:
            products: IDs and all else; of an ID given twice the second is refused, and so is what
                was no product.

        Returns:
            One for each, in the order given.

        Raises:
            ProblemError: If too many changes wait, or it takes too long.
            ShelfError: If the shelf cannot be written.
        """
        if not products:
            return []
        return self._noted(await self._in_turn(lambda: self._put(products)))

    async def delete(self, product_ids: Sequence[str | RefusedItem]) -> list[Changed]:
        """Remove products; raises as `put` does."""
        if not product_ids:
            return []
        return self._noted(await self._in_turn(lambda: self._delete(product_ids)))

    def close(self) -> None:
        """Wait for the change under way."""
        self._thread.shutdown(cancel_futures=True)

    async def _in_turn(self, change: Callable[[], T]) -> T:
        if self._waiting >= self._settings.most_writes:
            raise ProblemError(
                "busy", "other changes of products are waiting; try again", retry_after_s=5
            )
        self._waiting += 1
        under_way = asyncio.get_running_loop().run_in_executor(self._thread, change)
        under_way.add_done_callback(self._one_less)
        try:
            # A change that is given up goes on all the same: it cannot be stopped half way.
            async with asyncio.timeout(self._settings.write_s):
                return await asyncio.shield(under_way)
        except TimeoutError:
            raise ProblemError(
                "timed-out",
                f"the change is not done after {self._settings.write_s:g} s and goes on; look at "
                "the products, or send the same again",
                retry_after_s=30,
            ) from None

    def _one_less(self, done: "asyncio.Future[T]") -> None:
        self._waiting -= 1
        if not done.cancelled():
            done.exception()  # whoever waited has heard of it, or has gone

    def _delete(self, product_ids: Sequence[str | RefusedItem]) -> list[Changed]:
        """Remove products; in the writer's thread."""
        known = [each for each in product_ids if isinstance(each, str)]
        there = remove_products(self._path, known) if known else ()
        return [
            Changed(each.id, "refused", each.problems)
            if isinstance(each, RefusedItem)
            else Changed(each, "deleted" if each in there else "not_found")
            for each in product_ids
        ]

    def _put(self, products: Sequence[tuple[str, ProductBody | RefusedItem]]) -> list[Changed]:
        """Store products; in the writer's thread."""
        understood: dict[str, Product] = {}
        refused: dict[int, tuple[str, ...]] = {}
        told: dict[str, list[str]] = {}
        for number, (name, body) in enumerate(products):
            if isinstance(body, RefusedItem):
                refused[number] = body.problems
                continue
            product, problems = understand(name, body)
            if product is None:
                refused[number] = tuple(problems)
            elif product.id in understood:
                refused[number] = ("id: is given twice; the first counts",)
            else:
                understood[product.id] = product
                told[product.id] = list(problems)
        before = self._known(list(understood))
        left_out: set[str] = set()

        def note(problem: Problem) -> None:
            told[problem.product_id].append(f"{problem.field}: {problem.reason}")
            if problem.fatal:
                left_out.add(problem.product_id)

        if understood:
            put_products(
                self._path,
                self._system,
                [Entry(product, 1) for product in understood.values()],
                feed=RUN,
                fetcher=self._fetcher,
                limits=self._settings.limits,
                on_problem=note,
            )
        changed = []
        for number, (name, _) in enumerate(products):
            if number in refused:
                changed.append(Changed(name, "refused", refused[number]))
                continue
            own = name.strip()
            stored = "stored" if own in before else "created"
            status = "refused" if own in left_out else stored
            changed.append(Changed(own, status, tuple(told[own])))
        return changed

    def _known(self, product_ids: Sequence[str]) -> set[str]:
        store = open_store(self._path)
        try:
            return set(store.known(product_ids))
        finally:
            store.close()

    def _noted(self, changed: list[Changed]) -> list[Changed]:
        for each in changed:
            self._measures.writes.labels(each.status).inc()
        return changed
