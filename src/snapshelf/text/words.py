"""Words of a text, written so that the same word is the same: small letters without accents."""

import re
import unicodedata
from collections.abc import Iterable

from snapshelf.errors import ModelError
from snapshelf.text.line_reading import TextLine

__all__ = ["words_from_bytes", "words_of", "words_to_bytes"]

CONFIDENT = 0.7
"""Lines read with less confidence are left out."""

SHORTEST, LONGEST = 3, 32
"""Characters of a word; of shorter ones too many are alike, and longer ones are cut."""

MOST = 64
"""Words kept of a picture, those of the most confident lines."""

RUN = re.compile(r"[^\W_]+")

MAGIC = b"WRD1"


def words_of(lines: Iterable[TextLine]) -> tuple[str, ...]:
    """Give the words that lines say, each once.

    Words without a letter are left out: the numbers that a photo shows are prices and dates.

    Args:
        lines: Any number, in any order.

    Returns:
        At most `MOST`, those of the most confident lines first.

    Example:
        >>> words_of([TextLine("GRÄDDFIL 12%fett-3 DL", 0.9), TextLine("eko", 0.99)])
        ('eko', 'graddfil', 'fett')
    """
    words: dict[str, None] = {}
    for line in sorted(lines, key=lambda line: -line.confidence):
        if line.confidence >= CONFIDENT:
            for word in RUN.findall(_plain(line.text)):
                if len(word) >= SHORTEST and any(char.isalpha() for char in word):
                    words[word[:LONGEST]] = None
    return tuple(words)[:MOST]


def words_to_bytes(words: Iterable[str]) -> bytes:
    """Give what `words_from_bytes` reads.

    Args:
        words: As `words_of` gives them.
    """
    return MAGIC + "\n".join(words).encode()


def words_from_bytes(data: bytes) -> tuple[str, ...]:
    """Read what `words_to_bytes` gave.

    Raises:
        ModelError: If it is anything else.
    """
    if data.startswith(MAGIC):
        try:
            return tuple(data[len(MAGIC) :].decode().split("\n")) if data != MAGIC else ()
        except UnicodeDecodeError:
            pass
    raise ModelError(
        f"expected words as this version keeps them, got {len(data)} other bytes: "
        "index the shelf again"
    )


def _plain(text: str) -> str:
    """Write in small letters, without accents."""
    parts = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in parts if not unicodedata.combining(char))
