"""What the shop writes about a product: title, description, price and attributes."""

from decimal import Decimal

import numpy as np

from snapshelf.catalog.product import Availability, Price, Product
from snapshelf.datasets.demo.assortment import design_of
from snapshelf.datasets.demo.design import Design
from snapshelf.datasets.demo.kinds.kind import Kind
from snapshelf.datasets.demo.kinds.table import KINDS

__all__ = ["product_id", "product_of", "shop_pictures"]

_FIRST = {
    "Apparel": (
        "A {shape} {noun} in {material} with an easy, regular fit.",
        "Cut from soft {material}, this {noun} keeps its shape wash after wash.",
        "An everyday {noun} in {material}, made to be worn for years.",
    ),
    "Shoes": (
        "Light {noun} with a {material} upper and a grippy rubber sole.",
        "{Material} {noun} that are comfortable from the first step.",
    ),
    "Bags": (
        "A roomy {noun} in {material} with firmly sewn handles.",
        "This {noun} in {material} holds a day's worth of things.",
    ),
    "Food": (
        "{Material}, {flavour}, made in small batches.",
        "{Material}: {flavour} as it should taste, with nothing added.",
    ),
    "Beauty": (
        "Gentle {material} with {flavour} for every day.",
        "{Material} with {flavour} that leaves a fresh, light scent.",
    ),
    "Home": (
        "A {shape} {noun} in {material}, glazed by hand.",
        "This {noun} in {material} is safe in the dishwasher and the microwave.",
    ),
    "Accessories": (
        "A {shape} {noun} in {material} that goes with everything.",
        "Light to wear and made to last: a {noun} in {material}.",
    ),
}
_SECOND = {
    "Apparel": ("Colour: {colours}.", "The {pattern} finish comes in {colours}."),
    "Shoes": ("In {colours}, with a removable insole.", "Colours: {colours}."),
    "Bags": ("Comes in {colours}.", "With an inside pocket, in {colours}."),
    "Food": ("Contents: {size}.", "Pack of {size}; keep in a cool, dry place."),
    "Beauty": ("Contents: {size}, free of silicones.", "{size}, in a recyclable pack."),
    "Home": ("Holds {size}; in {colours}.", "Finish: {colours}."),
    "Accessories": ("In {colours}.", "Comes in {colours} with a two-year guarantee."),
}


def product_id(index: int) -> str:
    """The shop's identifier of a product number."""
    return f"SKU-{index:04d}"


def shop_pictures(index: int) -> tuple[str, ...]:
    """Where the product's pictures are, relative to the demo shop's folder."""
    name = product_id(index)
    return tuple(f"shop/{name}-{view}.jpg" for view in range(1, 3 if index % 2 == 0 else 2))


def product_of(seed: int, index: int) -> Product:
    """Write a product's entry in the feed.

    Args:
        seed: Of the demo shop.
        index: The product's number.

    Returns:
        The product, its pictures relative to the demo shop's folder.
    """
    design = design_of(seed, index)
    kind = KINDS[design.kind]
    rng = np.random.default_rng([seed, 3, index])
    size = design.pick("size", kind.sizes) if kind.sizes else ""
    main, second, _ = design.colourway
    words = {
        "shape": design.shape,
        "noun": kind.noun,
        "material": design.material,
        "Material": design.material[0].upper() + design.material[1:],
        "pattern": design.pattern,
        "flavour": design.flavour,
        "colours": f"{main} and {second}",
        "size": size,
    }
    shelf = kind.category[0]
    sentences = [str(rng.choice(part[shelf])).format(**words) for part in (_FIRST, _SECOND)]
    attributes = {
        "color": f"{main}/{second}",
        "pattern": "" if kind.flavours else design.pattern,
        "material": "" if kind.flavours else design.material,
    }
    return Product(
        id=product_id(index),
        title=_title(design, kind, size),
        description=" ".join(sentences),
        category=kind.category,
        brand=design.brand.name,
        price=_price(design, kind),
        availability=Availability.OUT_OF_STOCK if rng.random() < 0.06 else Availability.IN_STOCK,
        url=f"https://shop.example/p/{product_id(index).lower()}",
        images=shop_pictures(index),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _title(design: Design, kind: Kind, size: str) -> str:
    main, second, _ = design.colourway
    if kind.flavours:
        return f"{design.brand.name} {design.model} {design.material}, {design.flavour}, {size}"
    print_words = "" if design.pattern == "plain" else f"{design.pattern} "
    shape = "" if design.shape in kind.noun else f"{design.shape} "
    extra = "" if design.motif == "none" or design.pattern != "plain" else f" with {design.motif}"
    thing = f"{print_words}{shape}{kind.noun}{extra}"
    return f"{design.brand.name} {design.model} {thing}, {main}/{second}"


def _price(design: Design, kind: Kind) -> Price:
    """A price as shops set it: below a whole euro, the same for a whole family."""
    low, high = kind.prices
    amount = np.exp(design.between("price", np.log(low), np.log(high)))
    ending = design.pick("ending", ("0.90", "0.95", "0.99", "0.50" if high < 10 else "0.90"))
    return Price(Decimal(int(amount)) + Decimal(ending), "EUR")
