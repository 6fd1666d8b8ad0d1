"""Colours of a page: read from hex, and whether text in one can be read on another."""

import re

__all__ = ["contrast", "read_colour", "readable_on"]

HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)

Colour = tuple[int, int, int]


def read_colour(text: str) -> Colour:
    """Read a colour.

    Args:
        text: ``#rgb`` or ``#rrggbb``.

    Returns:
        Red, green and blue in [0, 255].

    Raises:
        ValueError: If it is no such text.

    Example:
        >>> read_colour("#0b6")
        (0, 187, 102)
    """
    if not HEX.fullmatch(text):
        raise ValueError(f"expected a colour such as #0b6b53, got {text[:40]!r}")
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two colours, WCAG 2.2, "contrast ratio".

    (L1 + 0.05) / (L2 + 0.05) with L1 the larger relative luminance; 1 for the same colour, 21 for
    black on white. Body text needs 4.5.

    Args:
        one: As `read_colour` takes it.
        other: The same.

    Example:
        >>> round(contrast("#000", "#fff"), 2)
        21.0
    """
    brighter, darker = sorted((_luminance(read_colour(one)), _luminance(read_colour(other))))[::-1]
    return (brighter + 0.05) / (darker + 0.05)


def readable_on(colour: str) -> str:
    """Give black or white, whichever can be read better on a colour.

    Example:
        >>> readable_on("#ffd400"), readable_on("#0b6b53")
        ('#111111', '#ffffff')
    """
    return max(("#ffffff", "#111111"), key=lambda ink: contrast(ink, colour))


def _luminance(colour: Colour) -> float:
    """Compute the relative luminance, WCAG 2.2: linear sRGB, weighted by what the eye sees."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
