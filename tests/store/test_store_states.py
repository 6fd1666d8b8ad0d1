"""Random histories of a store against a plain dict, seen by its writer and by an older reader."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from reference_store import DIMENSION, ReferenceStore, picture, random_product, record, unit

from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore, index_file, parse_filter, refreshing

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where syncing costs nothing, so that there is time for more histories."""

IDS = st.sampled_from([f"p{n}" for n in range(8)])
CONTENTS = st.sampled_from([f"c{n}" for n in range(12)])
FILTERS = st.sampled_from([None, "brand!=acme", "category=shoes", "id=p1|p2|p3"])


def embedding_of(content: str) -> np.ndarray:
    """The same for the same content, as an encoder's is; coarse, so that ties are common."""
    rng = np.random.default_rng(int(content[1:]))
    rows = int(rng.integers(1, 4))
    return unit(rng.integers(-1, 2, (rows, DIMENSION)) + np.array([1e-9] + [0] * (DIMENSION - 1)))


class History(RuleBasedStateMachine):
    @initialize(
        exact=st.sampled_from([0, 3, 1_000]),
        stale=st.sampled_from([0, 2, 10_000]),
        distance=st.sampled_from(["cosine", "l1"]),
    )
    def start(self, exact: int, stale: int, distance: Distance) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(index_file, "EXACT_UP_TO", exact)
        self.patch.setattr(refreshing, "STALE_FROM", stale)
        self.patch.setattr(refreshing, "STALE_SHARE", 0.0)
        self.folder = Path(tempfile.mkdtemp(prefix="snapshelf-history-", dir=MEMORY))
        place = self.folder / "shelf"
        EmbeddedStore.create(place, dimension=DIMENSION, properties={}, distance=distance)
        self.writer = EmbeddedStore(place, write=True)
        self.reader = EmbeddedStore(place)
        self.reference = ReferenceStore(distance)
        self.run = self.writer.begin_run("feed")
        self.seen: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.writer.close()
            self.reader.close()
            self.patch.undo()
            shutil.rmtree(self.folder)

    @rule(
        wanted=st.dictionaries(
            IDS, st.lists(st.tuples(CONTENTS, st.booleans()), min_size=1, max_size=4), max_size=4
        ),
        seed=st.integers(0, 1_000),
    )
    def upsert(self, wanted: dict[str, list[tuple[str, bool]]], seed: int) -> None:
        rng = np.random.default_rng(seed)
        known = self.writer.known_contents([c for shown in wanted.values() for c, _ in shown])
        records = []
        for name, shown in wanted.items():
            pictures = []
            for content, again in shown:
                # As the update does: embed what is new, sometimes what is known too.
                vectors = None if content in known and not again else embedding_of(content)
                rows = 0 if vectors is None else len(vectors)
                bodies = [f"{content} {row}".encode() for row in range(rows)]
                pictures.append(
                    picture(f"{content}.jpg", vectors, content=content, descriptions=bodies)
                )
                known.add(content)
            images = tuple(p.source for p in pictures)
            records.append(record(random_product(rng, name, images), *pictures))
        self.writer.upsert(records, run=self.run)
        self.reference.upsert(records)
        self.seen.update(wanted)

    @rule(names=st.lists(IDS, max_size=4))
    def touch(self, names: list[str]) -> None:
        self.writer.touch(names, run=self.run)
        self.seen.update(set(names) & set(self.reference.records))

    @rule(names=st.lists(IDS, max_size=3, unique=True))
    def delete(self, names: list[str]) -> None:
        assert self.writer.delete(names) == self.reference.delete(names)
        self.seen.difference_update(names)

    @rule(sweep=st.booleans())
    def finish_run(self, sweep: bool) -> None:
        if sweep:
            gone = set(self.reference.records) - self.seen
            assert self.writer.sweep(run=self.run) == len(gone)
            self.reference.delete(gone)
        self.writer.end_run(run=self.run)
        self.run = self.writer.begin_run("feed")
        self.seen = set()

    @rule()
    def reopen_the_writer(self) -> None:
        self.writer.close()
        self.writer = EmbeddedStore(self.folder / "shelf", write=True)

    @rule()
    def reopen_the_reader(self) -> None:
        self.reader.close()
        self.reader = EmbeddedStore(self.folder / "shelf")

    @rule()
    def lose_the_index(self) -> None:
        shutil.rmtree(self.folder / "shelf" / "index", ignore_errors=True)

    @rule(seed=st.integers(0, 1_000), top=st.sampled_from([1, 3, 100]), text=FILTERS)
    def search(self, seed: int, top: int, text: str | None) -> None:
        rng = np.random.default_rng(seed)
        query = unit(rng.integers(-2, 3, DIMENSION) + 1e-9)
        where = None if text is None else parse_filter(text)
        for store in (self.reader, self.writer):
            (hits,) = store.search(query[None], top, where)
            self.reference.check(hits, query, top, where)
            found = store.descriptions([hit.region for hit in hits])
            self.reference.check_descriptions(hits, found)

    @invariant()
    def holds_the_same(self) -> None:
        if not hasattr(self, "reader"):
            return
        records = self.reference.records
        names = [f"p{n}" for n in range(8)]
        assert self.reader.products(names) == {n: r.product for n, r in records.items()}
        known = self.reader.known(names)
        assert {n: [p.content for p in k.pictures] for n, k in known.items()} == {
            n: [p.content for p in r.pictures] for n, r in records.items()
        }
        pictures = [p for r in records.values() for p in r.pictures]
        counts = self.reader.count()
        assert (counts.products, counts.pictures) == (len(records), len(pictures))
        assert counts.embeddings == sum(len(p.embeddings) for p in pictures)
        # Searching after every step makes the reader go from each version to the next.
        query = unit(np.arange(DIMENSION) - 2.0)
        self.reference.check(self.reader.search(query[None], 100)[0], query, 100)


History.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
class TestHistories(History.TestCase):
    pass
