"""Figures 3, 4 and 5 and Table 1 of *Video2Shop*: what each row of them is.

Cheng, Wu, Liu, Hua: Video2Shop: Exact Matching Clothes in Videos to Online Shopping Images,
Section 6.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snapshelf.datasets.clips.clip_dataset import ClipTrainingData
from snapshelf.evaluation.paper_tables import Claim, PaperRow, PaperTable, Training
from snapshelf.systems.asymnet_variants import AsymNetVariants, Variant
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings
from snapshelf.training.settings import settings_to_dict

__all__ = ["FIG_4", "PLOTTED", "asymnet_tables"]

METRICS = ("top1", "top5", "top20")

FIG_4 = "fig-4"

PLOTTED = ("fig-3", FIG_4, "fig-5", "table-1")
"""The tables that are drawn as well."""

IRRELEVANT = (
    *("seed", "keep_checkpoints", "depth", "alexnet", "deep_search", "start", "category"),
    *("features", "narrowed"),
)
"""Settings that are no part of a row's identity, or are told beside it."""

FIG_3: Mapping[str, tuple[str, Variant]] = {
    "average": ("Average pooling", Variant(kind="pooled")),
    "max": ("Max pooling", Variant(kind="pooled", pooling="max")),
    "fisher": ("Fisher vector", Variant(kind="pooled", pooling="fisher")),
    "vlad": ("VLAD", Variant(kind="pooled", pooling="vlad")),
    "lstm-1": ("LSTM, 1 level", Variant(kind="asymnet", changes={"levels": 1})),
    "lstm-2": ("LSTM, 2 levels (AsymNet)", Variant(kind="asymnet")),
    "lstm-3": ("LSTM, 3 levels", Variant(kind="asymnet", changes={"levels": 3})),
    "lstm-4": ("LSTM, 4 levels", Variant(kind="asymnet", changes={"levels": 4})),
}

TREES = ("32", "4-8", "8-4", "2-4-4", "4-4-2", "2-2-2-4", "4-2-2-2", "2-2-2-2-2")
"""The shapes of Fig. 4, and one level alone."""

NONE: Mapping[str, Any] = {"fusion": "none"}

FIG_5: Mapping[str, tuple[str, Variant]] = {
    "average": ("Avg", Variant(kind="asymnet", changes=NONE, fusion="average")),
    "maximum": ("Max", Variant(kind="asymnet", changes=NONE, fusion="maximum")),
    "last": ("Last", Variant(kind="asymnet", changes=NONE, fusion="last")),
    "kvm": (
        "KVM",
        Variant(kind="asymnet", changes={"fusion": "key-volume"}, fusion="maximum"),
    ),
    "tree": ("AsymNet, by posteriors", Variant(kind="asymnet")),
    "tree-mixture": (
        "AsymNet, steps weighted by posteriors",
        Variant(kind="asymnet", changes={"fusion": "mixture"}),
    ),
    "tree-back-propagation": (
        "AsymNet, by back-propagation",
        Variant(kind="asymnet", changes={"fusion": "back-propagation"}),
    ),
}

TABLE_1: Mapping[str, tuple[str, Variant, float | None]] = {
    "features": ("The features' cosine", Variant(kind="cosine"), None),
    "al": ("AL", Variant(kind="cosine", features="alexnet"), 0.1836),
    "ds": ("DS", Variant(kind="cosine", features="deep_search"), 0.2144),
    "ft": ("FT", Variant(kind="steps"), 0.2347),
    "cs": ("CS", Variant(kind="pairs"), 0.2573),
    "rc": ("RC", Variant(kind="pairs", robust=True), 0.2873),
    "asymnet": ("AsymNet", Variant(kind="asymnet"), 0.3663),
}
"""Titles, rows, and the printed top-20 of all categories together."""

WANTED = Claim(
    "AsymNet's order of fusions",
    tuple(("tree", other) for other in ("average", "maximum", "last", "kvm")),
)

LEVELS = Claim(
    "LSTM over pooled features",
    tuple(("lstm-2", other) for other in ("average", "max", "fisher", "vlad")),
)


@contextmanager
def asymnet_tables(
    data: Sequence[ClipTrainingData], settings: AsymNetTablesSettings, folder: Path
) -> Iterator[tuple[PaperTable, ...]]:
    """Give the tables with rows that can be made.

    Args:
        data: What is trained on.
        settings: The recipe, whose seed makes no difference.
        folder: Beside it features and networks are kept that several rows share.
    """
    variants = AsymNetVariants(data, settings, folder.parent / "shared")
    yield _tables(settings, variants)


def _tables(settings: AsymNetTablesSettings, variants: AsymNetVariants) -> tuple[PaperTable, ...]:
    def training(name: str, variant: Variant) -> Training:
        of_category = variant.searched is not None or variant.category is not None
        narrowed = _is_narrowed(settings, of_category=of_category)
        return _training(name, dataclasses.replace(variant, narrowed=narrowed), settings, variants)

    def rows(kinds: Mapping[str, tuple[str, Variant]]) -> tuple[PaperRow, ...]:
        return tuple(
            PaperRow(name, title, {}, training(name, variant))
            for name, (title, variant) in kinds.items()
        )

    trees = tuple(
        PaperRow(
            f"{tree}-epoch-{epoch}",
            f"{tree}, epoch {epoch}",
            {},
            training(
                f"tree-{tree}-epoch-{epoch}",
                Variant(
                    kind="asymnet",
                    changes={"tree": tree, "epochs": settings.tree_epochs},
                    epoch=epoch,
                ),
            ),
            place=(f"{tree.count('-') + 1}: {tree}", f"epoch {epoch}"),
        )
        for tree in TREES
        for epoch in range(1, settings.tree_epochs + 1)
    )
    one = tuple(
        PaperRow(name, title, {} if value is None else {"top20": value}, training(name, variant))
        for name, (title, variant, value) in TABLE_1.items()
    )
    plain = {"clips": settings.plain_clips, "epochs": settings.plain_epochs}
    titled, searched = _wording(narrowed=_is_narrowed(settings, of_category=False))
    return (
        PaperTable(
            "fig-3",
            titled("Figure 3: representations of a trajectory"),
            rows(FIG_3),
            f"One similarity network learns on each; LSTM has AsymNet's tree. {searched}",
            metrics=METRICS,
            claims=(LEVELS,),
        ),
        PaperTable(
            FIG_4,
            titled("Figure 4: trees over epochs"),
            trees,
            "The shape of a tree is written from the leaves to the root, behind its levels. "
            f"{searched}",
            metrics=("top1", "top5", "top20"),
            claims=(
                Claim(
                    "later epochs over the first",
                    tuple(
                        (f"{tree}-epoch-{settings.tree_epochs}", f"{tree}-epoch-1")
                        for tree in TREES
                        if settings.tree_epochs > 1
                    ),
                ),
            ),
        ),
        PaperTable(
            "fig-5",
            titled("Figure 5: fusions of the similarities of all steps"),
            rows(FIG_5),
            "Steps weighted by posteriors, and learning by back-propagation, are no part of the "
            f"paper. {searched}",
            metrics=METRICS,
            claims=(WANTED,),
        ),
        PaperTable(
            "table-1",
            titled("Table 1, overall: other approaches"),
            one,
            "The paper's models are each category's own; see the tables of categories. The "
            f"features' cosine is no part of the paper. {searched}",
            metrics=METRICS,
        ),
        *(_category_table(category, settings, training) for category in variants.categories()),
        PaperTable(
            "training",
            titled("Approximate training against plain training"),
            (
                PaperRow(
                    "approximate",
                    "Approximate",
                    {},
                    training("approximate", Variant(kind="asymnet", changes=plain)),
                ),
                PaperRow(
                    "plain",
                    "Plain",
                    {},
                    training("plain", Variant(kind="asymnet", changes={**plain, "pairs": "plain"})),
                ),
            ),
            f"Trained for less long than the other rows. {searched}",
            metrics=METRICS,
        ),
    )


def _category_table(category: str, settings: AsymNetTablesSettings, training: Any) -> PaperTable:
    """Lay out a line of Table 1: one category's clips alone."""
    slug = "".join(each if each.isalnum() else "-" for each in category.lower())
    rows = []
    for name, (title, variant, _) in TABLE_1.items():
        own = Variant(
            kind=variant.kind,
            robust=variant.robust,
            features=variant.features,
            category=category if variant.kind == "steps" else None,
            searched=category,
        )
        rows.append(PaperRow(name, title, {}, training(f"{name}-{slug}", own)))
    tuned = Variant(kind="asymnet", category=category)
    rows.append(
        PaperRow(
            "asymnet-own", "AsymNet, its own model", {}, training(f"asymnet-own-{slug}", tuned)
        )
    )
    narrowed = _is_narrowed(settings, of_category=True)
    titled, searched = _wording(narrowed=narrowed)
    small = " Of a category with no more than 20 products top-20 tells nothing." if narrowed else ""
    return PaperTable(
        f"table-1-{slug}",
        titled(f"Table 1: {category}"),
        tuple(rows),
        "AsymNet's own model begins from the general one and learns this category for "
        f"{settings.tuned_epochs} more epochs; FT learns this category alone; all others are "
        f"general models. {searched}{small}",
        metrics=METRICS,
        claims=(Claim("a model of its own", (("asymnet-own", "asymnet"),)),),
    )


def _is_narrowed(settings: AsymNetTablesSettings, *, of_category: bool) -> bool:
    """Whether the rows of one category, or those of all, compare within the category."""
    return settings.narrowed == "all" or (of_category and settings.narrowed == "categories")


def _wording(*, narrowed: bool) -> tuple[Callable[[str], str], str]:
    """Give what makes a table's title, and a sentence for its note: what a clip is compared with.

    A plot has the title alone.
    """
    if narrowed:
        return (
            lambda title: f"{title}, within the category",
            "Each clip is compared with the products of its own category alone.",
        )
    return (lambda title: title), "Each clip is compared with the whole gallery."


def _training(
    name: str, variant: Variant, settings: AsymNetTablesSettings, variants: AsymNetVariants
) -> Training:
    values = {
        key: value for key, value in settings_to_dict(settings).items() if key not in IRRELEVANT
    }
    identity = {"recipe": values, "variant": settings_to_dict(variant)}
    identity |= variants.identity(variant.features)
    return Training(
        name,
        identity,
        lambda seed, _, monitor: variants.make(name, variant, seed, monitor),
        seeded=variant.kind != "cosine",
        trained=variant.kind != "cosine",
        cost={"cosine": 0.1, "asymnet": 3.0}.get(variant.kind, 1.0),
    )
