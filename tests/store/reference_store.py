"""A slow store written from the contract alone, and small random worlds to compare it with."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from snapshelf.catalog import Availability, Price, Product
from snapshelf.locating import Region
from snapshelf.matching import Distance
from snapshelf.store import Condition, Filter, Hit, PictureRecord, ProductRecord

DIMENSION = 6


def unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def random_unit(rng: np.random.Generator, rows: int, dimension: int = DIMENSION) -> np.ndarray:
    return unit(rng.standard_normal((rows, dimension)))


def picture(
    source: str,
    embeddings: np.ndarray | None,
    *,
    content: str | None = None,
    signature: str = "1:1",
    descriptions: Sequence[bytes] | None = None,
) -> PictureRecord:
    """A record whose boxes tell its regions apart; without embeddings its content is known."""
    content = f"content of {source}" if content is None else content
    if embeddings is None:
        return PictureRecord(source, signature, content, None, None)
    embeddings = np.atleast_2d(embeddings).astype(np.float32)
    regions = tuple(
        Region((float(n), 0.5, n + 10.0, 20.0), label=f"part {n}", confidence=1 / (n + 1))
        for n in range(len(embeddings))
    )
    described = None if descriptions is None else tuple(descriptions)
    return PictureRecord(source, signature, content, regions, embeddings, described)


def record(product: Product | str, *pictures: PictureRecord) -> ProductRecord:
    if isinstance(product, str):
        product = Product(id=product, images=tuple(p.source for p in pictures))
    return ProductRecord(product, tuple(pictures))


def similarity(query: np.ndarray, vector: np.ndarray, distance: Distance) -> float:
    query, vector = query.astype(np.float64), vector.astype(np.float64)
    if distance == "l1":
        return 1 - float(np.abs(query - vector).sum()) / len(query) ** 0.5
    if distance == "l2":
        return 1 - float(np.sum((query - vector) ** 2)) / 2
    return float(np.dot(query, vector))


class ReferenceStore:
    """What a store must answer, by plain loops in double precision."""

    def __init__(self, distance: Distance = "cosine") -> None:
        self.distance = distance
        self.records: dict[str, ProductRecord] = {}
        self.contents: dict[str, PictureRecord] = {}

    def upsert(self, records: Iterable[ProductRecord]) -> None:
        for one in records:
            pictures: dict[tuple[str, str], PictureRecord] = {}
            for shown in one.pictures:
                if (shown.source, shown.content) in pictures:
                    continue  # a picture given twice is one
                if shown.regions is None:
                    known = self.contents[shown.content]
                    shown = PictureRecord(
                        shown.source,
                        shown.signature,
                        shown.content,
                        known.regions,
                        known.embeddings,
                        known.descriptions,
                    )
                self.contents[shown.content] = shown
                pictures[shown.source, shown.content] = shown
            self.records[one.product.id] = ProductRecord(one.product, tuple(pictures.values()))

    def delete(self, product_ids: Iterable[str]) -> int:
        return sum(self.records.pop(name, None) is not None for name in set(product_ids))

    def passing(self, where: Filter | None) -> list[ProductRecord]:
        return [r for r in self.records.values() if where is None or passes(r.product, where)]

    def check_descriptions(self, hits: Iterable[Hit], found: Mapping[int, bytes]) -> None:
        """Assert that these are the descriptions of the hits' regions, and nothing else."""
        expected = {}
        for hit in hits:
            for shown in self.records[hit.product_id].pictures:
                if shown.source == hit.source and shown.descriptions is not None:
                    boxes = [region.box for region in shown.regions]
                    expected[hit.region] = shown.descriptions[boxes.index(hit.box)]
        assert found == expected

    def check(
        self,
        hits: Sequence[Hit],
        query: np.ndarray,
        top: int,
        where: Filter | None = None,
        tolerance: float = 2e-6,
    ) -> None:
        """Assert that these are the right hits; ties may stand in any order."""
        best: dict[str, float] = {}
        places: dict[tuple[str, str, tuple[float, ...]], float] = {}
        for one in self.passing(where):
            for shown in one.pictures:
                for region, vector in zip(shown.regions, shown.embeddings, strict=True):
                    value = similarity(query, vector, self.distance)
                    name = one.product.id
                    best[name] = max(best.get(name, -9.0), value)
                    key = (name, shown.source, region.box)
                    places[key] = max(places.get(key, -9.0), value)
        expected = sorted(best.values(), reverse=True)[:top]
        found = [hit.similarity for hit in hits]
        assert len(found) == len(expected)
        assert len({hit.product_id for hit in hits}) == len(hits), "a product stands there twice"
        assert found == sorted(found, reverse=True), "similarities must fall"
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        for hit in hits:
            assert abs(best[hit.product_id] - hit.similarity) <= tolerance, "not its best image"
            place = places[hit.product_id, hit.source, hit.box]
            assert abs(place - hit.similarity) <= tolerance, "another image was named"


def passes(product: Product, where: Filter) -> bool:
    return all(_holds(product, condition) for condition in where.conditions)


def _holds(product: Product, condition: Condition) -> bool:
    if condition.operator == "!=":
        return not any(_equals(product, condition, value) for value in condition.values)
    if condition.operator == "=":
        return any(_equals(product, condition, value) for value in condition.values)
    amount = _amount(product, condition)
    limit = Decimal(condition.values[0])
    return (
        amount is not None
        and {
            "<": amount < limit,
            "<=": amount <= limit,
            ">": amount > limit,
            ">=": amount >= limit,
        }[condition.operator]
    )


def _amount(product: Product, condition: Condition) -> Decimal | None:
    price = product.price
    if price is None or (condition.currency and price.currency != condition.currency):
        return None
    return price.amount


def _equals(product: Product, condition: Condition, value: str) -> bool:
    folded = value.casefold()
    match condition.field:
        case "id":
            return product.id == value
        case "brand":
            return product.brand.casefold() == folded
        case "currency":
            return product.price is not None and product.price.currency.casefold() == folded
        case "availability":
            return product.availability == value
        case "price":
            return _amount(product, condition) == Decimal(value)
        case "category":
            wanted = [part.strip().casefold() for part in value.split(">") if part.strip()]
            return [name.casefold() for name in product.category[: len(wanted)]] == wanted
    return any(
        name.casefold() == condition.field and text.casefold() == folded
        for name, text in product.attributes.items()
    )


CATEGORIES = ((), ("Shoes",), ("Shoes", "Boots"), ("Shoes & Boots",), ("Bags", "Shoes"))
BRANDS = ("", "Acme", "ACME", "Zenith", "Straße")
PRICES = (None, Price(Decimal("9.99"), "EUR"), Price(Decimal(80), "USD"), Price(Decimal(80)))
COLOURS = ("red", "Blue", "")


def random_product(rng: np.random.Generator, name: str, images: tuple[str, ...]) -> Product:
    def one_of(choices: Sequence[object]) -> object:
        return choices[int(rng.integers(len(choices)))]

    colour = one_of(COLOURS)
    return Product(
        id=name,
        title=f"Title of {name}",
        category=one_of(CATEGORIES),
        brand=one_of(BRANDS),
        price=one_of(PRICES),
        availability=one_of((None, *Availability)),
        images=images,
        attributes={"Colour": colour} if colour else {},
    )


def random_records(
    rng: np.random.Generator,
    names: Sequence[str],
    *,
    most_pictures: int = 4,
    most_regions: int = 3,
    salt: str = "",
    coarse: bool = False,
) -> list[ProductRecord]:
    """Products with several pictures of several regions; `coarse` makes many exact ties."""
    records = []
    for name in names:
        pictures = []
        for number in range(int(rng.integers(1, most_pictures + 1))):
            rows = int(rng.integers(1, most_regions + 1))
            vectors = rng.integers(-1, 2, (rows, DIMENSION)) + np.array([1e-9] + [0] * 5)
            vectors = unit(vectors) if coarse else random_unit(rng, rows)
            described = [f"{name}/{number}{salt} {row}".encode() for row in range(rows)]
            pictures.append(picture(f"{name}/{number}{salt}.jpg", vectors, descriptions=described))
        images = tuple(p.source for p in pictures)
        records.append(record(random_product(rng, name, images), *pictures))
    return records
