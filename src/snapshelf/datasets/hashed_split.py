"""A split of products that their IDs decide, where a data set was published without one."""

import hashlib

from snapshelf.datasets.article_shop import Split

__all__ = ["hashed_split"]

PARTS = 10


def hashed_split(product_id: str) -> Split:
    """Choose a product's split: of ten parts two for testing, one for validation, seven to train.

    It depends on the ID alone, so that a product stays where it is whatever is added. The paper
    keeps 80 % for training (Studio2Shop, Section 5.1); the validation part is taken of them.

    Args:
        product_id: Any text.

    Returns:
        The split.

    Example:
        >>> [hashed_split(name) for name in ("1003", "1004", "1020")]
        ['train', 'test', 'val']
    """
    digest = hashlib.blake2b(product_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    part = int.from_bytes(digest, "big") % PARTS
    return "test" if part < 2 else "val" if part == 2 else "train"
