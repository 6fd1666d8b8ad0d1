"""The embedded store's tables."""

__all__ = ["APPLICATION_ID", "DESCRIPTION", "SCHEMA", "SCHEMA_VERSION"]

APPLICATION_ID = 0x5348_4C46
"""SQLite's application_id of a shelf ("SHLF"), so that no other database is taken for one."""

SCHEMA_VERSION = 1
"""Counts the changes that a snapshelf from before them could not read or write. A table that it
never looks at is none: it is made where it is missing, once a shelf is opened for writing."""

# Not in the first shelves. A body is tens of kilobytes: in a table of its own, as the vectors.
DESCRIPTION = """
CREATE TABLE IF NOT EXISTS description (
    region INTEGER PRIMARY KEY REFERENCES region ON DELETE CASCADE,
    body BLOB NOT NULL
);
"""

# Numbers are never used twice (AUTOINCREMENT), so "larger than" means "newer than", and a
# derived index that still names a deleted one can never show another in its place.
# A picture never changes: a product whose picture changed gets a new one, and the old one is
# kept, marked with the version that removed it, until the next index is built.
# Vectors have a table of their own, so that reading the rest never reads past them.
SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE product (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    category_key TEXT NOT NULL,
    brand_key TEXT NOT NULL,
    price REAL,
    currency_key TEXT NOT NULL,
    availability TEXT NOT NULL
);
CREATE INDEX product_category ON product (category_key);
CREATE INDEX product_brand ON product (brand_key);
CREATE INDEX product_price ON product (price);
CREATE INDEX product_availability ON product (availability);

CREATE TABLE attribute (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    product INTEGER NOT NULL REFERENCES product ON DELETE CASCADE,
    PRIMARY KEY (name, value, product)
) WITHOUT ROWID;
CREATE INDEX attribute_product ON attribute (product);

CREATE TABLE picture (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    product INTEGER NOT NULL,
    position INTEGER NOT NULL,
    source TEXT NOT NULL,
    signature TEXT NOT NULL,
    content TEXT NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER
);
CREATE INDEX picture_product ON picture (product);
CREATE INDEX picture_content ON picture (content);
CREATE INDEX picture_added ON picture (added);
CREATE INDEX picture_removed ON picture (removed) WHERE removed IS NOT NULL;

CREATE TABLE region (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    picture INTEGER NOT NULL REFERENCES picture ON DELETE CASCADE,
    product INTEGER NOT NULL,
    x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL,
    label TEXT NOT NULL,
    confidence REAL NOT NULL
);
CREATE INDEX region_picture ON region (picture);

CREATE TABLE embedding (
    region INTEGER PRIMARY KEY REFERENCES region ON DELETE CASCADE,
    vector BLOB NOT NULL
);
{DESCRIPTION}

CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    feed TEXT NOT NULL,
    process INTEGER NOT NULL,
    started TEXT NOT NULL,
    finished TEXT
);
CREATE TABLE seen (
    product INTEGER PRIMARY KEY REFERENCES product ON DELETE CASCADE,
    run INTEGER NOT NULL
);
"""
