"""Which of a feed's columns is which field of a `Product`."""

from collections.abc import Mapping, Sequence

from snapshelf.catalog.row import Header
from snapshelf.errors import FeedError

__all__ = ["COMMON_NAMES", "PRODUCT_FIELDS", "Columns", "check_mapping", "match_columns"]

PRODUCT_FIELDS = (
    "id",
    "title",
    "description",
    "category",
    "brand",
    "price",
    "currency",
    "availability",
    "url",
    "image",
    "images",
)
"""What a column can be mapped to. `image` is the main picture, `images` are further ones."""

Columns = Mapping[str, tuple[str, ...]]
"""For each field of `PRODUCT_FIELDS` the feed's columns it is read from, the preferred first."""

COMMON_NAMES: Columns = {
    "id": ("id", "product_id", "item_id", "sku", "article_number", "handle", "code"),
    "title": ("title", "name", "product_name", "product_title"),
    "description": ("description", "long_description", "body_html", "desc"),
    "category": (
        "product_type",
        "category",
        "categories",
        "category_path",
        "product_category",
        "google_product_category",
    ),
    "brand": ("brand", "vendor", "manufacturer"),
    "price": ("price", "regular_price", "list_price", "unit_price"),
    "currency": ("currency", "currency_code", "price_currency"),
    "availability": ("availability", "stock_status"),
    "url": ("link", "url", "product_url", "product_link"),
    "image": (
        "image",
        "image_link",
        "image_url",
        "image_src",
        "image_path",
        "main_image",
        "picture",
        "picture_url",
        "photo",
        "photo_url",
        "img",
    ),
    "images": (
        "images",
        "additional_image_link",
        "additional_images",
        "image_links",
        "image_urls",
        "pictures",
        "photos",
    ),
}
"""The column names that are recognised without a mapping, the preferred first. Case, spaces and
punctuation do not count, nor does a leading ``g:``: ``Image Link`` is ``image_link``."""


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping that names a field which a product does not have.

    Raises:
        ValueError: If it does; the message lists the fields.
    """
    for field in mapping:
        if field not in PRODUCT_FIELDS:
            raise ValueError(
                f"columns must map a product's fields ({', '.join(PRODUCT_FIELDS)}) to columns "
                f"of the feed, got the field {field!r}"
            )


def match_columns(header: Header, mapping: Mapping[str, str], *, feed: str) -> Columns:
    """Decide which columns each field of a product is read from.

    Args:
        header: The feed's columns and the names its format knows.
        mapping: Field of a product to column, as the user gives it; it goes before the known
            names. An empty column name leaves the field unread.
        feed: The feed's name, for messages.

    Returns:
        The columns. Of several known names the first is preferred; for `images` all are read,
        and so are numbered columns such as ``image_2``.

    Raises:
        FeedError: If a mapped column is not there, or none is there for the ID or a picture.
    """
    names = COMMON_NAMES if header.names is None else header.names
    here = ", ".join(repr(name[:60]) for name in header.columns[:50]) or "none"
    for field, column in mapping.items():
        if column and column not in header.columns:
            raise FeedError(
                f"{feed} has no column {column!r}, which is mapped to {field}; "
                f"its columns are {here}"
            )
    taken = {column for column in mapping.values() if column}
    of: dict[str, tuple[str, ...]] = {}
    for field in PRODUCT_FIELDS:
        if field in mapping:
            of[field] = (mapping[field],) if mapping[field] else ()
        else:
            columns = _known_columns(field, names, header.columns)
            of[field] = tuple(column for column in columns if column not in taken)
            if field == "id":
                of[field] = of[field][:1]  # a second choice for some rows would mix up IDs
        taken.update(of[field])
    if not of["id"]:
        raise _missing(feed, "id", "the product's ID", names["id"], here)
    if not of["image"] and not of["images"]:
        known_names = (*names["image"], *names["images"])
        raise _missing(feed, "image", "the product's picture", known_names, here)
    return of


def _known_columns(field: str, names: Columns, columns: Sequence[str]) -> list[str]:
    keys: dict[str, list[str]] = {}
    for column in columns:
        keys.setdefault(_key(column), []).append(column)
    found = [column for name in names.get(field, ()) for column in keys.get(_key(name), ())]
    if field == "images":
        main = {_key(name) for name in (*names.get("image", ()), *names.get("images", ()))}
        for key, numbered in keys.items():
            if key not in main and key.rstrip("0123456789") in main:
                found += numbered
    return found


def _key(name: str) -> str:
    """What of a column's name counts when names are compared."""
    name = name.strip().casefold().removeprefix("g:")
    return "".join(character for character in name if character.isalnum())


def _missing(feed: str, field: str, what: str, names: Sequence[str], here: str) -> FeedError:
    return FeedError(
        f"{feed} has no column for {what} (looked for {', '.join(names)}); its columns are {here}",
        cure=f"name the right one: --column {field}=NAME, or in Python "
        f"columns={{{field!r}: 'NAME'}}",
        about="columns",
    )
