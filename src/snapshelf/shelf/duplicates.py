"""Products of a shelf that look the same, in groups."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from snapshelf.catalog.product import Product
from snapshelf.errors import PictureError
from snapshelf.matching.look_alikes import LookAlikes, find_look_alikes
from snapshelf.matching.same_picture import SmallPicture, is_same_picture, shrink_picture
from snapshelf.media.decode import decode_picture
from snapshelf.store.filters import Filter
from snapshelf.store.records import StoredEmbeddings
from snapshelf.store.vector_store import VectorStore

__all__ = ["LEAST", "Duplicate", "DuplicateGroup", "check_pictures", "find_duplicates"]

LEAST = 0.95
"""Similarity from which products look the same, unless told otherwise: with `compact` nearly every
picture reaches it that was compressed anew, and about one in a hundred that has no copy."""

ITEM = "item_group_id"
"""The attribute that variants of one item share, as Google's product data specification has it."""

LOOK_UP = 1_000
"""Products read at a time."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A product that looks like another.

    Attributes:
        product: As the shelf holds it.
        image: Its picture that looks like the other's, as the feed names it.
        other_id: ID of the product of its group that it is most like.
        other_image: The other's picture.
        similarity: Of the two pictures' embeddings, larger is more alike.
        same_picture: Whether the two are copies of one picture; None where that is not known,
            the pictures not having been looked at.
    """

    product: Product
    image: str
    other_id: str
    other_image: str
    similarity: float
    same_picture: bool | None


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Products that look the same, directly or by way of others of the group.

    Attributes:
        similarity: Of the two that are most alike.
        duplicates: The products, at least two, the most similar first.
    """

    similarity: float
    duplicates: tuple[Duplicate, ...]


def find_duplicates(
    store: VectorStore,
    *,
    least: float = LEAST,
    where: Filter | None = None,
    main: bool = True,
    variants: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[DuplicateGroup]:
    """Find the products whose pictures look the same, by their embeddings.

    Args:
        store: A shelf's.
        least: Similarity, in [-1, 1], from which two products look the same.
        where: Only products that pass this filter.
        main: Compare only each product's first picture; what several products show beside it, such
            as a table of sizes, does not make them the same.
        variants: Compare the variants of one item with each other too, which a feed tells by
            giving them the same ``item_group_id``; mostly they are one picture in many sizes.
            Without, a group has one of them.
        on_progress: Called with the parts of the work done and those in all.

    Returns:
        The groups, the most similar first; of equals the larger first.

    Raises:
        FilterError: If the filter names an attribute that no product has.
        ValueError: If `least` is out of range.
    """
    rows = store.embeddings(where, main=main)
    items = {} if variants else _items(store, list(dict.fromkeys(rows.product_ids)))
    numbers: dict[tuple[str, bool], int] = {}
    owners = [
        numbers.setdefault((items.get(each, each), each in items), len(numbers))
        for each in rows.product_ids
    ]
    found = find_look_alikes(
        rows.vectors,
        np.array(owners, np.int64),
        rows.contents,
        distance=store.distance,
        least=least,
        on_progress=on_progress,
    )
    joined = np.flatnonzero(found.row >= 0)
    ids = [rows.product_ids[row] for row in found.row[joined].tolist()]
    products = store.products(ids)
    groups: dict[int, list[Duplicate]] = {}
    for owner, name in zip(joined.tolist(), ids, strict=True):
        if name in products:  # else it has vanished since its embedding was read
            one = _duplicate(products[name], owner, found, rows)
            groups.setdefault(int(found.group[owner]), []).append(one)
    return sorted(
        (_group(each) for each in groups.values() if len(each) > 1),
        key=lambda group: (-group.similarity, -len(group.duplicates)),
    )


def check_pictures(
    groups: Sequence[DuplicateGroup],
    read: Callable[[str], bytes],
    *,
    on_problem: Callable[[str], None],
    on_progress: Callable[[int, int], None] | None = None,
) -> list[DuplicateGroup]:
    """Look at the pictures of groups, and tell copies of a picture from look-alikes.

    Args:
        groups: As `find_duplicates` gave them.
        read: Gives the bytes of a picture by its name in the feed; raises `PictureError`.
        on_problem: Called with the reason for every picture that cannot be read.
        on_progress: Called with the groups done and those in all.

    Returns:
        The same groups, with `Duplicate.same_picture` told wherever both pictures can be read.
    """
    checked = []
    for number, group in enumerate(groups, start=1):
        small: dict[str, SmallPicture | None] = {}
        unknown = [one for one in group.duplicates if not one.same_picture]
        for image in dict.fromkeys(i for one in unknown for i in (one.image, one.other_image)):
            try:
                small[image] = shrink_picture(decode_picture(read(image)))
            except PictureError as error:
                small[image] = None
                on_problem(str(error))
        checked.append(replace(group, duplicates=tuple(_check(o, small) for o in group.duplicates)))
        if on_progress is not None:
            on_progress(number, len(groups))
    return checked


def _items(store: VectorStore, product_ids: Sequence[str]) -> dict[str, str]:
    """Tell which item products are variants of, by their IDs; others are left out."""
    items = {}
    for start in range(0, len(product_ids), LOOK_UP):
        products = store.products(product_ids[start : start + LOOK_UP])
        for name, product in products.items():
            for attribute, value in product.attributes.items():
                if re.sub(r"[\s-]", "_", attribute).casefold() == ITEM and value:
                    items[name] = value
    return items


def _duplicate(
    product: Product, owner: int, found: LookAlikes, rows: StoredEmbeddings
) -> Duplicate:
    row, other = int(found.row[owner]), int(found.other[owner])
    return Duplicate(
        product=product,
        image=rows.images[row],
        other_id=rows.product_ids[other],
        other_image=rows.images[other],
        similarity=float(found.similarity[owner]),
        same_picture=True if rows.contents[row] == rows.contents[other] else None,
    )


def _group(duplicates: Sequence[Duplicate]) -> DuplicateGroup:
    ordered = sorted(duplicates, key=lambda one: -one.similarity)
    return DuplicateGroup(ordered[0].similarity, tuple(ordered))


def _check(one: Duplicate, small: dict[str, SmallPicture | None]) -> Duplicate:
    mine, other = small.get(one.image), small.get(one.other_image)
    if mine is None or other is None:
        return one
    return replace(one, same_picture=is_same_picture(mine, other))
