"""What every `VectorStore` must do, written against the protocol alone."""

from collections.abc import Callable
from decimal import Decimal
from typing import get_args

import numpy as np
import pytest
from reference_store import (
    DIMENSION,
    ReferenceStore,
    picture,
    random_records,
    random_unit,
    record,
    unit,
)

from snapshelf.catalog import Availability, Price, Product
from snapshelf.errors import FilterError, ShelfError
from snapshelf.matching import Distance
from snapshelf.store import Counts, KnownPicture, VectorStore, parse_filter, product_digest

StoreBy = Callable[[Distance], VectorStore]

ODD_IDS = [
    "x" * 256,
    "🥿👠",
    "'; DROP TABLE product; --",
    'quote " and \\ backslash',
    "%_*?[a]",
    "né\u0301e",
    " leading and trailing ",
    "0",
    "NULL",
    "line\nbreak\ttab",
]


def axis(number: int, sign: int = 1) -> np.ndarray:
    """A unit vector along one axis."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[number] = sign
    return vector


def found(store: VectorStore, query: np.ndarray, top: int = 20, where: str | None = None):
    condition = None if where is None else parse_filter(where)
    return [hit.product_id for hit in store.search(query[None], top, condition)[0]]


# --- what goes in comes out ---------------------------------------------------------------


def test_an_empty_store_answers_everything(store: VectorStore) -> None:
    assert store.dimension == DIMENSION
    assert store.distance == "cosine"
    assert store.count() == Counts(0, 0, 0)
    assert store.search(random_unit(np.random.default_rng(0), 3), 5) == [[], [], []]
    assert store.search(axis(0)[None], 5, parse_filter("brand=Acme,price<3")) == [[]]
    assert store.known(["a"]) == {}
    assert store.products(["a"]) == {}
    assert store.known_contents(["a"]) == set()
    assert store.descriptions([1, 2]) == {}
    assert store.delete(["a"]) == 0
    assert store.last_run() is None


def test_no_queries_give_no_rankings(store: VectorStore) -> None:
    assert store.search(np.empty((0, DIMENSION), np.float32), 5) == []


def test_a_product_comes_back_whole(store: VectorStore) -> None:
    product = Product(
        id="SKU-1",
        title="Bottes d'hiver 🥾 <b>&amp;</b>",
        description="line one\nline two\t\u2028 and \u0000 NUL",
        category=("Apparel", "Shoes", "Boots"),
        brand="Straße & Söhne",
        price=Price(Decimal("19.90"), "EUR"),
        availability=Availability.PREORDER,
        url="https://shop.example/p?id=1&x=%20",
        images=("a.jpg", "b.jpg"),
        attributes={"Colour": "Deep Red", "größe": "44⅔", "": "empty name"},
    )
    store.upsert([record(product, picture("a.jpg", axis(0)))], run=store.begin_run("feed"))
    (back,) = store.products(["SKU-1", "SKU-2"]).values()
    assert back == product
    assert str(back.price) == "19.90 EUR"
    assert isinstance(back.availability, Availability)
    assert dict(back.attributes) == dict(product.attributes)


def test_a_product_of_defaults_comes_back(store: VectorStore) -> None:
    product = Product(id="p", images=("a.jpg",))
    store.upsert([record(product, picture("a.jpg", axis(0)))], run=1)
    assert store.products(["p"]) == {"p": product}


@pytest.mark.parametrize("name", ODD_IDS)
def test_odd_ids_are_ids(store: VectorStore, name: str) -> None:
    run = store.begin_run("feed")
    store.upsert([record(name, picture("a.jpg", axis(0))), record("other", picture("b", axis(1)))],
                 run=run)  # fmt: skip
    assert found(store, axis(0), 1) == [name]
    assert set(store.known([name, "absent"])) == {name}
    assert set(store.products([name])) == {name}
    store.touch([name], run=store.begin_run("feed"))
    assert store.delete([name]) == 1
    assert found(store, axis(0)) == ["other"]


def test_ids_that_differ_little_are_different_products(store: VectorStore) -> None:
    names = ["a", "A", "a ", "á", "a\u0301"]
    store.upsert([record(n, picture(f"{i}.jpg", axis(0))) for i, n in enumerate(names)], run=1)
    assert sorted(found(store, axis(0))) == sorted(names)


def test_known_tells_digest_and_pictures_in_order(store: VectorStore) -> None:
    product = Product(id="p", title="t", images=("b", "a"))
    pictures = (
        picture("b", axis(0), content="cb", signature="s1"),
        picture("a", axis(1), content="ca", signature=""),
    )
    store.upsert([record(product, *pictures)], run=1)
    (known,) = store.known(["p"]).values()
    assert known.digest == product_digest(product)
    assert known.pictures == (KnownPicture("b", "s1", "cb"), KnownPicture("a", "", "ca"))
    store.upsert([record(product, *reversed(pictures))], run=1)
    assert [p.source for p in store.known(["p"])["p"].pictures] == ["a", "b"]


def test_many_ids_are_looked_up_at_once(store: VectorStore) -> None:
    names = [f"p{n}" for n in range(1_203)]
    store.upsert([record(n, picture(n, axis(0))) for n in names], run=1)
    asked = [*names, *(f"absent{n}" for n in range(1_000))]
    assert set(store.known(asked)) == set(names)
    assert set(store.products(asked)) == set(names)
    assert store.known_contents([f"content of {n}" for n in asked]) == {
        f"content of {n}" for n in names
    }
    assert store.delete(asked) == len(names)
    assert store.count() == Counts(0, 0, 0)


def test_count_counts_products_pictures_and_embeddings(store: VectorStore) -> None:
    rng = np.random.default_rng(1)
    store.upsert(
        [
            record("a", picture("a1", random_unit(rng, 3)), picture("a2", random_unit(rng, 1))),
            record(Product(id="b", brand="Acme", images=("b",)), picture("b", random_unit(rng, 2))),
        ],
        run=1,
    )
    assert store.count() == Counts(products=2, pictures=3, embeddings=6)
    assert store.count(parse_filter("brand=acme")) == Counts(1, 1, 2)
    assert store.count(parse_filter("brand=nobody")) == Counts(0, 0, 0)


# --- replacing ----------------------------------------------------------------------------


def test_upsert_replaces_a_product_whole(store: VectorStore) -> None:
    before = Product(
        id="p",
        brand="Old",
        category=("Old",),
        price=Price(Decimal(5), "EUR"),
        images=("old.jpg",),
        attributes={"colour": "red"},
    )
    after = Product(id="p", brand="New", images=("new.jpg",), attributes={"size": "L"})
    other = Product(id="q", images=("q.jpg",), attributes={"colour": "blue"})
    store.upsert(
        [record(before, picture("old.jpg", axis(0))), record(other, picture("q.jpg", axis(3)))],
        run=1,
    )
    store.upsert([record(after, picture("new.jpg", axis(1)))], run=1)
    assert store.products(["p"]) == {"p": after}
    assert store.count().pictures == 2
    (hits,) = store.search(axis(1)[None], 5)
    assert (hits[0].product_id, hits[0].source) == ("p", "new.jpg")
    for gone in ("brand=Old", "category=Old", "price=5", "colour=red"):
        assert found(store, axis(0), where=gone) == []
    assert found(store, axis(0), where="size=l") == ["p"]


def test_a_picture_that_stays_is_kept_with_its_new_signature(store: VectorStore) -> None:
    store.upsert([record("p", picture("a", axis(0), content="c", signature="1"))], run=1)
    store.upsert([record("p", picture("a", None, content="c", signature="2"))], run=1)
    assert store.known(["p"])["p"].pictures == (KnownPicture("a", "2", "c"),)
    assert store.count() == Counts(1, 1, 1)
    assert store.search(axis(0)[None], 1)[0][0].similarity == pytest.approx(1, abs=1e-6)


def test_replacing_many_times_leaves_one(store: VectorStore) -> None:
    rng = np.random.default_rng(2)
    reference = ReferenceStore()
    for turn in range(40):
        batch = random_records(rng, ["p"], salt=f"-{turn}")
        store.upsert(batch, run=1)
        reference.upsert(batch)
        query = random_unit(rng, 1)
        reference.check(store.search(query, 3)[0], query[0], 3)


# --- content that is at hand --------------------------------------------------------------


def test_content_is_taken_over_by_another_product(store: VectorStore) -> None:
    vectors = random_unit(np.random.default_rng(3), 2)
    store.upsert([record("a", picture("a.jpg", vectors, content="shared"))], run=1)
    assert store.known_contents(["shared", "other"]) == {"shared"}
    store.upsert([record("b", picture("b.jpg", None, content="shared"))], run=1)
    for row, vector in enumerate(vectors):
        (hits,) = store.search(vector[None], 2)
        assert {(h.product_id, h.source) for h in hits} == {("a", "a.jpg"), ("b", "b.jpg")}
        assert {h.box for h in hits} == {(float(row), 0.5, row + 10.0, 20.0)}
        assert [h.similarity for h in hits] == pytest.approx([1, 1], abs=1e-6)


def test_content_is_taken_over_within_a_batch_and_within_a_product(store: VectorStore) -> None:
    store.upsert(
        [
            record(
                "a", picture("1", axis(0), content="shared"), picture("2", None, content="shared")
            ),
            record("b", picture("3", None, content="shared")),
        ],
        run=1,
    )
    assert store.count() == Counts(2, 3, 3)
    assert sorted(found(store, axis(0))) == ["a", "b"]


def test_content_survives_the_owner_changing_its_picture_in_the_same_batch(
    store: VectorStore,
) -> None:
    store.upsert([record("a", picture("a.jpg", axis(0), content="old"))], run=1)
    store.upsert(
        [
            record("a", picture("a.jpg", axis(1), content="new")),
            record("b", picture("b.jpg", None, content="old")),
        ],
        run=1,
    )
    assert found(store, axis(0), 1) == ["b"]
    assert found(store, axis(1), 1) == ["a"]


def test_content_known_after_removal_can_be_taken_over(store: VectorStore) -> None:
    store.upsert([record("a", picture("a.jpg", axis(0), content="old"))], run=1)
    store.delete(["a"])
    assert found(store, axis(0)) == []
    # A store may forget removed content, but what it says it knows it must give.
    if store.known_contents(["old"]):
        store.upsert([record("b", picture("b.jpg", None, content="old"))], run=1)
        assert found(store, axis(0)) == ["b"]


def test_the_version_tells_of_every_change_that_a_search_could_find(store: VectorStore) -> None:
    seen = [store.version]
    store.upsert([record("a", picture("a.jpg", axis(0)))], run=1)
    seen.append(store.version)
    store.upsert(
        [
            record(
                Product(id="a", title="New", images=("a.jpg",)),
                picture("a.jpg", None, content="content of a.jpg"),
            )
        ],
        run=1,
    )
    seen.append(store.version)
    store.touch(["a"], run=2)
    store.delete(["b"])
    assert store.version == seen[-1], "nothing has changed"
    store.delete(["a"])
    seen.append(store.version)
    assert len(set(seen)) == len(seen)


def test_the_copy_outlives_the_original(store: VectorStore) -> None:
    store.upsert([record("a", picture("a.jpg", axis(0), content="c"))], run=1)
    store.upsert([record("b", picture("b.jpg", None, content="c"))], run=1)
    store.delete(["a"])
    store.end_run(run=store.begin_run("feed"))
    assert found(store, axis(0)) == ["b"]
    assert store.known_contents(["c"]) == {"c"}


def test_unknown_content_is_refused_and_nothing_is_stored(store: VectorStore) -> None:
    with pytest.raises(ShelfError, match=r"no embedding of 'b\.jpg'"):
        store.upsert(
            [record("a", picture("a.jpg", axis(0))), record("b", picture("b.jpg", None))], run=1
        )
    assert store.count() == Counts(0, 0, 0)
    assert store.known(["a", "b"]) == {}


# --- descriptions -------------------------------------------------------------------------


def described(store: VectorStore, query: np.ndarray) -> list[bytes | None]:
    """Give the descriptions of what a query finds, the best first."""
    (hits,) = store.search(query[None], 20)
    found = store.descriptions([hit.region for hit in hits])
    return [found.get(hit.region) for hit in hits]


def test_each_region_has_its_description(store: VectorStore) -> None:
    vectors = np.stack([axis(0), axis(1)])
    large = np.random.default_rng(0).bytes(200_000)
    one = picture("a", vectors, descriptions=[large, b"second"])
    other = picture("b", axis(2), descriptions=[b""])
    store.upsert([record("p", one), record("q", other)], run=1)
    store.upsert([record("r", picture("c", axis(3)))], run=1)
    assert described(store, axis(0))[0] == large
    assert described(store, axis(1))[0] == b"second"
    assert described(store, axis(2))[0] == b"", "empty is not missing"
    assert described(store, axis(3))[0] is None
    assert store.descriptions([10**12, -1, 0, 2**62]) == {}
    (hits,) = store.search(axis(1)[None], 1)
    (body,) = store.descriptions([hits[0].region]).values()
    assert type(body) is bytes


def test_many_descriptions_are_read_at_once(store: VectorStore) -> None:
    bodies = {f"p{n}": f"{n}".encode() * (n % 7) for n in range(1_203)}
    store.upsert(
        [record(n, picture(n, axis(0), descriptions=[body])) for n, body in bodies.items()], run=1
    )
    (hits,) = store.search(axis(0)[None], 2_000)
    regions = [hit.region for hit in hits]
    found = store.descriptions([*regions, *regions, 10**9])
    assert {hit.product_id: found[hit.region] for hit in hits} == bodies
    assert len(found) == len(bodies)


def test_descriptions_are_taken_over_with_their_content(store: VectorStore) -> None:
    vectors = np.stack([axis(0), axis(1)])
    first = picture("a", vectors, content="c", descriptions=[b"one", b"two"])
    store.upsert([record("a", first)], run=1)
    store.upsert([record("b", picture("b", None, content="c"))], run=1)
    assert described(store, axis(0)) == [b"one", b"one"]
    assert described(store, axis(1)) == [b"two", b"two"]
    store.delete(["a"])
    store.end_run(run=store.begin_run("feed"))
    assert described(store, axis(1)) == [b"two"]


def test_content_without_descriptions_is_taken_over_without(store: VectorStore) -> None:
    store.upsert([record("a", picture("a", axis(0), content="c"))], run=1)
    store.upsert([record("b", picture("b", None, content="c"))], run=1)
    assert described(store, axis(0)) == [None, None]


def test_a_picture_that_changes_gets_its_new_description(store: VectorStore) -> None:
    for turn in range(3):
        shown = picture("a", axis(0), content=f"{turn}", descriptions=[f"{turn}".encode()])
        store.upsert([record("p", shown)], run=1)
        assert described(store, axis(0)) == [f"{turn}".encode()]
    store.upsert([record("p", picture("a", None, content="2", signature="new"))], run=1)
    assert described(store, axis(0)) == [b"2"]


def test_descriptions_go_with_their_products(store: VectorStore) -> None:
    records = [record(n, picture(n, axis(0), descriptions=[n.encode()])) for n in "abc"]
    store.upsert(records, run=store.begin_run("feed"))
    (hits,) = store.search(axis(0)[None], 5)
    store.delete(["a"])
    run = store.begin_run("feed")
    store.touch(["b"], run=run)
    store.sweep(run=run)
    store.end_run(run=run)
    assert described(store, axis(0)) == [b"b"]
    # Those of removed products may be kept for a while, but never change.
    of_hits = {hit.region: hit.product_id.encode() for hit in hits}
    for number, body in store.descriptions(list(of_hits)).items():
        assert of_hits[number] == body


@pytest.mark.parametrize("descriptions", [[], [b"1", b"2"]])
def test_bad_descriptions_are_refused_and_nothing_is_stored(
    store: VectorStore, descriptions: list[bytes]
) -> None:
    good = picture("good", axis(0), descriptions=[b"good"])
    bad = picture("bad", axis(1), descriptions=descriptions)
    with pytest.raises(ValueError, match=r"descriptions of 'bad': expected one for each of 1"):
        store.upsert([record("good", good), record("bad", bad)], run=1)
    assert store.count() == Counts(0, 0, 0)
    assert store.descriptions(range(10)) == {}


# --- bad embeddings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("embeddings", "fragment"),
    [
        (np.zeros((1, DIMENSION + 1), np.float32), "must have shape"),
        (np.zeros(DIMENSION, np.float32), "must have shape"),
        (np.full((1, DIMENSION), np.nan, np.float32), "finite"),
        (np.full((1, DIMENSION), np.inf, np.float32), "finite"),
        (np.zeros((2, DIMENSION), np.float32), "one finite row for each of 1 regions"),
        (np.zeros((0, DIMENSION), np.float32), "one finite row for each of 1 regions"),
    ],
)
def test_bad_embeddings_are_refused_and_nothing_is_stored(
    store: VectorStore, embeddings: np.ndarray, fragment: str
) -> None:
    good = picture("good", axis(0))
    bad = type(good)("bad", "", "c", good.regions, embeddings)
    with pytest.raises(ValueError, match=fragment):
        store.upsert([record("good", good), record("bad", bad)], run=1)
    assert store.count() == Counts(0, 0, 0)


@pytest.mark.parametrize(
    ("queries", "top", "fragment"),
    [
        (np.zeros((1, DIMENSION - 1), np.float32), 1, "queries must have shape"),
        (np.zeros(DIMENSION, np.float32), 1, "queries must have shape"),
        (np.full((1, DIMENSION), np.nan, np.float32), 1, "finite"),
        (np.full((2, DIMENSION), -np.inf, np.float32), 1, "finite"),
        (np.zeros((1, DIMENSION), np.float32), 0, "top must be at least 1, got 0"),
        (np.zeros((1, DIMENSION), np.float32), -3, "top must be at least 1, got -3"),
    ],
)
def test_bad_queries_are_refused(
    store: VectorStore, queries: np.ndarray, top: int, fragment: str
) -> None:
    store.upsert([record("p", picture("a", axis(0)))], run=1)
    with pytest.raises(ValueError, match=fragment):
        store.search(queries, top)


# --- runs ---------------------------------------------------------------------------------


def test_runs_are_numbered_and_noted(store: VectorStore) -> None:
    first = store.begin_run("feed one")
    run = store.last_run()
    assert run is not None
    assert (run.number, run.feed, run.finished, run.seen) == (first, "feed one", "", 0)
    store.upsert([record("a", picture("a", axis(0)))], run=first)
    store.touch(["a", "unknown"], run=first)
    store.end_run(run=first)
    ended = store.last_run()
    assert ended is not None
    assert ended.finished >= ended.started != ""
    assert ended.seen == 1
    second = store.begin_run("feed two")
    assert second > first
    assert store.last_run() != ended


def test_sweep_removes_just_what_the_run_has_not_seen(store: VectorStore) -> None:
    names = ["stored", "touched", "gone", "gone too"]
    first = store.begin_run("feed")
    store.upsert([record(n, picture(n, axis(0))) for n in names], run=first)
    assert store.sweep(run=first) == 0
    second = store.begin_run("feed")
    store.upsert([record("stored", picture("stored", axis(1)))], run=second)
    store.touch(["touched"], run=second)
    assert store.sweep(run=second) == 2
    assert sorted(found(store, axis(0))) == ["stored", "touched"]
    assert store.sweep(run=second) == 0
    third = store.begin_run("feed")
    assert store.sweep(run=third) == 2
    assert store.count() == Counts(0, 0, 0)


def test_a_product_that_comes_back_is_new(store: VectorStore) -> None:
    store.upsert([record("p", picture("a", axis(0), content="c1"))], run=1)
    store.delete(["p"])
    assert store.known(["p"]) == {}
    store.upsert([record("p", picture("a", axis(1), content="c2"))], run=1)
    (hits,) = store.search(axis(1)[None], 5)
    assert [(h.product_id, round(h.similarity, 4)) for h in hits] == [("p", 1.0)]


def test_nothing_to_do_is_fine(store: VectorStore) -> None:
    store.upsert([], run=1)
    store.touch([], run=1)
    assert store.delete([]) == 0
    assert store.known([]) == {}
    assert store.known_contents([]) == set()


# --- properties ---------------------------------------------------------------------------


def test_properties_can_be_noted(store: VectorStore) -> None:
    assert store.properties["system"] == "none"
    store.note("root", "/a/b 'c'")
    store.note("root", "")
    assert store.properties["root"] == ""


# --- searching ----------------------------------------------------------------------------

FILTERS = (
    None,
    "category=shoes",
    "category=Shoes > Boots|Bags",
    "category!=shoes",
    "brand=acme",
    "brand!=ACME|strasse",
    "price<50",
    "price>=80",
    "price=80 usd",
    "price!=80",
    "colour=red|BLUE",
    "colour!=red",
    "availability=in stock,brand!=zenith",
    "currency=eur",
    "id=p1|p2|absent",
    "id!=p1",
    "brand=Acme,price>1000",
)


@pytest.mark.parametrize("coarse", [False, True], ids=["random", "tied"])
@pytest.mark.parametrize(
    ("distance", "seed"), [*(("cosine", n) for n in range(6)), ("l2", 6), ("l1", 7), ("l1", 8)]
)
def test_search_is_what_the_slow_reference_says(
    store_by: StoreBy, distance: Distance, seed: int, coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    store, reference = store_by(distance), ReferenceStore(distance)
    names = [f"p{n}" for n in range(40)]
    for turn in range(3):
        batch = random_records(
            rng, list(rng.permutation(names)[:25]), salt=f"-{turn}", coarse=coarse
        )
        store.upsert(batch, run=1)
        reference.upsert(batch)
        gone = list(rng.permutation(names)[:4])
        assert store.delete(gone) == reference.delete(gone)
    queries = random_unit(rng, 4)
    queries[3] = unit(rng.integers(-1, 2, DIMENSION) + 1e-9)
    for text in FILTERS:
        where = None if text is None else parse_filter(text)
        for top in (1, 5, 1_000):
            for query, hits in zip(queries, store.search(queries, top, where), strict=True):
                reference.check(hits, query, top, where)
                found = store.descriptions([hit.region for hit in hits])
                reference.check_descriptions(hits, found)
        assert store.count(where).products == len(reference.passing(where))


def test_a_product_with_a_hundred_pictures_does_not_crowd_out_the_rest(store: VectorStore) -> None:
    rng = np.random.default_rng(5)
    near = unit(axis(0) + 0.05 * rng.standard_normal((100, DIMENSION)))
    far = unit(axis(0) + 0.8 * rng.standard_normal((30, DIMENSION)))
    batch = [record("crowd", *(picture(f"crowd/{n}", v) for n, v in enumerate(near)))]
    batch += [record(f"p{n}", picture(f"p{n}", v)) for n, v in enumerate(far)]
    reference = ReferenceStore()
    reference.upsert(batch)
    store.upsert(batch, run=1)
    for top in (1, 2, 10, 31, 50):
        (hits,) = store.search(axis(0)[None], top)
        assert hits[0].product_id == "crowd"
        reference.check(hits, axis(0), top)


def test_all_similarities_may_be_negative(store: VectorStore) -> None:
    store.upsert([record(f"p{n}", picture(f"{n}", axis(n % 3, -1))) for n in range(6)], run=1)
    query = unit(np.ones(DIMENSION))
    (hits,) = store.search(query[None], 10)
    assert len(hits) == 6
    assert all(h.similarity == pytest.approx(-1 / np.sqrt(DIMENSION), abs=1e-6) for h in hits)


@pytest.mark.parametrize("distance", get_args(Distance))
def test_opposites_and_equals_are_at_the_ends(store_by: StoreBy, distance: Distance) -> None:
    store = store_by(distance)
    assert store.distance == distance
    level = unit(np.ones(DIMENSION))
    store.upsert([record("same", picture("a", level)), record("far", picture("b", -level))], run=1)
    for _ in range(2):
        (hits,) = store.search(level[None], 5)
        assert [hit.product_id for hit in hits] == ["same", "far"]
        assert [hit.similarity for hit in hits] == pytest.approx([1, -1], abs=1e-6)
        store.end_run(run=store.begin_run("feed"))


def test_the_order_is_the_distances_own(store_by: StoreBy) -> None:
    # By L1 distance the spread difference is the larger one, by the others the single one.
    query, single, spread = axis(0), np.zeros(DIMENSION), np.full(DIMENSION, 0.16)
    single[:2] = 0.9, np.sqrt(1 - 0.9**2)
    spread[0] = np.sqrt(1 - 5 * 0.16**2)
    batch = [record("single", picture("a", unit(single))), record("spread", picture("b", spread))]
    store = store_by("l1")
    store.upsert(batch, run=1)
    assert found(store, query) == ["single", "spread"]
    assert float(query @ spread) > float(query @ single), "else this test shows nothing"


@pytest.mark.parametrize("distance", get_args(Distance))
def test_similarities_stay_within_one(store_by: StoreBy, distance: Distance) -> None:
    store = store_by(distance)
    vectors = random_unit(np.random.default_rng(6), 200)
    store.upsert([record(f"p{n}", picture(f"{n}", v)) for n, v in enumerate(vectors)], run=1)
    store.end_run(run=store.begin_run("feed"))
    for hits in (*store.search(vectors, 1), *store.search(-vectors, 200)):
        assert all(-1.0 <= hit.similarity <= 1.0 for hit in hits)


def test_more_queries_than_a_block(store: VectorStore) -> None:
    rng = np.random.default_rng(7)
    vectors = random_unit(rng, 150)
    store.upsert([record(f"p{n}", picture(f"{n}", v)) for n, v in enumerate(vectors)], run=1)
    rankings = store.search(vectors, 1)
    assert [hits[0].product_id for hits in rankings] == [f"p{n}" for n in range(150)]


def test_queries_of_another_precision_or_order_are_taken(store: VectorStore) -> None:
    vectors = random_unit(np.random.default_rng(8), 20)
    store.upsert([record(f"p{n}", picture(f"{n}", v)) for n, v in enumerate(vectors)], run=1)
    for queries in (vectors.astype(np.float64), np.asfortranarray(vectors), vectors[::-1][::-1]):
        assert [h[0].product_id for h in store.search(queries, 1)] == [f"p{n}" for n in range(20)]


def test_an_attribute_no_product_has_is_an_error(store: VectorStore) -> None:
    product = Product(id="p", images=("a",), attributes={"Colour": "red", "Größe": "44"})
    store.upsert([record(product, picture("a", axis(0)))], run=1)
    where = parse_filter("color=red")
    for ask in (lambda: store.search(axis(0)[None], 1, where), lambda: store.count(where)):
        with pytest.raises(FilterError, match=r"no product has an attribute 'color'.*colour.*grös"):
            ask()
    # An error leaves nothing behind that stops the next call.
    assert found(store, axis(0), where="colour=RED,größe=44") == ["p"]


def test_hits_hold_every_field(store: VectorStore) -> None:
    vectors = unit(np.array([[1, 0.2, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]))
    store.upsert([record("p", picture("dir/a b.jpg", vectors))], run=1)
    (hits,) = store.search(axis(1)[None], 3)
    (hit,) = hits
    assert (hit.product_id, hit.source, hit.box) == ("p", "dir/a b.jpg", (1.0, 0.5, 11.0, 20.0))
    assert hit.similarity == pytest.approx(1, abs=1e-6)
    assert type(hit.similarity) is float
    assert type(hit.region) is int


# --- all embeddings ------------------------------------------------------------------------


@pytest.mark.parametrize("main", [False, True])
@pytest.mark.parametrize("where", [None, "brand=Acme|Zenith", "id=nobody"])
def test_embeddings_are_those_that_were_stored(
    store: VectorStore, main: bool, where: str | None
) -> None:
    rng = np.random.default_rng(5)
    reference = ReferenceStore()
    for names, salt in ((["A", "B", "C", "D"], ""), (["B", "D", "E"], "new")):
        records = random_records(rng, names, salt=salt)
        reference.upsert(records)
        store.upsert(records, run=store.begin_run("feed"))
    reference.delete(["C"])
    store.delete(["C"])
    condition = None if where is None else parse_filter(where)
    expected = sorted(
        (one.product.id, shown.source, shown.content, vector.tobytes())
        for one in reference.passing(condition)
        for shown in one.pictures[: 1 if main else None]
        for vector in shown.embeddings
    )
    rows = store.embeddings(condition, main=main)
    assert rows.vectors.dtype == np.float32
    assert rows.vectors.shape == (len(expected), DIMENSION)
    vectors = [vector.tobytes() for vector in rows.vectors]
    found = zip(rows.product_ids, rows.images, rows.contents, vectors, strict=True)
    assert sorted(found) == expected


def test_embeddings_of_an_attribute_that_no_product_has(store: VectorStore) -> None:
    assert store.embeddings().vectors.shape == (0, DIMENSION)
    with pytest.raises(FilterError, match="colour"):
        store.embeddings(parse_filter("colour=red"))
