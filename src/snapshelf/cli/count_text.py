"""Numbers of things, as people read them."""

__all__ = ["count_text"]


def count_text(count: int, thing: str) -> str:
    """Give a number with what it counts.

    Args:
        count: At least 0.
        thing: In the singular; its plural ends in s.

    Example:
        >>> count_text(1, "picture"), count_text(0, "clip"), count_text(1200, "clip")
        ('1 picture', '0 clips', '1,200 clips')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
