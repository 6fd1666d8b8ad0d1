"""Where a feed says that pictures are: one text with several, and what each may be."""

import posixpath
import re

from snapshelf.catalog.plain_text import CONTROL, quote

__all__ = ["PICTURE_SUFFIXES", "check_image", "split_images"]

PICTURE_SUFFIXES = (
    ".avif",
    ".bmp",
    ".gif",
    ".heic",
    ".heif",
    ".jpeg",
    ".jpg",
    ".png",
    ".tif",
    ".tiff",
    ".webp",
)
"""File names that are taken for pictures, in small letters."""

LONGEST = 2_048

WEB = re.compile(r"https?://[^\s/?#\\@]+(?:[/?#].*)?", re.IGNORECASE)
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
BETWEEN_URLS = re.compile(r"\||,(?=\s*https?://)", re.IGNORECASE)
BETWEEN_PATHS = re.compile(
    r"\||,(?=\s*https?://)|"
    + "|".join(rf"(?<={re.escape(suffix)})\s*," for suffix in PICTURE_SUFFIXES),
    re.IGNORECASE,
)


def split_images(text: str) -> list[str]:
    """Split a text that names several pictures.

    They are divided by ``|``, or by a comma that ``http://`` or ``https://`` follows, or, in a
    text that does not begin with a URL, by a comma behind a picture's suffix. So a comma within
    a URL or a file name stays.

    Args:
        text: Such as ``"a.jpg, b.jpg"`` or ``"https://s.example/a.jpg|https://s.example/b.jpg"``.

    Returns:
        The pictures, stripped, without empty ones.

    Example:
        >>> split_images("front,left.jpg,back.jpg")
        ['front,left.jpg', 'back.jpg']
    """
    if "|" not in text and "," not in text:
        text = text.strip()
        return [text] if text else []
    is_url = text.lstrip().lower().startswith(("http://", "https://"))
    parts = (BETWEEN_URLS if is_url else BETWEEN_PATHS).split(text)
    return [part.strip() for part in parts if part.strip()]


def check_image(text: str) -> str:
    """Refuse what is neither an http(s) URL nor a path within the feed's folder.

    Whether the picture exists is not looked at.

    Args:
        text: One picture, stripped.

    Returns:
        The URL as it is, or the path in its shortest form (``./a//b.jpg`` is ``a/b.jpg``).

    Raises:
        ValueError: If it is refused. The message is fit for `Problem.reason`.
    """
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters: {quote(text)}")
    if not text.isprintable() and CONTROL.search(text):
        raise ValueError(f"holds a control character: {quote(text)}")
    if text[:4].lower() == "http" and WEB.fullmatch(text):
        return text
    if "\\" in text:
        raise ValueError(f"holds a backslash: {quote(text)}; write paths with /")
    if text.startswith("//"):
        raise ValueError(f"has no scheme: {quote(text)}; write https: before it")
    if SCHEME.match(text):
        raise ValueError(f"is neither an http(s) URL nor a relative path: {quote(text)}")
    if text.startswith("/"):
        raise ValueError(
            f"is an absolute path: {quote(text)}; write it relative to the feed's folder"
        )
    path = posixpath.normpath(text)
    if path == ".." or path.startswith("../"):
        raise ValueError(f"leads out of the feed's folder: {quote(text)}")
    if path == ".":
        raise ValueError(f"names no file: {quote(text)}")
    return path
