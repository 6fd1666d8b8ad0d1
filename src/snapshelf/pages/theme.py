"""A shop's own look of the pages: its name, words, colours and prices, from a small TOML file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from snapshelf.errors import SnapshelfError
from snapshelf.pages.contrast import contrast, read_colour, readable_on

__all__ = ["COLOURS", "Theme", "ThemeError", "read_theme", "theme_css"]

DARK: Mapping[str, str] = {
    "paper": "#121415",
    "card": "#1b1e20",
    "well": "#25292b",
    "ink": "#eceeed",
    "soft": "#a4abae",
    "line": "#2e3335",
    "accent": "#59c9a5",
}
LIGHT: Mapping[str, str] = {
    "paper": "#f6f6f3",
    "card": "#ffffff",
    "well": "#efefea",
    "ink": "#1b1d1f",
    "soft": "#5c6166",
    "line": "#e1e1da",
    "accent": "#0b6b53",
}
COLOURS: Mapping[str, Mapping[str, str]] = {"light": LIGHT, "dark": DARK}
"""The colours that a theme may set, with what they are without one: the page behind all, cards on
it, wells in these, text, softer text, lines, and what is to be pressed or looked at first."""

TEXT_CONTRAST = 4.5
"""Of text on what it stands on, WCAG 2.2 level AA."""

READ_ON = (("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("soft", "well"))
READ_ON_ACCENT = (("accent", "card"), ("accent", "paper"))

MOST_BYTES = 64 * 1024
LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
CURRENCY = re.compile(r"[A-Z]{3}")

LENGTHS = {"name": 60, "mark": 4, "title": 90, "lead": 200}


class ThemeError(SnapshelfError):
    """A theme file cannot be read, or says what cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """How a shop's pages look.

    Attributes:
        name: The shop's, shown in the head of each page.
        mark: One to four letters for the square beside the name; "" for a small drawing.
        title: What the customers' page says first.
        lead: One sentence below it.
        home: Where the name leads to, an http(s) address; "" for the page itself.
        locale: Of numbers and prices, such as ``de-AT``.
        currency: ISO 4217 code of prices whose feed has none; "" to show them as they are.
        radius: Of corners, in pixels, 0 to 28.
        light: Colours by name, see `COLOURS`; those left out are as there.
        dark: The same for the dark look.
    """

    name: str = "snapshelf"
    mark: str = ""
    title: str = "Find it in our shop"
    lead: str = "Show us a photo of what you like, and we show you which of our products it is."
    home: str = ""
    locale: str = "en"
    currency: str = ""
    radius: int = 14
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)


def read_theme(file: Path) -> Theme:
    """Read a theme.

    Args:
        file: TOML with the attributes of `Theme`; ``[light]`` and ``[dark]`` are tables.

    Raises:
        ThemeError: If it cannot be read, names what a theme does not have, or sets colours in
            which text cannot be read.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ThemeError(f"the theme {file} has more than {MOST_BYTES:,} bytes; is it another?")
        written = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise ThemeError(f"the theme {file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ThemeError(f"the theme {file} is not TOML in UTF-8: {error}") from error
    try:
        return _checked(written)
    except ValueError as error:
        raise ThemeError(f"the theme {file}: {error}") from None


def theme_css(theme: Theme) -> str:
    """Write a theme's colours as a style sheet of custom properties, to stand after `page.css`.

    The dark look holds where the reader's system asks for it, unless the page's ``data-look`` is
    ``light``, and where that is ``dark``.

    Args:
        theme: As `read_theme` checked it.
    """
    light = "".join(f"--{name}:{value};" for name, value in _properties(theme, "light"))
    dark = "".join(f"--{name}:{value};" for name, value in _properties(theme, "dark"))
    return (
        f":root{{--radius:{theme.radius}px;color-scheme:light;{light}}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root:not([data-look=light]){{color-scheme:dark;{dark}}}}}\n"
        f":root[data-look=dark]{{color-scheme:dark;{dark}}}\n"
    )


def _properties(theme: Theme, look: str) -> list[tuple[str, str]]:
    colours = {**COLOURS[look], **getattr(theme, look)}
    accent, card = colours["accent"], colours["card"]
    share = 14 if look == "light" else 22
    warn = ("#8a4b08", "#fbead3") if look == "light" else ("#f0b46c", "#3a2911")
    wrong = ("#a3242b", "#fbe6e6") if look == "light" else ("#ff9c9c", "#3d1d1f")
    shadow = (
        "0 1px 2px rgb(20 24 28/5%),0 6px 20px rgb(20 24 28/5%)"
        if look == "light"
        else "0 0 0 1px rgb(255 255 255/4%)"
    )
    return [
        *colours.items(),
        ("accent-ink", readable_on(accent)),
        ("accent-soft", f"color-mix(in srgb,{accent} {share}%,{card})"),
        ("warn", warn[0]),
        ("warn-soft", warn[1]),
        ("wrong", wrong[0]),
        ("wrong-soft", wrong[1]),
        ("shadow", shadow),
    ]


def _checked(written: Mapping[str, Any]) -> Theme:
    known = {each.name for each in fields(Theme)}
    for name in written:
        if name not in known:
            raise ValueError(f"has no {name[:40]!r}; it may have {', '.join(sorted(known))}")
    texts = {name: _text(written, name) for name in LENGTHS if name in written}
    colours = {look: _colours(written.get(look, {}), look) for look in COLOURS}
    return Theme(**{**texts, **colours, **_rest(written)})


def _text(written: Mapping[str, Any], name: str) -> str:
    value = written[name]
    if not isinstance(value, str) or not value.isprintable() or len(value) > LENGTHS[name]:
        raise ValueError(
            f"{name} must be printable text of at most {LENGTHS[name]} letters, got "
            f"{str(value)[:40]!r}"
        )
    if not value.strip() and name != "mark":
        raise ValueError(f"{name} is empty; leave it out for {getattr(Theme(), name)!r}")
    return value.strip()


def _rest(written: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: written[name] for name in ("home", "locale", "currency") if name in written}
    for name, value in rest.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text, got {str(value)[:40]!r}")
    home = rest.get("home")
    if home and (urlsplit(home).scheme not in ("http", "https") or not urlsplit(home).hostname):
        raise ValueError(f"home must be an http(s) address, got {home[:80]!r}")
    if "locale" in rest and not LOCALE.fullmatch(rest["locale"]):
        raise ValueError(f"locale must be one such as en or de-AT, got {rest['locale'][:40]!r}")
    if rest.get("currency") and not CURRENCY.fullmatch(rest["currency"]):
        raise ValueError(f"currency must be one such as EUR, got {rest['currency'][:40]!r}")
    if "radius" in written:
        radius = written["radius"]
        if isinstance(radius, bool) or not isinstance(radius, int) or not 0 <= radius <= 28:
            raise ValueError(f"radius must be 0 to 28, got {str(radius)[:40]}")
        rest["radius"] = radius
    return rest


def _colours(written: Any, look: str) -> Mapping[str, str]:
    usual = COLOURS[look]
    if not isinstance(written, Mapping):
        raise ValueError(f"{look} must be a table of colours, [{look}]")
    for name, value in written.items():
        if name not in usual:
            raise ValueError(f"[{look}] has no {name[:40]!r}; it may have {', '.join(usual)}")
        try:
            read_colour(value if isinstance(value, str) else str(value))
        except ValueError as error:
            raise ValueError(f"[{look}] {name}: {error}") from None
    colours = {**usual, **written}
    for text, ground in (*READ_ON, *READ_ON_ACCENT):
        ratio = contrast(colours[text], colours[ground])
        if ratio < TEXT_CONTRAST and {text, ground} & set(written):
            raise ValueError(
                f"[{look}] {text} {colours[text]} cannot be read on {ground} {colours[ground]}: "
                f"their contrast is {ratio:.1f}, at least {TEXT_CONTRAST} is needed; make one "
                "lighter or darker"
            )
    return dict(written)
