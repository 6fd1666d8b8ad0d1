"""A reader of pages that knows nothing of how they are made."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect"}


@dataclass
class Element:
    """An element, what stands in it and what surrounds it."""

    tag: str
    attributes: dict
    parents: tuple
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Every element of a page, in order; a page whose tags do not match is refused."""

    source: str
    elements: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.feed(self.source)
        self.close()
        assert not self.open, f"left open: {[element.tag for element in self.open]}"

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), f"repeated attribute in {attributes}"
        element = Element(tag, dict(attributes), tuple(self.open))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append(Element(tag, dict(attributes), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        for element in self.open:
            element.text += data

    def all(self, tag, **attributes):
        """Elements by tag and by words of their attributes (class_ for class)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(v in (element.attributes.get(k) or "").split() for k, v in wanted.items())
        ]

    def check(self):
        """What holds for every page: nothing runs, nothing is fetched, all can read it."""
        assert self.source.startswith("<!doctype html>")
        assert self.all("html")[0].attributes["lang"] == "en"
        (policy,) = [e for e in self.all("meta") if "http-equiv" in e.attributes]
        assert policy.attributes["content"].startswith(
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        )
        for element in self.elements:
            assert element.tag not in {"script", "link", "iframe", "object", "embed", "base"}
            for name, value in element.attributes.items():
                assert not name.startswith("on"), f"{name} on <{element.tag}>"
                is_source = name == "href" and element.tag == "image"
                if is_source or name in {
                    "src", "srcset", "poster", "background", "data", "xlink:href"
                }:  # fmt: skip
                    assert value.startswith("data:image/jpeg;base64,"), value
                elif name == "href":
                    assert value.startswith(("#", "http://", "https://", "HTTP")), value
        style = self.all("style")[0].text
        assert "url(" not in style
        assert "@import" not in style
        assert style.count("{") == style.count("}")
        for tag in ("header", "main", "footer", "h1", "title"):
            found = [e for e in self.all(tag) if not any(p.tag == "section" for p in e.parents)]
            assert len(found) == 1, tag
        levels = [int(e.tag[1]) for e in self.elements if e.tag in {"h1", "h2", "h3", "h4", "h5"}]
        assert levels[0] == 1
        for before, after in pairwise(levels):
            assert after <= before + 1, f"h{before} is followed by h{after}"
        assert all(element.attributes.get("alt") for element in self.all("img"))
        identities = [e.attributes["id"] for e in self.elements if "id" in e.attributes]
        assert len(identities) == len(set(identities))
        for element in self.elements:
            target = element.attributes.get("aria-labelledby")
            assert target is None or target in identities
            if (element.attributes.get("href") or "").startswith("#"):
                assert element.attributes["href"][1:] in identities


@pytest.fixture
def read_page():
    """Reads a page's source and checks what holds for every page."""

    def read(source):
        page = Page(source)
        page.check()
        return page

    return read
