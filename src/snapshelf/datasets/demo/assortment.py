"""The assortment: which design each product number has, the same however many are made."""

import numpy as np

from snapshelf.datasets.demo.brands import BRANDS
from snapshelf.datasets.demo.design import Design
from snapshelf.datasets.demo.kinds.table import KINDS

__all__ = ["FAMILY_SIZE", "design_of", "kind_of"]

FAMILY_SIZE = 4
"""Products of a family differ in colour, print or flavour only."""

_MODELS = (
    "Harbour", "Lund", "Brisa", "Solvik", "Cedar", "Ponte", "Aster", "Drift", "Juniper", "Kestrel",
    "Lagoon", "Mesa", "Nordic", "Orchard", "Pico", "Quarry", "Ridge", "Saga", "Tern", "Umbra",
    "Vento", "Willow", "Yarrow", "Zephyr", "Alba", "Bolder", "Canto", "Dune", "Ember", "Fable",
    "Grove", "Hazel", "Isle", "Jetty", "Kite", "Larch", "Moor", "Nimbus", "Opal", "Piper",
)  # fmt: skip


def kind_of(index: int) -> str:
    """Give the kind of a product number, a key of `KINDS`."""
    return list(KINDS)[index % len(KINDS)]


def design_of(seed: int, index: int) -> Design:
    """Design the product of a number.

    Args:
        seed: Of the demo shop.
        index: From 0; does not depend on how many products there are.

    Returns:
        The design; no two numbers give the same.
    """
    name = kind_of(index)
    kind = KINDS[name]
    number = index % len(KINDS)
    family, member = divmod(index // len(KINDS), FAMILY_SIZE)
    shop = np.random.default_rng([seed, 1, number])
    models = shop.permutation(len(_MODELS))
    colourways = shop.permutation(len(kind.colourways))
    rng = np.random.default_rng([seed, 2, number, family])
    brands = [brand for brand in BRANDS if brand.field in kind.fields]
    model = _MODELS[models[family % len(_MODELS)]]
    if family >= len(_MODELS):
        model = f"{model} {family // len(_MODELS) + 1}"
    patterns = rng.permutation(list(dict.fromkeys(kind.patterns)))
    first = str(rng.choice(kind.patterns))
    motifs = [str(motif) for motif in rng.permutation(list(dict.fromkeys(kind.motifs)))]
    pattern, motif, way = first, motifs[0], member
    if member >= 2 and len(patterns) > 1 and not kind.flavours:
        # The later members repeat the colours of the first two in another print.
        pattern = str(next(other for other in patterns if other != first))
        way = member - 2
    if pattern != "plain" and "emblem" in kind.motifs:
        motif = "none" if member % 2 else motif
        motif = "none" if motif == "emblem" else motif
    colourway = kind.colourways[colourways[(family * FAMILY_SIZE + way) % len(kind.colourways)]]
    flavour = ""
    if kind.flavours:
        flavours = rng.permutation(list(kind.flavours))
        flavour = str(flavours[member % len(flavours)])
    return Design(
        kind=name,
        shape=kind.shapes[int(rng.integers(len(kind.shapes)))],
        brand=brands[int(rng.integers(len(brands)))],
        model=model,
        colourway=colourway,
        pattern=pattern,
        material=kind.materials[int(rng.integers(len(kind.materials)))],
        motif=motif,
        flavour=flavour,
        family=number * 10_000 + family,
        seed=seed,
    )
