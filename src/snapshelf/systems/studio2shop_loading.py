"""The folder of a `studio2shop` system: its articles, its query networks and its matcher."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Encoder
from snapshelf.features.product_encoder import ProductEncoder
from snapshelf.features.remembering_encoder import RememberingEncoder
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.studio_reranking import EVERY, StudioProductReranker, StudioReranker
from snapshelf.recent import Recent
from snapshelf.systems.folder_settings import check_settings, file_setting, read_calibration
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import load_base
from snapshelf.tensor_file import read_tensors
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.features.query_folder import QueryDescription
    from snapshelf.features.vector_encoder import VectorEncoder
    from snapshelf.training.studio_settings import StudioSettings

__all__ = [
    "ARTICLES",
    "LINEAR",
    "MATCH",
    "MATCHER_FILE",
    "NAME",
    "SHOP",
    "load_articles",
    "load_vectors",
    "studio2shop_from_folder",
    "write_studio2shop",
]

NAME = "studio2shop"

ARTICLES, LINEAR, MATCH, SHOP = "articles", "linear", "match", "shop"
"""Folders: of the articles' system, of what was trained with the linear and with the other match,
and of the articles' own network where there is one in the system's place."""

MATCHER_FILE = "matcher.safetensors"

RECENT = 1024
"""Articles' features at hand: more than the pictures that indexing has under way at a time."""

FIELDS = {
    "system": str,
    "architecture": str,
    "articles": str,
    "vectors": str,
    "query": dict,
    "matching": str,
    "depth": int,
    "calibration": dict,
    "notes": dict,
}

PARTS: Mapping[str, tuple[set[str], ...]] = {
    "query-network": ({"articles", "query"}, {"query", "vectors"}),
    "static": ({"articles"},),
    "two-networks": ({"query"},),
}
"""Which settings each architecture may have."""


def studio2shop_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_studio2shop` wrote.

    Args:
        folder: Holds the networks and the matcher.
        settings: What ``system.json`` holds: ``architecture``, ``matching`` and ``depth`` as
            `StudioSettings` has them, ``articles`` (name or folder of the system of the articles,
            looked for in this one first; none with two networks) or ``vectors`` (a file in the
            folder, see `ArticleVectors`), ``query`` (the description of the query networks; none
            with static features), and optionally ``calibration`` and ``notes``.

    Raises:
        ModelError: If a setting is missing, unknown, of the wrong type or out of range, the
            articles' system cannot be loaded, or a file is missing, damaged or does not fit.
    """
    file = folder / "system.json"
    settings = {"depth": 1000, **settings}
    matching, depth = _checked(file, settings)
    calibration = read_calibration(file, settings)
    description = None if "query" not in settings else _description(settings["query"], file)
    predictor = reranker = None
    articles: Encoder
    if "articles" in settings:
        base = load_articles(file, settings["articles"])
        # The shelf and the match want the same features of an article, one after the other.
        articles, predictor = RememberingEncoder(base.encoder, Recent(RECENT)), base.predictor
    elif "vectors" in settings:
        assert description is not None
        articles = load_vectors(file_setting(file, settings, "vectors"), description.dimension)
    else:
        assert description is not None
        from snapshelf.features.query_encoder import load_linear_encoder

        articles = load_linear_encoder(folder / SHOP, description, file)
    try:
        encoder = _encoder(folder, description, articles, matching, depth)
        if matching == "non-linear":
            by_product = isinstance(articles, ProductEncoder)
            reranker = (StudioProductReranker if by_product else StudioReranker)(
                _query(folder, description, articles),
                articles,
                FoldedMatcher.from_tensors(read_tensors(folder / MATCH / MATCHER_FILE)),
                depth=depth or EVERY,
            )
    except ValueError as error:
        raise ModelError(f"{file}: the files beside it do not fit: {error}") from error
    return System(str(folder), WholePicture(), encoder, calibration, reranker, predictor=predictor)


def load_articles(file: Path, name: str) -> System:
    """Load the system that gives the articles' features.

    Args:
        file: The ``system.json`` of the `studio2shop` system, there or yet to be written.
        name: Name or folder; a relative folder is looked for beside the file first.

    Raises:
        ModelError: If it cannot be loaded, or is a `studio2shop` system itself.
    """
    return load_base(file, name, NAME)


def load_vectors(file: Path, dimension: int | None = None) -> "VectorEncoder":
    """Read the articles' own features.

    Args:
        file: As `ArticleVectors.read` takes it.
        dimension: Likewise.

    Raises:
        ModelError: As `ArticleVectors.read`.
    """
    from snapshelf.features.article_vectors import ArticleVectors
    from snapshelf.features.vector_encoder import VectorEncoder
    from snapshelf.features.weights import file_digest

    return VectorEncoder(ArticleVectors.read(file, dimension), file_digest(file))


def write_studio2shop(
    out: Path,
    settings: "StudioSettings",
    articles: str | None,
    description: "QueryDescription | None",
    *,
    notes: Mapping[str, Any],
) -> System:
    """Write ``system.json``, last, since it is what makes the folder a system, and load it.

    Args:
        out: The folder, with all that the file speaks of.
        settings: The recipe.
        articles: The articles' system, by what `copy_system` gave; the name of the file where
            there are vectors; None where there is neither.
        description: Of the query networks; None where there are none.
        notes: For people.

    Raises:
        ModelError: If something beside the file does not fit.
    """
    values = {
        "system": NAME,
        "architecture": settings.architecture,
        "articles" if settings.vectors is None else "vectors": articles,
        "query": None if description is None else description.to_dict(),
        "matching": settings.matching,
        "depth": settings.depth,
        "notes": dict(notes),
    }
    values = {name: value for name, value in values.items() if value is not None}
    write_whole(out / "system.json", (json.dumps(values, indent=2) + "\n").encode())
    return studio2shop_from_folder(out.resolve(), values)


def _checked(file: Path, settings: Mapping[str, Any]) -> tuple[str, int]:
    """Give the matching and the depth of settings that go together."""
    check_settings(file, settings, FIELDS, needed="architecture")
    check_settings(file, settings, FIELDS, needed="matching")
    parts = PARTS.get(settings["architecture"])
    if parts is None:
        raise ModelError(
            f"{file}: architecture must be one of {', '.join(PARTS)}, got "
            f"{settings['architecture']!r}"
        )
    given = {"articles", "query", "vectors"} & set(settings)
    if given not in parts:
        wanted = ", or ".join(" and ".join(sorted(each)) for each in parts)
        raise ModelError(
            f"{file}: {settings['architecture']} must have {wanted}, got "
            f"{' and '.join(sorted(given)) or 'none of them'}"
        )
    matching: str = settings["matching"]
    depth: int = settings["depth"]
    if matching not in ("linear", "non-linear") or not 0 <= depth <= EVERY:
        raise ModelError(
            f"{file}: matching must be 'linear' or 'non-linear' and depth in [0, {EVERY}], got "
            f"{matching!r} and {depth}"
        )
    if matching == "non-linear" and settings["architecture"] == "two-networks":
        raise ModelError(f"{file}: two-networks must have the matching 'linear', got {matching!r}")
    return matching, depth


def _description(values: Mapping[str, Any], file: Path) -> "QueryDescription":
    from snapshelf.features.query_folder import QueryDescription

    return QueryDescription.from_dict(values, file)


def _encoder(
    folder: Path,
    description: "QueryDescription | None",
    articles: Encoder,
    matching: str,
    depth: int,
) -> Encoder:
    """Give what shortlists are found with.

    Where they hold every article, their order makes no difference: the match's own network does.
    """
    if description is None:
        return articles
    from snapshelf.features.query_encoder import load_linear_encoder
    from snapshelf.features.sided_encoder import join_sides

    is_linear = matching == "linear" or depth > 0
    place = folder / (LINEAR if is_linear else MATCH)
    return join_sides(load_linear_encoder(place, description, folder / "system.json"), articles)


def _query(folder: Path, description: "QueryDescription | None", articles: Encoder) -> Encoder:
    """Give what photos are matched by."""
    if description is None:
        return articles
    from snapshelf.features.query_encoder import load_query_encoder

    return load_query_encoder(folder / MATCH, description, folder / "system.json")
