"""The expressions of the rows that belong to a state of a shelf, see `head`."""

from snapshelf.store.filters import Filter
from snapshelf.store.milvus.expression import all_of, filter_expression
from snapshelf.store.milvus.hashes import numbers_text
from snapshelf.store.milvus.head import Head

__all__ = ["embeddings_of", "products_of", "visible"]


def visible(head: Head, *, product: str) -> str:
    """Give the expression that is true of just the rows that belong to a state.

    Args:
        head: The state.
        product: The field that holds the number of a row's product.
    """
    gaps = (f"not (added >= {gap.first} and added <= {gap.last})" for gap in head.gaps)
    dead = f"{product} not in {numbers_text(head.dead)}" if head.dead else ""
    return all_of([f"added <= {head.version}", *gaps, dead])


def embeddings_of(head: Head, where: Filter | None = None, *extra: str) -> str:
    """Give the expression of the embeddings of a state that pass a filter.

    Args:
        head: The state.
        where: The filter, None for all products.
        *extra: Expressions that must be true besides.
    """
    filtered = "" if where is None else filter_expression(where, partitioned=head.partitioned)
    return all_of([visible(head, product="product"), filtered, *extra])


def products_of(head: Head, where: Filter | None = None, *extra: str) -> str:
    """Give the expression of the rows of products of a state that pass a filter.

    A product has more than one if its text is long: their ``part`` rises from 0, and the number of
    the first is the product's.

    Args:
        head: The state.
        where: The filter, None for all products.
        *extra: Expressions that must be true besides.
    """
    filtered = "" if where is None else filter_expression(where)
    return all_of([visible(head, product="owner"), "part >= 0", filtered, *extra])
