"""`GalleryReranking`: a system's re-ranker at work in an evaluation, as it is in a search."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.head_reranking import HeadReranking
from snapshelf.evaluation.kept_descriptions import KeptDescriptions
from snapshelf.features.encoder import Domain
from snapshelf.matching.reranker import Candidate, Reranker
from snapshelf.matching.shelf_reranker import ShelfReranker
from snapshelf.media.picture import RGB

__all__ = ["GalleryReranking"]


class GalleryReranking:
    """Keeps the descriptions of all rows, each made once, and judges shortlists with them.

    Use it in a ``with`` statement: what it keeps is gone at its end.

    Args:
        reranker: Describes and compares.
        judged: Called after each row with the number of rows done and of all.

    Attributes:
        seconds: What comparing has taken.
    """

    def __init__(self, reranker: Reranker, judged: Callable[[int, int], None]) -> None:
        self.seconds = 0.0
        self._reranker = reranker
        self._judged = judged
        self._done = 0
        self._kept = {domain: KeptDescriptions() for domain in Domain}

    @property
    def heads(self) -> HeadReranking:
        """What judges the heads of shortlists, once all descriptions are kept."""
        return HeadReranking(self._reranker.depth, self._judge)

    def describe(self, domain: Domain) -> Callable[[RGB], bytes]:
        """Give what describes the parts of pictures of one side."""
        return lambda part: self._reranker.describe(part, domain)

    def keep(self, domain: Domain, descriptions: Sequence[bytes]) -> None:
        """Keep the descriptions of the next rows of one side."""
        self._kept[domain].extend(descriptions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for kept in self._kept.values():
            kept.close()

    def _judge(
        self, row: int, similarities: NDArray[np.float32], images: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        start = perf_counter()
        gallery, queries = self._kept[Domain.SHOP], self._kept[Domain.STREET]
        judged = np.empty(len(images))
        if isinstance(self._reranker, ShelfReranker):
            (ranked,) = self._reranker.rank(gallery, [queries[row]], [images], None)
            judged[ranked.candidates] = ranked.similarities
        else:
            candidates = [
                Candidate(similarity, gallery[image])
                for similarity, image in zip(similarities.tolist(), images.tolist(), strict=True)
            ]
            judged[:] = [one.similarity for one in self._reranker.rerank(queries[row], candidates)]
        self.seconds += perf_counter() - start
        self._done += 1
        self._judged(self._done, len(queries))
        return judged
