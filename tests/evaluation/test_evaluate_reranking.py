"""A whole evaluation with a re-ranker, against loops and against searches in a shelf."""

import csv
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from PIL import Image

from snapshelf.catalog import Catalog
from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation import evaluate, evaluate_by_products
from snapshelf.evaluation.kept_descriptions import KeptDescriptions
from snapshelf.features.encoder import Domain
from snapshelf.matching import Calibration, Candidate, Reranked
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.studio_reranking import StudioReranker
from snapshelf.shelf import Shelf


@dataclass
class Darkest:
    """Describes a picture by its side and mean; finds the most alike in brightness best."""

    depth: int
    fingerprint: str = "darkest"
    described: list = field(default_factory=list)
    heads: list = field(default_factory=list)

    def describe(self, picture, domain):
        self.described.append(domain)
        return f"{domain} {picture.mean()}".encode()

    def rerank(self, query, candidates):
        side, own = query.decode().split()
        assert side == Domain.STREET
        self.heads.append([candidate.similarity for candidate in candidates])
        found = []
        for candidate in candidates:
            assert isinstance(candidate, Candidate)
            side, other = candidate.description.decode().split()
            assert side == Domain.SHOP
            # In steps, so that some are found equal.
            found.append(Reranked(-round(abs(float(own) - float(other)) / 40), {"seen": True}))
        return found


@pytest.mark.parametrize("name", ["eye", "two_eyes"])
@pytest.mark.parametrize("depth", [1, 3, 100])
def test_everything_is_described_once_and_each_row_reranked_once(request, paints, name, depth):
    reranker = Darkest(depth)
    system = replace(request.getfixturevalue(name), reranker=reranker)
    heard = []
    result = evaluate(system, paints, progress=lambda *told: heard.append(told))
    regions = 2 if name == "two_eyes" else 1
    assert reranker.described.count(Domain.SHOP) == 7 * regions
    assert reranker.described.count(Domain.STREET) == 5 * regions
    assert [len(head) for head in reranker.heads] == [min(depth, 6)] * 5 * regions
    assert all(head == sorted(head, reverse=True) for head in reranker.heads)
    assert list(result.seconds) == ["gallery", "queries", "ranking", "rerank"]
    assert all(seconds >= 0 for seconds in result.seconds.values())
    assert [told for told in heard if told[0] == "rerank"] == [
        ("rerank", n + 1, 5 * regions) for n in range(5 * regions)
    ]
    assert set(result.to_json()["seconds"]) == {"gallery", "queries", "ranking", "rerank"}


def test_without_a_reranker_nothing_is_told_of_one(paints, eye):
    assert list(evaluate(eye, paints).seconds) == ["gallery", "queries", "ranking"]


class Brightest(Darkest):
    """Puts bright pictures first, whatever is searched for."""

    def rerank(self, query, candidates):
        return [Reranked(float(c.description.split()[1]) / 255) for c in candidates]


@pytest.mark.parametrize(
    ("depth", "order"),
    [
        (1, ["red", "orange", "white", "black", "blue"]),
        (2, ["orange", "red", "white", "black", "blue"]),
        (3, ["white", "orange", "red", "black", "blue"]),
        (6, ["white", "orange", "red", "blue", "green"]),
    ],
)
def test_a_known_effect(paints, eye, depth, order):
    # Red, blue and green are equally bright, so they stay in the order that their colours gave.
    paints.photos["reddish"] = [
        replace(paints.photos["test"][0], picture=paints.root / "street" / "pale.png")
    ]
    Image.new("RGB", (8, 8), (250, 80, 95)).save(paints.root / "street" / "pale.png")
    before = evaluate(eye, paints, split="reddish").outcomes[0]
    assert [one.product for one in before.found] == ["red", "orange", "white", "black", "blue"]
    (after,) = evaluate(replace(eye, reranker=Brightest(depth)), paints, split="reddish").outcomes
    assert [one.product for one in after.found] == order
    assert after.rank == order.index("red") + 1
    values = [one.similarity for one in after.found]
    assert values == sorted(values, reverse=True)
    bright = {"red": 85, "orange": 125, "white": 255}
    assert values[:1] == pytest.approx([bright[order[0]] / 255], abs=0.01)


@pytest.fixture
def demo(paints, tmp_path):
    """A gallery of 30 products of one to three pictures, as a feed too, and 20 photos."""
    rng = np.random.default_rng(3)

    def paint(name, halves):
        pixels = np.zeros((8, 16, 3), np.uint8)
        pixels[:, :8], pixels[:, 8:] = halves
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    gallery, colours = [], {}
    for number in range(30):
        colours[number] = rng.integers(0, 256, (2, 3))
        count = int(rng.integers(1, 4))
        for shown in range(count):
            noise = rng.integers(-30, 31, (2, 3))
            paint(f"shop/{number}-{shown}", np.clip(colours[number] + noise, 0, 255))
        images = tuple(f"shop/{number}-{shown}.png" for shown in range(count))
        gallery.append(Product(id=f"p{number}", title=f"Paint {number}", images=images))
    photos = []
    for number in range(20):
        noise = rng.integers(-60, 61, (2, 3))
        path = paint(f"street/{number}", np.clip(colours[number] + noise, 0, 255))
        photos.append(Query(path, frozenset({f"p{number}"}), "all"))
    with (tmp_path / "feed.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "title", "image_link", "additional_image_link"])
        for product in gallery:
            rows.writerow([product.id, product.title, product.images[0],
                           ",".join(product.images[1:])])  # fmt: skip
    return replace(paints, gallery=gallery, photos={"test": photos}, unseen=set())


@dataclass
class Exact(Darkest):
    """As `Darkest`, without steps."""

    def rerank(self, query, candidates):
        own = float(query.split()[1])
        return [Reranked(-abs(own - float(c.description.split()[1]))) for c in candidates]


def matched(encoder, depth):
    """Studio2Shop's, which reads the gallery's descriptions once and keeps them."""
    rng = np.random.default_rng(4)
    shapes = [(3, 6), (3, 6), (6,), (6, 4), (4,), (4,), (1,)]
    weights = (rng.normal(scale=0.7, size=shape).astype(np.float32) for shape in shapes)
    return StudioReranker(encoder, encoder, FoldedMatcher(*weights), depth=depth)


@pytest.mark.parametrize("kind", [None, Darkest, Exact, matched])
@pytest.mark.parametrize("distance", ["cosine", "l1"])
@pytest.mark.parametrize("depth", [1, 4, 12, 100])
def test_ranks_are_those_of_searches_in_a_shelf(demo, eye, tmp_path, kind, distance, depth):
    curve = Calibration(2.0, -1.0, 0.5, 0.5)
    reranker = matched(eye.encoder, depth) if kind is matched else kind and kind(depth)
    system = replace(eye, reranker=reranker, distance=distance, calibration=curve)
    evaluation = evaluate(system, demo)
    feed = Catalog.open(tmp_path / "feed.csv")
    with Shelf.build(feed, tmp_path / "shelf", system) as shelf:
        for outcome in evaluation.outcomes:
            (right,) = outcome.query.products
            (item,) = shelf.search(outcome.query.picture, top=30).items
            names = [match.product.id for match in item.matches]
            assert names.index(right) + 1 == outcome.rank
            assert [one.product for one in outcome.found] == names[:5]
            similarities = [match.similarity for match in item.matches[:5]]
            assert [one.similarity for one in outcome.found] == pytest.approx(similarities)
            confidences = [match.confidence for match in item.matches[:5]]
            told = curve.confidences((one.similarity, one.added) for one in outcome.found)
            assert told == pytest.approx(confidences, abs=1e-6)
            # With the right product taken out the best wrong one is the first.
            wrong = curve.confidence(outcome.wrong, outcome.wrong_added)
            before = confidences[0] if outcome.rank == 1 else 0
            shown = confidences[1] if outcome.rank == 1 else confidences[0]
            assert wrong * (1 - before) == pytest.approx(shown, abs=1e-6)
    assert evaluation.metrics["mean_rank"] > 1, "else this test shows nothing"


@pytest.mark.parametrize("depth", [2, 100])
def test_with_several_regions_the_best_item_of_a_search_counts(demo, two_eyes, tmp_path, depth):
    system = replace(two_eyes, reranker=Exact(depth))
    evaluation = evaluate(system, demo)
    feed = Catalog.open(tmp_path / "feed.csv")
    with Shelf.build(feed, tmp_path / "shelf", system) as shelf:
        for outcome in evaluation.outcomes:
            best = {}
            for item in shelf.search(outcome.query.picture, top=30).items:
                for match in item.matches:
                    name = match.product.id
                    best[name] = max(best.get(name, -999.0), match.similarity)
            (right,) = outcome.query.products
            others = [value for name, value in best.items() if name != right]
            above = sum(value > best[right] + 1e-6 for value in others)
            level = sum(abs(value - best[right]) <= 1e-6 for value in others)
            assert 1 + above <= outcome.rank <= 1 + above + level
            expected = sorted(best.values(), reverse=True)[:5]
            assert [one.similarity for one in outcome.found] == pytest.approx(expected)


def test_a_query_is_not_reranked_by_its_own_picture(demo, eye):
    product = next(product for product in demo.gallery if len(product.images) > 1)
    own = Query(demo.root / product.images[0], frozenset({product.id}), "own")
    reranker = Exact(depth=100)
    (outcome,) = evaluate(
        replace(eye, reranker=reranker), replace(demo, photos={"test": [own]})
    ).outcomes
    # Exact would find its own picture at a distance of 0.
    assert all(one.similarity < 0 for one in outcome.found if one.product == product.id)


def test_choices_of_products_share_the_reranking(demo, eye):
    demo.unseen = {f"p{n}" for n in range(0, 30, 3)}
    reranker = Darkest(depth=5)
    system = replace(eye, reranker=reranker)
    evaluations = evaluate_by_products(system, demo)
    assert len(reranker.heads) == 20
    for choice, evaluation in evaluations.items():
        alone = evaluate(system, demo, products=choice)
        assert [o.rank for o in alone.outcomes] == [o.rank for o in evaluation.outcomes]


def test_an_unreadable_picture_leaves_no_file_behind(demo, eye, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    demo.photos["test"][3].picture.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="every picture of the data set is needed"):
        evaluate(replace(eye, reranker=Darkest(5)), demo)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_kept_descriptions_come_back():
    kept = KeptDescriptions()
    bodies = [b"", b"one", bytes(range(256)) * 300, b"", b"last"]
    kept.extend(bodies[:2])
    kept.extend([])
    kept.extend(iter(bodies[2:]))
    assert len(kept) == 5
    assert [kept[number] for number in (4, 0, 2, 3, 1)] == [bodies[n] for n in (4, 0, 2, 3, 1)]
    for number in (-1, 5):
        with pytest.raises(IndexError, match=r"number must be in \[0, 5\)"):
            kept[number]
    kept.close()
