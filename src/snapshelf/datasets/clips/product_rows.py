"""``products.csv`` of `ClipPairs`: a row for each shop picture."""

from pathlib import Path

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.table_reading import named_rows
from snapshelf.datasets.published_files import find_picture
from snapshelf.errors import DatasetError

__all__ = ["read_product_rows"]


def read_product_rows(root: Path) -> dict[str, Product]:
    """Read the products.

    Args:
        root: The folder that holds ``products.csv`` and, below it, the pictures.

    Returns:
        By ID, in the order of their first rows. A product's title and category are those of the
        first row that tells them; of a category such as "shoes / boots" each part is a level.

    Raises:
        DatasetError: If the table is missing or malformed, lists no product or a picture twice, or
            a picture is not there or outside the folder.
    """
    path = root / "products.csv"
    expected = "a folder with clips.csv and products.csv (see docs/clips.md)"
    told: dict[str, dict[str, str]] = {}
    images: dict[str, dict[str, str]] = {}
    for where, row in named_rows(path, ("product", "image"), ("title", "category"), expected):
        product_id = row["product"]
        if not product_id or not row["image"]:
            raise DatasetError(f"{where}: expected a product and an image, got {dict(row)}")
        image = find_picture(root, where, row["image"])
        if image in images.setdefault(product_id, {}):
            raise DatasetError(
                f"{where}: {image} is in {images[product_id][image]} as well, expected once"
            )
        images[product_id][image] = where
        known = told.setdefault(product_id, {"title": "", "category": ""})
        for name in known:
            known[name] = known[name] or row[name]
    if not told:
        raise DatasetError(f"{path} lists no product, expected some")
    return {
        product_id: Product(
            id=product_id,
            title=texts["title"] or product_id,
            category=tuple(part.strip() for part in texts["category"].split("/") if part.strip()),
            images=tuple(images[product_id]),
        )
        for product_id, texts in told.items()
    }
