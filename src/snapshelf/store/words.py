"""Whether a product holds words that somebody looks for it by."""

from collections.abc import Sequence

from snapshelf.catalog.product import Product

__all__ = ["fold_words", "holds_words"]


def fold_words(text: str) -> tuple[str, ...]:
    """Cut what somebody typed into words, cases folded.

    Example:
        >>> fold_words("  Red STRASSE ")
        ('red', 'strasse')
    """
    return tuple(text.casefold().split())


def holds_words(product: Product, words: Sequence[str]) -> bool:
    """Whether each word stands, as a part of a longer one too, in what a product is called.

    Args:
        product: Its ID, title, brand and category are looked at.
        words: As `fold_words` gives them; none for any product.

    Example:
        >>> holds_words(Product(id="1", title="Red boot"), ("boo", "red"))
        True
    """
    named = "\n".join((product.id, product.title, product.brand, *product.category)).casefold()
    return all(word in named for word in words)
