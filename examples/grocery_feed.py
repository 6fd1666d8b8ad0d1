"""Make a shop's CSV feed, with its pictures beside it, from the Grocery Store Dataset.

python examples/grocery_feed.py GroceryStoreDataset shop
snapshelf index shop/feed.csv --shelf shelf
"""

import csv
import shutil
import sys
from pathlib import Path

from snapshelf.datasets.grocery import GroceryStore

source, shop = Path(sys.argv[1]), Path(sys.argv[2])
grocery = GroceryStore(source)
shop.mkdir(parents=True, exist_ok=True)
with (shop / "feed.csv").open("w", newline="", encoding="utf-8") as file:
    feed = csv.writer(file)
    feed.writerow(["id", "title", "description", "category", "price", "image"])
    for number, product in enumerate(grocery.products()):
        image = f"{product.id}.jpg"
        shutil.copyfile(grocery.root / product.images[0], shop / image)
        category = " > ".join(product.category)
        price = f"{9 + number % 40}.90 SEK"
        feed.writerow([product.id, product.title, product.description, category, price, image])
print(f"wrote {shop / 'feed.csv'}")
