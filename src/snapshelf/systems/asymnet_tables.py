"""Figures 3, 4 and 5 and Table 1 of *Video2Shop*: what each row of them is.

Cheng, Wu, Liu, Hua: Video2Shop: Exact Matching Clothes in Videos to Online Shopping Images,
Section 6.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snapshelf.datasets.clips.clip_dataset import ClipTrainingData
from snapshelf.evaluation.paper_tables import Claim, PaperRow, PaperTable, Training
from snapshelf.features.weights import file_digest
from snapshelf.systems.asymnet_variants import AsymNetVariants, Variant
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings
from snapshelf.training.settings import settings_to_dict

__all__ = ["FIG_4", "PLOTTED", "asymnet_tables"]

METRICS = ("top1", "top5", "top20")

FIG_4 = "fig-4"

PLOTTED = ("fig-3", FIG_4, "fig-5", "table-1")
"""The tables that are drawn as well."""

IRRELEVANT = ("seed", "keep_checkpoints", "depth", "alexnet", "deep_search", "start", "category")
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
        return _training(name, variant, settings, variants)

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
    return (
        PaperTable(
            "fig-3",
            "Figure 3: representations of a trajectory",
            rows(FIG_3),
            "One similarity network learns on each; LSTM has AsymNet's tree.",
            metrics=METRICS,
            claims=(LEVELS,),
        ),
        PaperTable(
            FIG_4,
            "Figure 4: trees over epochs",
            trees,
            "The shape of a tree is written from the leaves to the root, behind its levels.",
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
            "Figure 5: fusions of the similarities of all steps",
            rows(FIG_5),
            "Learning by back-propagation is no part of the paper.",
            metrics=METRICS,
            claims=(WANTED,),
        ),
        PaperTable(
            "table-1",
            "Table 1, overall: other approaches",
            one,
            "The paper's models are each category's own; see the tables of categories. The "
            "features' cosine is no part of the paper.",
            metrics=METRICS,
        ),
        *(_category_table(category, settings, training) for category in variants.categories()),
        PaperTable(
            "training",
            "Approximate training against plain training",
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
            "Trained for less long than the other rows.",
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
    return PaperTable(
        f"table-1-{slug}",
        f"Table 1: {category}",
        tuple(rows),
        f"Begun from the general model, {settings.tuned_epochs} epochs.",
        metrics=METRICS,
        claims=(Claim("a model of its own", (("asymnet-own", "asymnet"),)),),
    )


def _training(
    name: str, variant: Variant, settings: AsymNetTablesSettings, variants: AsymNetVariants
) -> Training:
    from snapshelf.training.preparation import backbone_file

    values = {
        key: value for key, value in settings_to_dict(settings).items() if key not in IRRELEVANT
    }
    identity: dict[str, Any] = {"recipe": values, "variant": settings_to_dict(variant)}
    if variant.features:
        identity["features"] = getattr(settings, variant.features)
    elif settings.features is None:
        file = backbone_file(settings)
        if file is not None:
            identity["weights"] = file_digest(file)
    return Training(
        name,
        identity,
        lambda seed, _, monitor: variants.make(name, variant, seed, monitor),
        seeded=variant.kind != "cosine",
        trained=variant.kind != "cosine",
        cost={"cosine": 0.1, "asymnet": 3.0}.get(variant.kind, 1.0),
    )
