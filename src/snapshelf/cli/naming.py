"""Naming the file that an error is about."""

__all__ = ["named"]


def named(file: str, error: str) -> str:
    """Give an error's text with the file's name in it.

    Args:
        file: The path of what was read.
        error: What came of it.

    Example:
        >>> named("a.mp4", "the file has sound only, no moving pictures")
        'a.mp4: the file has sound only, no moving pictures'
    """
    return error if file in error else f"{file}: {error}"
