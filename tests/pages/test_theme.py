"""Themes: what they may say, and what the errors say."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from snapshelf.pages.contrast import contrast, read_colour, readable_on
from snapshelf.pages.theme import COLOURS, READ_ON, Theme, ThemeError, read_theme, theme_css


def written(folder: Path, text: str) -> Path:
    file = folder / "theme.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_theme_is_read_whole(tmp_path):
    theme = read_theme(
        written(
            tmp_path,
            'name = "Schuhe & mehr"\nmark = "S"\ntitle = "Such\'s"\nlead = "Zeig her."\n'
            'home = "https://shop.example/"\nlocale = "de-AT"\ncurrency = "EUR"\nradius = 4\n'
            '[light]\naccent = "#7a1f5c"\n[dark]\naccent = "#f0a"\n',
        )
    )
    assert theme == Theme(
        name="Schuhe & mehr",
        mark="S",
        title="Such's",
        lead="Zeig her.",
        home="https://shop.example/",
        locale="de-AT",
        currency="EUR",
        radius=4,
        light={"accent": "#7a1f5c"},
        dark={"accent": "#f0a"},
    )
    css = theme_css(theme)
    assert css.count("--accent:#f0a;") == 2
    assert "--radius:4px" in css


def test_an_empty_theme_is_the_usual_one(tmp_path):
    assert read_theme(written(tmp_path, "")) == Theme()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "is not TOML"),
        ("nam = 'x'", "has no 'nam'; it may have currency, dark, home"),
        ("name = 3", "name must be printable text"),
        ("name = ' '", "name is empty; leave it out for 'snapshelf'"),
        ('name = "a\\nb"', "name must be printable"),
        ("mark = 'ABCDE'", "at most 4 letters"),
        ("home = 'javascript:alert(1)'", "home must be an http"),
        ("home = 'https://'", "home must be an http"),
        ("home = 1", "home must be text"),
        ("locale = 'german'", "locale must be one such as en or de-AT"),
        ("currency = '€'", "currency must be one such as EUR"),
        ("radius = 100", "radius must be 0 to 28, got 100"),
        ("radius = true", "radius must be 0 to 28"),
        ("light = 3", "light must be a table of colours"),
        ("[light]\nacent = '#000'", r"\[light\] has no 'acent'; it may have paper, card"),
        ("[light]\naccent = 'red'", r"\[light\] accent: expected a colour such as #0b6b53"),
        ("[light]\naccent = '#fff;}'", "expected a colour"),
        ("[light]\naccent = 7", "expected a colour"),
        ("[light]\naccent = '#ffd400'", "accent #ffd400 cannot be read on card #ffffff: their"),
        ("[dark]\npaper = '#eee'", "ink #eceeed cannot be read on paper #eee"),
    ],
)
def test_errors_name_what_was_wrong_and_what_may_be(tmp_path, text, told):
    with pytest.raises(ThemeError, match=told) as caught:
        read_theme(written(tmp_path, text))
    assert "theme.toml" in str(caught.value)


def test_files_that_are_no_themes(tmp_path):
    with pytest.raises(ThemeError, match="cannot be read: No such file"):
        read_theme(tmp_path / "none.toml")
    with pytest.raises(ThemeError, match="cannot be read"):
        read_theme(tmp_path)
    (tmp_path / "large.toml").write_bytes(b"#" * 70_000)
    with pytest.raises(ThemeError, match="more than 65,536 bytes"):
        read_theme(tmp_path / "large.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\x00")
    with pytest.raises(ThemeError, match="is not TOML in UTF-8"):
        read_theme(tmp_path / "binary.toml")


@pytest.mark.parametrize("look", COLOURS)
def test_the_usual_colours_can_be_read(look):
    colours = COLOURS[look]
    for text, ground in (*READ_ON, ("accent", "card"), ("accent", "paper")):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_contrast_is_that_of_known_pairs():
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#123", "#123") == 1.0
    assert contrast("#fff", "#0000ff") == contrast("#0000ff", "#fff")
    assert read_colour("#FFd400") == (255, 212, 0)
    assert readable_on("#ffffff") == "#111111"


def test_the_theme_that_the_page_of_the_documentation_shows_is_one(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "page.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    theme = read_theme(written(tmp_path, shown))
    assert theme.name == "Nook & Row"
    # It names all that there is.
    assert all(f"{each.name} =" in shown or f"[{each.name}]" in shown for each in fields(Theme))
