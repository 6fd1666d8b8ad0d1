"""Searches of a service: prepared and answered in threads, embedded together."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from snapshelf.annotation.attribute_finder import AttributeFinder
from snapshelf.features.encoder import Domain
from snapshelf.media.content import content_hash
from snapshelf.media.decode import decode_picture
from snapshelf.media.encode import encode_jpeg
from snapshelf.service.answer_cache import AnswerCache, Small, small_picture
from snapshelf.service.json_answer import write_json
from snapshelf.service.measures import Measures
from snapshelf.service.micro_batches import MicroBatches
from snapshelf.service.problems import ProblemError
from snapshelf.service.product_pictures import shown_item
from snapshelf.service.search_options import SearchOptions
from snapshelf.service.settings import Settings
from snapshelf.service.work_gate import WorkGate
from snapshelf.shelf.query import Query, answer_query, prepare_query
from snapshelf.shelf.result import FoundItem
from snapshelf.shelf.shelf import Shelf
from snapshelf.store.filters import Filter, parse_filter

__all__ = ["Answered", "Searching", "judged"]

T = TypeVar("T")

LEAST_LIKELY = 0.5
"""Attributes that are less likely are not told."""

SHOWN_SIDE = 1600
"""Longest side of a picture that is given back, in pixels."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer.

    Attributes:
        found: ``{"items", "size"}`` as JSON.
        seconds: Of each stage.
        cached: ``exact`` or ``near`` where the answer was at hand; None where it was not.
    """

    found: bytes
    seconds: dict[str, float]
    cached: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A picture on its way to an answer.

    Attributes:
        size: (width, height) in pixels.
        query: Its items.
        keys: Under which the answer will be kept, for the same request and for copies.
        small: For copies of the picture; None where there is no need.
        seconds: Of the stages so far.
    """

    size: tuple[int, int]
    query: Query
    keys: tuple[Hashable, Hashable]
    small: Small | None
    seconds: dict[str, float]


class Searching:
    """Searches a shelf for the requests of a service.

    Args:
        shelf: Is searched.
        settings: Bounds.
        measures: Stages, batches and look-ups are noted there.
        pool: Threads for all but the encoder, which has one of its own.
    """

    def __init__(
        self, shelf: Shelf, settings: Settings, measures: Measures, pool: ThreadPoolExecutor
    ) -> None:
        self._shelf = shelf
        self._settings = settings
        self._measures = measures
        self._gate = WorkGate(settings.most_in_work, measures)
        self._cache = AnswerCache(settings.cached_bytes, settings.cached_pictures)
        self._pool = pool
        self._encoder_thread = ThreadPoolExecutor(1, thread_name_prefix="snapshelf-encoder")
        predictor = shelf.system.predictor
        self._attributes = (
            None if predictor is None else AttributeFinder(predictor, least=LEAST_LIKELY)
        )
        encoder = shelf.system.encoder
        self._batches = MicroBatches(
            lambda inputs: encoder.encode(inputs, Domain.STREET),
            self._encoder_thread,
            most_items=settings.batch_items,
            wait_s=settings.batch_wait_s,
            on_batch=measures.batches.observe,
        )

    async def search(self, data: bytes, options: SearchOptions) -> Answered:
        """Find the products in a picture.

        Args:
            data: The picture's file.
            options: What is asked for.

        Raises:
            PictureError: If the picture cannot be used.
            FilterError: If the filter cannot be understood.
            ProblemError: If there is too much to do, it takes too long, or a box or point does
                not lie in the picture.
        """
        where = None if options.filter is None else parse_filter(options.filter)

        async def work() -> Answered:
            with self._batches.expected():
                prepared = await self.in_thread(lambda: self._prepare(data, options))
                if isinstance(prepared, Answered):
                    return prepared
                start = time.perf_counter()
                embeddings = await self._batches.embed(prepared.query.inputs)
                prepared.seconds["encode"] = time.perf_counter() - start
            return await self.in_thread(lambda: self._find(prepared, embeddings, options, where))

        answer = await self._bounded(work)
        self._measures.cache.labels(answer.cached or "miss").inc()
        return answer

    async def detect(self, data: bytes) -> Answered:
        """Find the items in a picture, and no products.

        Args:
            data: The picture's file.

        Returns:
            Items are ``{"box", "label", "confidence"}``.

        Raises:
            PictureError: If the picture cannot be used.
            ProblemError: If there is too much to do, or it takes too long.
        """

        def located() -> Answered:
            start = time.perf_counter()
            picture = decode_picture(data, self._settings.limits)
            decoded = time.perf_counter()
            regions = self._shelf.system.locator.locate(picture)
            seconds = {"decode": decoded - start, "locate": time.perf_counter() - decoded}
            items = [
                {"box": list(each.box), "label": each.label, "confidence": each.confidence}
                for each in regions
            ]
            size = [picture.shape[1], picture.shape[0]]
            return Answered(write_json({"items": items, "size": size}), seconds)

        return await self._bounded(lambda: self.in_thread(located))

    async def upright(self, data: bytes) -> Answered:
        """Turn a picture upright, and make it a JPEG that is not too large to be shown.

        Args:
            data: The picture's file.

        Returns:
            The JPEG's bytes as what was found.

        Raises:
            PictureError: If the picture cannot be used.
            ProblemError: If there is too much to do, or it takes too long.
        """

        def turned() -> Answered:
            start = time.perf_counter()
            jpeg = encode_jpeg(
                decode_picture(data, self._settings.limits), longest_side=SHOWN_SIDE, quality=90
            )
            return Answered(jpeg, {"upright": time.perf_counter() - start})

        return await self._bounded(lambda: self.in_thread(turned))

    def warm_up(self) -> None:
        """Search once, so that the first request does not wait for what is loaded when needed."""
        system, grey = self._shelf.system, np.full((64, 64, 3), 128, np.uint8)
        query = prepare_query(system, grey)
        embeddings = system.encoder.encode(query.inputs, Domain.STREET)
        answer_query(self._shelf.store, system, query, embeddings, top=1)

    def close(self) -> None:
        """Wait for the encoder."""
        self._encoder_thread.shutdown(cancel_futures=True)

    async def _bounded(self, work: Callable[[], Awaitable[Answered]]) -> Answered:
        """Take work in, and give it up when it takes too long."""
        with self._gate.enter():
            try:
                async with asyncio.timeout(self._settings.answer_s):
                    answer = await work()
            except TimeoutError:
                raise ProblemError(
                    "timed-out",
                    f"no answer within {self._settings.answer_s:g} s; try again, with a smaller "
                    "picture",
                    retry_after_s=5,
                ) from None
        for stage, seconds in answer.seconds.items():
            self._measures.stages.labels(stage).observe(seconds)
        return answer

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Run a function in one of the threads for pictures."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def _prepare(self, data: bytes, options: SearchOptions) -> _Prepared | Answered:
        """Look for a kept answer, else decode, locate and prepare; in a thread."""
        start = time.perf_counter()
        version = self._shelf.store.version
        exact: Hashable = (content_hash(data), options, version)
        kept = self._cache.find(exact)
        looked = time.perf_counter()
        if kept is not None:
            return Answered(kept, {"cache": looked - start}, "exact")
        picture = decode_picture(data, self._settings.limits)
        decoded = time.perf_counter()
        size = (picture.shape[1], picture.shape[0])
        near: Hashable = (size, options, version)
        small = small_picture(picture) if self._settings.cached_pictures else None
        kept = None if small is None else self._cache.find_near(near, small)
        compared = time.perf_counter()
        seconds = {"decode": decoded - looked, "cache": looked - start + compared - decoded}
        if kept is not None:
            self._cache.keep(exact, kept)
            return Answered(kept, seconds, "near")
        try:
            query = prepare_query(
                self._shelf.system, picture, boxes=options.boxes, points=options.points
            )
        except ValueError as error:
            if not options.boxes and not options.points:
                raise
            raise ProblemError("invalid", str(error)) from None
        seconds["locate"] = time.perf_counter() - compared
        return _Prepared(size, query, (exact, near), small, seconds)

    def _find(
        self,
        prepared: _Prepared,
        embeddings: NDArray[np.float32],
        options: SearchOptions,
        where: Filter | None,
    ) -> Answered:
        """Find the products, and write them down; in a thread."""
        items, seconds = answer_query(
            self._shelf.store,
            self._shelf.system,
            prepared.query,
            embeddings,
            top=options.top,
            by_category=options.by_category,
            where=where,
        )
        if options.in_catalogue is not None:
            items = tuple(judged(item, options.in_catalogue) for item in items)
        shown = [shown_item(item) for item in items]
        if self._attributes is not None:
            start = time.perf_counter()
            parts = [self._attributes.prepare(part) for part in prepared.query.parts]
            for item, seen in zip(shown, self._seen(parts), strict=True):
                item["item"]["attributes"] = seen
            seconds = {**seconds, "attributes": time.perf_counter() - start}
        found = write_json({"items": shown, "size": prepared.size})
        exact, near = prepared.keys
        self._cache.keep(exact, found, near, prepared.small)
        return Answered(found, {**prepared.seconds, **seconds})

    def _seen(self, parts: list[NDArray[np.uint8]]) -> list[list[dict[str, Any]]]:
        """Predict what items look like."""
        assert self._attributes is not None
        return [
            [
                {"name": each.name, "value": each.value, "probability": round(each.probability, 4)}
                for each in seen
            ]
            for seen in self._attributes.find(parts, Domain.STREET)
        ]


def judged(found: FoundItem, threshold: float) -> FoundItem:
    """Tell anew whether an item is in the catalogue.

    Args:
        found: The item.
        threshold: Confidence of its best match from which it is.
    """
    sure = bool(found.matches) and found.matches[0].confidence >= threshold
    return replace(found, in_catalogue=sure)
