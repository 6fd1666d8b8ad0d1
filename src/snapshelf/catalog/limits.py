"""How much of a feed is held at once: what keeps memory bounded whatever the feed holds."""

__all__ = [
    "MAX_ATTRIBUTES",
    "MAX_DESCRIPTION",
    "MAX_FIELD",
    "MAX_ID",
    "MAX_IMAGES",
    "MAX_RECORD",
    "MAX_TEXT",
]

MAX_FIELD = 131_072
"""Characters of one field as the feed holds it (what Python's csv module allows); a row with a
longer one is a `Problem`."""

MAX_RECORD = 1 << 20
"""Characters of one row with all its fields; a longer row is a `Problem`."""

MAX_ID = 256
"""Characters of a product's ID; a row with a longer one is a `Problem`."""

MAX_TEXT = 1_000
"""Characters of a title, brand, category level or attribute; a longer one is cut."""

MAX_DESCRIPTION = 10_000
"""Characters of a description; a longer one is cut."""

MAX_IMAGES = 100
"""Pictures of one product; those beyond are left out, with a `Problem`."""

MAX_ATTRIBUTES = 200
"""Attributes of one product; those beyond are left out."""
