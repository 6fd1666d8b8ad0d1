"""Naming the file that an error is about."""

from pathlib import Path

__all__ = ["named"]


def named(file: Path, error: Exception) -> str:
    """Give an error's text with the file's name in it.

    Args:
        file: What was read.
        error: What came of it.
    """
    text = str(error)
    return text if str(file) in text else f"{file}: {text}"
