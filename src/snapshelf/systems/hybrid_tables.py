"""The tables of *Cross-Domain Beauty and Personal Care Product Retrieval*, and ours beside them.

Tang, Huang, Fuh, Section 4, Tables 1 to 4: for a family of backbones the poolings, by the
distances, without and with re-ranking by SIFT. Here every backbone has a table of its own, and
every combination a third row, with verified re-ranking. Nothing is trained but that one's fusion.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from snapshelf.datasets.training_item import TrainingData
from snapshelf.evaluation.paper_tables import Claim, PaperRow, PaperTable, Training
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.features.weights import file_digest
from snapshelf.matching.distances import Distance
from snapshelf.systems.hybrid import DEFAULT_FUSION, Reranking
from snapshelf.systems.hybrid_fitting import has_photos
from snapshelf.systems.hybrid_variants import (
    MOBILENET,
    POOLINGS,
    HybridTablesSettings,
    HybridVariants,
    Variant,
    system_name,
    table_name,
)
from snapshelf.systems.system import System
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict

__all__ = ["NOTE", "hybrid_rows", "hybrid_tables"]

NOTE = (
    "Nothing is random but FLANN's trees, which may give or take a few of SIFT's matches: every "
    "pair of pictures is compared once, for all rows. Embeddings are L2-normalised, so L2 ranks "
    "them as cosine does, and their rows are one."
)

METRIC = "map7"

DISTANCES: Mapping[Distance, str] = {"l1": "L1", "l2": "L2", "cosine": "Cosine"}
RERANKINGS: Mapping[Reranking, tuple[str, str]] = {
    "none": ("", "w/o"),
    "published": ("sift", "SIFT"),
    "verified": ("verified", "verified"),
}
"""What each adds to a row's name, and the title of its line."""


@dataclass(frozen=True, slots=True)
class _Family:
    """A table of the paper.

    Attributes:
        title: As the paper calls it.
        backbones: Those that may be meant.
        printed: The figures line by line: L1, L2, cosine, each without and with SIFT; in the order
            of `POOLINGS`.
    """

    title: str
    backbones: tuple[str, ...]
    printed: tuple[tuple[float, float, float, float], ...]


FAMILIES = (
    _Family(
        "Table 1: VGGNet",
        ("vgg16",),
        (
            (0.2260, 0.1917, 0.2040, 0.1745),
            (0.2517, 0.2317, 0.2600, 0.2387),
            (0.2229, 0.1882, 0.2187, 0.1783),
            (0.2737, 0.2478, 0.2875, 0.2208),
            (0.2229, 0.1882, 0.2187, 0.1783),
            (0.2701, 0.2415, 0.2878, 0.2162),
        ),
    ),
    _Family(
        "Table 2: ResNet",
        ("resnet50", "resnet101", "resnet152"),
        (
            (0.2834, 0.2624, 0.2938, 0.2517),
            (0.3762, 0.3433, 0.3700, 0.2942),
            (0.2822, 0.2774, 0.2961, 0.2327),
            (0.3545, 0.3392, 0.3631, 0.2573),
            (0.2822, 0.2774, 0.2961, 0.2327),
            (0.3603, 0.3392, 0.3685, 0.2637),
        ),
    ),
    _Family(
        "Table 3: ResNeXt",
        ("resnext50", "resnext101"),
        (
            (0.3059, 0.2709, 0.2827, 0.2552),
            (0.3675, 0.3515, 0.3423, 0.3128),
            (0.3046, 0.2648, 0.2750, 0.2210),
            (0.3658, 0.3550, 0.3517, 0.2945),
            (0.3046, 0.2648, 0.2750, 0.2210),
            (0.3725, 0.3600, 0.3517, 0.2942),
        ),
    ),
    _Family(
        "Table 4: SENet",
        ("senet154", "se-resnext50", "se-resnext101"),
        (
            (0.2786, 0.2853, 0.2809, 0.2629),
            (0.3488, 0.3301, 0.3623, 0.3304),
            (0.2923, 0.2964, 0.3329, 0.2674),
            (0.3728, 0.3401, 0.3653, 0.3010),
            (0.2923, 0.2964, 0.3329, 0.2674),
            (0.3787, 0.3406, 0.3703, 0.3001),
        ),
    ),
)

Make = Callable[[Variant, Path, Monitor], System]
"""Makes a system in a folder, or goes on with it."""


@contextmanager
def hybrid_tables(
    data: Sequence[TrainingData], settings: HybridTablesSettings, folder: Path
) -> Iterator[tuple[PaperTable, ...]]:
    """Give the tables with rows that can be made.

    Args:
        data: What the fusions of verified re-ranking are fitted on; where it has no photos, or
            there is none, they are the default one.
        settings: Of the tables.
        folder: Where pictures and comparisons are remembered.

    Raises:
        ModelError: If there is no such backbone, or torch is missing.
        DatasetError: If the training data are not in their published layout.
    """
    from snapshelf.features.backbones import check_backbone

    for backbone in settings.backbones:
        if backbone != MOBILENET:
            check_backbone(system_name(backbone).removeprefix("timm/"))
    fitted_on = tuple(each.name for each in data) if has_photos(data) else ()
    with closing(HybridVariants(data, settings, folder)) as variants:
        yield hybrid_rows(settings, variants.make, fitted_on=fitted_on)


def hybrid_rows(
    settings: HybridTablesSettings, make: Make, *, fitted_on: Sequence[str] = ()
) -> tuple[PaperTable, ...]:
    """Lay out the tables.

    Args:
        settings: Of the tables.
        make: Makes the system of a row.
        fitted_on: Names of the data that fusions are fitted on; none where they are not.

    Returns:
        One for each backbone.

    Raises:
        ModelError: If MobileNetV2's weights are a file that cannot be read.
    """
    return tuple(_table(backbone, settings, make, fitted_on) for backbone in settings.backbones)


def _table(
    backbone: str, settings: HybridTablesSettings, make: Make, fitted_on: Sequence[str]
) -> PaperTable:
    family = next((family for family in FAMILIES if backbone in family.backbones), None)
    identity = _identity(backbone)
    rows = []
    for number, (distance, reranking) in enumerate(_lines()):
        for column, pooling in enumerate(POOLINGS):
            published = {}
            if family is not None and reranking != "verified":
                # The printed lines are those without the third of each distance.
                line = 2 * (number // 3) + number % 3
                published = {METRIC: family.printed[line][column]}
            variant = Variant(
                backbone,
                pooling,
                # Two distances that rank alike share one system.
                "cosine" if distance == "l2" else distance,
                reranking,
                fitted=bool(fitted_on) and reranking == "verified",
            )
            rows.append(
                PaperRow(
                    name=_name(pooling, distance, reranking),
                    title=", ".join(
                        [POOLINGS[pooling], DISTANCES[distance], RERANKINGS[reranking][1]]
                    ),
                    published=published,
                    training=_training(variant, identity, settings, make),
                    place=(f"{DISTANCES[distance]} {RERANKINGS[reranking][1]}", POOLINGS[pooling]),
                )
            )
    title = f"{family.title}, {backbone}" if family else f"{backbone}, not in the paper"
    return PaperTable(
        table_name(backbone),
        title,
        tuple(rows),
        _note(backbone, family, fitted_on),
        metrics=(METRIC,),
        claims=_claims(),
    )


def _training(
    variant: Variant, backbone: Mapping[str, Any], settings: HybridTablesSettings, make: Make
) -> Training:
    """Say how a row's system is made, and what decides it."""
    identity = {
        **backbone,
        "pooling": variant.pooling,
        "distance": variant.distance,
        "reranking": variant.reranking,
    }
    if variant.reranking != "none":
        identity["depth"] = settings.depth
    if variant.reranking == "verified":
        identity["local"] = settings_to_dict(settings.local)
        fitted = {"queries": settings.queries}
        identity["fusion"] = fitted if variant.fitted else asdict(DEFAULT_FUSION)
    own = _name(variant.pooling, variant.distance, variant.reranking)
    return Training(
        f"{table_name(variant.backbone)}-{own}",
        identity,
        lambda _, folder, monitor: make(variant, folder, monitor),
        seeded=False,
        trained=variant.fitted,
    )


def _lines() -> list[tuple[Distance, Reranking]]:
    """Give the lines of a table, in the paper's order."""
    return [(distance, reranking) for distance in DISTANCES for reranking in RERANKINGS]


def _name(pooling: str, distance: Distance, reranking: Reranking) -> str:
    return "-".join(part for part in (pooling, distance, RERANKINGS[reranking][0]) if part)


def _identity(backbone: str) -> dict[str, Any]:
    """Tell a backbone and its weights; those of the hub by its name."""
    network = mobilenet_v2() if backbone == MOBILENET else None
    if network is None or network.weights == "hub":
        return {"backbone": system_name(backbone), "weights": "hub"}
    return {"backbone": backbone, "weights": file_digest(Path(network.weights))}


def _claims() -> tuple[Claim, ...]:
    """Say what the paper's text says of its tables, Section 4.3, and what we say of ours."""

    def compare(better: Reranking, worse: Reranking) -> tuple[tuple[str, str], ...]:
        return tuple(
            (_name(pooling, distance, better), _name(pooling, distance, worse))
            for distance in DISTANCES
            for pooling in POOLINGS
        )

    return (
        Claim("SIFT re-ranking is better than none", compare("published", "none")),
        Claim(
            "MAC, R-MAC and RA-MAC are better than SPoC",
            tuple(
                (_name(pooling, distance, reranking), _name("spoc", distance, reranking))
                for distance in DISTANCES
                for reranking in ("none", "published")
                for pooling in POOLINGS
                if pooling != "spoc"
            ),
        ),
        Claim(
            "not the paper's, verified re-ranking is better than none", compare("verified", "none")
        ),
        Claim(
            "not the paper's, verified re-ranking is better than SIFT's",
            compare("verified", "published"),
        ),
    )


def _note(backbone: str, family: _Family | None, fitted_on: Sequence[str]) -> str:
    """Tell which backbone it is, and what of the table is not the paper's."""
    told = [f"The backbone is {system_name(backbone)}."]
    if family is not None and len(family.backbones) > 1:
        told.append(
            "The paper does not tell the depth of its own: its figures stand beside each of "
            f"{', '.join(family.backbones[:-1])} and {family.backbones[-1]}."
        )
    fusion = (
        f"fitted for each pooling and distance on the training photos of {', '.join(fitted_on)}"
        if fitted_on
        else "the default one, since the data have no training photos"
    )
    told.append(f"Verified re-ranking is not the paper's; its fusion is {fusion}.")
    return " ".join(told)
