"""Texts of a feed made plain: no tags, no control characters, single spaces, bounded length."""

import re
from html import unescape

from snapshelf.catalog.limits import MAX_DESCRIPTION, MAX_TEXT

__all__ = ["CONTROL", "plain_text", "quote", "strip_html"]

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Finds a control character, a line end among them."""

INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff]+")
MARKUP = re.compile(r"<[A-Za-z/!?]|&#?[A-Za-z0-9]+;")
OVERLONG_ENTITY = re.compile(r"&#[xX]?[0-9A-Fa-f]{9,};?")
TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*|[!?])[^<>]*>")
INLINE = re.compile(
    r"/?(?:abbr|a|bdi|bdo|big|b|cite|code|em|font|ins|i|kbd|mark|q|small|span|strike|strong|sub|sup"
    r"|s|tt|u|var|wbr)",
    re.IGNORECASE,
)
UNSEEN = tuple(
    (re.compile(start, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for start, end in (("<!--", "-->"), (r"<script\b", "</script"), (r"<style\b", "</style"))
)
QUOTED_LENGTH = 40


def plain_text(text: str, limit: int = MAX_TEXT) -> str:
    """One line of text: control characters removed, runs of white space made one space.

    Args:
        text: Text without markup.
        limit: Number of characters to cut at.

    Returns:
        The text, of `limit` characters at most.
    """
    if not text.isprintable():
        text = INVISIBLE.sub("", text)
    elif "  " not in text and len(text) <= limit:
        return text.strip()
    return " ".join(text.split())[:limit].rstrip()


def strip_html(text: str) -> str:
    """A description as plain text: tags, scripts, styles and comments removed, entities resolved.

    Text that holds neither a tag nor an entity keeps every character but its white space. The
    work grows linearly with the text whatever it holds, which Python's own HTML parser does not
    promise.

    Args:
        text: HTML or plain text.

    Returns:
        One line of plain text, of `MAX_DESCRIPTION` characters at most.

    Example:
        >>> strip_html("<p>Salt &amp; <b>pepper</b></p><ul><li>new</li></ul>")
        'Salt & pepper new'
    """
    if MARKUP.search(text):
        for start, end in UNSEEN:
            text = _without(text, start, end)
        text = unescape(OVERLONG_ENTITY.sub("", TAG.sub(_space_of_tag, text)))
    return plain_text(text, MAX_DESCRIPTION)


def quote(text: str) -> str:
    """A feed's text for a message: quoted, on one line, shortened to 40 characters."""
    return repr(text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "\u2026")


def _without(text: str, start: re.Pattern[str], end: re.Pattern[str]) -> str:
    """The text without what stands from each start to the end of its next end, or of the text."""
    kept = []
    position = 0
    while begin := start.search(text, position):
        kept.append(text[position : begin.start()])
        stop = end.search(text, begin.end())
        if stop is None:
            return "".join(kept)
        position = stop.end() if text.startswith("-->", stop.start()) else stop.start()
    kept.append(text[position:])
    return "".join(kept)


def _space_of_tag(tag: re.Match[str]) -> str:
    return "" if INLINE.fullmatch(tag[1]) else " "
