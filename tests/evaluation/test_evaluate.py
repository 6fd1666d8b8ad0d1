"""A whole evaluation on a data set whose right answers can be worked out by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation import evaluate, evaluate_by_products
from snapshelf.features.encoder import Domain

METRICS = {
    "top1",
    "top5",
    "top10",
    "top20",
    "top50",
    "top1pct",
    "map7",
    "mean_rank",
    "median_rank",
}


def slow_similarities(query, dataset, halves, distance="cosine"):
    """Every product's similarity to a query, by loops over the pictures' pixels."""

    def colours(path):
        pixels = np.asarray(Image.open(path).convert("RGB")).astype(float)
        middle = pixels.shape[1] // 2
        for part in [pixels[:, :middle], pixels[:, middle:]] if halves else [pixels]:
            colour = part.reshape(-1, 3).mean(axis=0) - 127.5
            yield colour / np.linalg.norm(colour)

    return {
        product.id: max(
            similarity(street, shop, distance)
            for image in product.images
            for shop in colours(dataset.root / image)
            for street in colours(query.picture)
        )
        for product in dataset.products()
    }


def similarity(street, shop, distance):
    if distance == "l1":
        return 1 - sum(abs(street - shop)) / len(street) ** 0.5
    if distance == "l2":
        return 1 - sum((street - shop) ** 2) / 2
    return float(street @ shop)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
@pytest.mark.parametrize("distance", ["cosine", "l1", "l2"])
@pytest.mark.parametrize("name", ["eye", "two_eyes"])
def test_figures_are_those_of_slow_loops(request, paints, name, distance, batch_size):
    system = replace(request.getfixturevalue(name), distance=distance)
    result = evaluate(system, paints, batch_size=batch_size)

    ranks, precisions = {}, {}
    for outcome, query in zip(result.outcomes, paints.queries("test"), strict=True):
        similarities = slow_similarities(query, paints, name == "two_eyes", distance)
        right = {p: s for p, s in similarities.items() if p in query.products}
        wrong = {p: s for p, s in similarities.items() if p not in query.products}
        places = sorted(
            sum(s >= own - 1e-6 for s in wrong.values()) + sum(s > own for s in right.values()) + 1
            for own in right.values()
        )
        ranks[query.picture.stem] = places[0]
        precisions[query.picture.stem] = sum(
            (number / place) * (place <= 7) for number, place in enumerate(places, start=1)
        ) / len(places)
        assert outcome.query is query
        assert outcome.rank == places[0]
        assert outcome.wrong == pytest.approx(max(wrong.values()), abs=1e-6)
        assert len(outcome.found) == 5
        expected = sorted(similarities.values(), reverse=True)[:5]
        assert [found.similarity for found in outcome.found] == pytest.approx(expected, abs=1e-6)
        for found in outcome.found:
            assert found.similarity == pytest.approx(similarities[found.product], abs=1e-6)

    values = list(ranks.values())
    assert result.metrics.keys() == METRICS
    assert result.metrics["top1"] == values.count(1) / 5
    assert result.metrics["top1pct"] == values.count(1) / 5
    assert result.metrics["top5"] == sum(rank <= 5 for rank in values) / 5
    assert result.metrics["top10"] == result.metrics["top50"] == 1
    assert result.metrics["map7"] == pytest.approx(np.mean(list(precisions.values())))
    assert result.metrics["mean_rank"] == np.mean(values)
    assert result.metrics["median_rank"] == np.median(values)

    cold = [ranks["mint"], ranks["sea"], ranks["flag"]]
    assert set(result.per_category) == {"warm", "cold"}
    assert result.per_category["cold"]["queries"] == 3
    assert result.per_category["cold"].keys() == METRICS | {"queries"}
    assert result.per_category["cold"]["mean_rank"] == pytest.approx(np.mean(cold))
    assert result.per_category["warm"]["top1"] == 1


def test_the_best_region_counts(paints, eye, two_eyes):
    # The flag is half blue, half white: as one picture it is light blue, as two it holds white.
    flag = evaluate(two_eyes, paints).outcomes[4]
    assert flag.rank == 1
    found = {f.product: f.similarity for f in flag.found}
    assert found["white"] == pytest.approx(1)
    assert found["blue"] == pytest.approx(1, abs=1e-3)
    whole = {f.product: f.similarity for f in evaluate(eye, paints).outcomes[4].found}
    assert whole["white"] < 0.9


def test_each_side_is_embedded_as_its_domain(paints, eye):
    evaluate(eye, paints)
    assert eye.encoder.domains == [Domain.SHOP] * 7 + [Domain.STREET] * 5


def test_the_json_has_the_published_keys(paints, eye):
    result = evaluate(eye, paints)
    value = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(value) == [
        "data",
        "split",
        "system",
        "queries",
        "gallery",
        "metrics",
        "per_category",
        "seconds",
    ]
    assert value["system"] == "eye"
    assert (value["data"], value["split"], value["queries"], value["gallery"]) == (
        "paints",
        "test",
        5,
        6,
    )
    assert value["metrics"] == result.metrics
    assert value["seconds"].keys() == {"gallery", "queries", "ranking"}
    assert all(seconds >= 0 for seconds in value["seconds"].values())


def test_seen_and_unseen_share_the_queries_and_keep_the_gallery(paints, eye):
    everything = {outcome.query.picture: outcome for outcome in evaluate(eye, paints).outcomes}
    seen, unseen = (evaluate(eye, paints, products=choice) for choice in ("seen", "unseen"))
    assert [o.query.picture.stem for o in seen.outcomes] == ["reddish", "sunset", "sea"]
    assert [o.query.picture.stem for o in unseen.outcomes] == ["mint", "flag"]
    assert (seen.products, seen.gallery, unseen.gallery) == ("seen", 6, 6)
    for outcome in seen.outcomes + unseen.outcomes:
        assert outcome == everything[outcome.query.picture]
    paints.unseen = {"red"}  # the sunset is now both, and so neither
    assert evaluate(eye, paints, products="seen").queries == 3
    assert evaluate(eye, paints, products="unseen").queries == 1


@pytest.mark.parametrize("unseen", [{"white"}, {"red"}, {"red", "orange"}])
def test_all_choices_at_once_are_what_each_gives_alone(paints, eye, unseen):
    paints.unseen = unseen
    together = evaluate_by_products(eye, paints, batch_size=2)
    assert len(eye.encoder.domains) == 7 + 5  # each picture once
    assert list(together) == ["all", "seen", "unseen"]
    for choice, evaluation in together.items():
        alone = evaluate(eye, paints, products=choice)
        assert replace(evaluation, seconds={}, outcomes=()) == replace(
            alone, seconds={}, outcomes=()
        )
        assert [(o.query, o.rank) for o in evaluation.outcomes] == [
            (o.query, o.rank) for o in alone.outcomes
        ]


def test_a_choice_without_a_query_is_left_out(paints, eye):
    assert list(evaluate_by_products(eye, paints, split="train")) == ["all", "seen"]
    with pytest.raises(DatasetError, match="has no query of all products"):
        evaluate_by_products(eye, paints, split="none")
    with pytest.raises(DatasetError, match="no split 'dev'"):
        evaluate_by_products(eye, paints, split="dev")


def test_progress_counts_every_picture(paints, eye):
    calls = []
    evaluate(eye, paints, split="train", progress=lambda *call: calls.append(call))
    assert calls == [("gallery", n, 7) for n in range(1, 8)] + [("queries", 1, 1)]


def break_photo(paints):
    paints.queries("test")[2].picture.write_bytes(b"no picture")


def lose_photo(paints):
    paints.queries("test")[2].picture.unlink()


def break_shop_picture(paints):
    (paints.root / "shop" / "blue.png").write_bytes(b"\x89PNG\r\n\x1a\n")


def forget_product(paints):
    del paints.gallery[2]


def forget_image(paints):
    paints.gallery[2] = replace(paints.gallery[2], images=())


DAMAGE = [
    (break_photo, r"street/mint.png: the file is .*every picture of the data set is needed"),
    (lose_photo, r"street/mint.png: the file cannot be read \(No such file"),
    (break_shop_picture, r"shop/blue.png: .*every picture"),
    (forget_product, r"street/sea.png: the right product 'blue' is not in the gallery"),
    (forget_image, r"street/sea.png: the right product 'blue' .* without an image"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage_is_an_error_and_not_a_smaller_figure(paints, eye, damage, message):
    damage(paints)
    with pytest.raises(DatasetError, match=message):
        evaluate(eye, paints)


def test_choices_that_leave_nothing_are_named(paints, eye):
    with pytest.raises(DatasetError, match="no split 'dev', choose one of train, test, none"):
        evaluate(eye, paints, split="dev")
    with pytest.raises(DatasetError, match=r"split none .* has no query of all products"):
        evaluate(eye, paints, split="none")
    with pytest.raises(DatasetError, match=r"split train .* has no query of unseen products"):
        evaluate(eye, paints, split="train", products="unseen")
    with pytest.raises(ValueError, match="products must be one of all, seen, unseen, got 'new'"):
        evaluate(eye, paints, products="new")


def test_a_gallery_of_one_image(paints, eye):
    paints.gallery = [Product(id="red", images=("shop/red.png",))]
    paints.photos["one"] = [
        Query(paints.root / "street" / "sea.png", frozenset({"red"}), "odd"),
    ]
    result = evaluate(eye, paints, split="one")
    assert result.outcomes[0].rank == 1
    assert result.outcomes[0].found[0].similarity < 0
    assert result.outcomes[0].wrong is None
