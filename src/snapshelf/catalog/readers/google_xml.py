"""Google Merchant Center's XML feeds: RSS 2.0 and Atom with the namespace ``g:``."""

import re
from collections.abc import Generator
from xml.parsers import expat

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.image_reference import split_images
from snapshelf.catalog.limits import MAX_FIELD, MAX_RECORD
from snapshelf.catalog.readers.google import GOOGLE_NAMES
from snapshelf.catalog.row import Header, Row, Rows, Value, with_header
from snapshelf.catalog.source import Source
from snapshelf.errors import FeedError

__all__ = ["read_google_xml"]

CHUNK = 1 << 16
MAX_DEPTH = 64
MAX_MARKUP = MAX_RECORD

GOOGLE = ("http://base.google.com/ns/1.0", "http://base.google.com/cns/1.0")
PLAIN = ("", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/")
ITEMS = ("item", "entry")

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def read_google_xml(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read an RSS 2.0 or Atom feed of Google Merchant Center, item by item.

    Elements of Google's namespaces go before plain ones of the same name (``g:title`` before
    ``title``); other namespaces are passed over. A repeated element becomes a list, and of
    several ``product_type`` the first counts. An element within an element is named by both
    (``shipping.price``). Control characters, which XML forbids, are read as spaces.

    Args:
        source: The feed.

    Yields:
        The header, then the rows.

    Raises:
        FeedError: If the feed is not well-formed XML, after the items before that place; or if
            it declares a DTD.
    """
    always = tuple(dict.fromkeys(name for names in GOOGLE_NAMES.values() for name in names))
    return with_header(_rows(source), GOOGLE_NAMES, always)


def _rows(source: Source) -> Rows:
    items = _Items(source.path.name)
    read = 0
    with source.open_text() as text:
        while True:
            chunk = FORBIDDEN.sub(" ", text.read(CHUNK))
            failure = items.feed(chunk)
            yield from items.take()
            if failure is not None:
                raise failure
            if not chunk:
                return
            read += len(chunk.encode())
            if read - items.position > MAX_MARKUP:
                raise FeedError(
                    f"{source.path.name} has a tag or comment of more than {MAX_MARKUP} bytes "
                    f"in line {items.line}"
                )


class _Items:
    """Collects the fields of one item after another from what expat finds."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._found: list[Row | Problem] = []
        self._depth = 0
        self._item_depth = 0
        self._item_line = 0
        self._size = 0
        self._problem: tuple[str, str] | None = None
        self._google: dict[str, list[str]] = {}
        self._plain: dict[str, list[str]] = {}
        self._open: list[tuple[str, list[str]]] = []
        self._namespace = ""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = CHUNK
        parser.StartDoctypeDeclHandler = self._refuse_dtd
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._parser = parser

    @property
    def position(self) -> int:
        """Byte (of the UTF-8 text) that has been understood up to."""
        return self._parser.CurrentByteIndex

    @property
    def line(self) -> int:
        """Line that has been understood up to, from 1."""
        return self._parser.CurrentLineNumber

    def feed(self, chunk: str) -> FeedError | None:
        """Parse a chunk, or the end of the feed if it is empty; give what went wrong."""
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            return FeedError(
                f"{self._feed} is not well-formed XML in line {error.lineno}, column "
                f"{error.offset + 1}: {expat.ErrorString(error.code)}; the items before it were "
                "read"
            )
        except FeedError as error:
            return error
        return None

    def take(self) -> list[Row | Problem]:
        """The items completed since the last call."""
        found, self._found = self._found, []
        return found

    def _refuse_dtd(self, name: str, *_: object) -> None:
        raise FeedError(
            f"{self._feed} declares a DTD ({name[:40]}) in line {self.line}, which a product feed "
            "must not have; remove the DOCTYPE"
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FeedError(
                f"{self._feed} nests its elements more than {MAX_DEPTH} deep in line {self.line}"
            )
        namespace, _, local = name.rpartition(" ")
        if not self._item_depth:
            if local in ITEMS:
                self._begin_item()
            return
        if not self._open:
            self._namespace = namespace
        self._open.append((local, []))
        if local == "link" and attributes.get("rel", "alternate") == "alternate":
            self._text(attributes.get("href", ""))

    def _begin_item(self) -> None:
        self._item_depth = self._depth
        self._item_line = self.line
        self._size = 0
        self._problem = None
        self._google = {}
        self._plain = {}

    def _text(self, text: str) -> None:
        if not self._open or self._problem:
            return
        name, pieces = self._open[-1]
        self._size += len(text)
        pieces.append(text)
        if self._size > MAX_FIELD and sum(map(len, pieces)) > MAX_FIELD:
            self._problem = (name, f"is longer than {MAX_FIELD} characters")
        elif self._size > MAX_RECORD:
            self._problem = ("", f"is longer than {MAX_RECORD} characters")

    def _end(self, _: str) -> None:
        if self._item_depth == self._depth:
            self._found.append(self._item())
            self._item_depth = 0
        elif self._item_depth:
            self._end_field()
        self._depth -= 1

    def _end_field(self) -> None:
        name = ".".join(name for name, _ in self._open)
        text = "".join(self._open.pop()[1]).strip()
        if not text:
            return
        self._size += len(name)
        if self._namespace in GOOGLE:
            self._google.setdefault(name, []).append(text)
        elif self._namespace in PLAIN:
            self._plain.setdefault(name, []).append(text)

    def _item(self) -> Row | Problem:
        values = {**self._plain, **self._google}
        if self._problem:
            product_id = values.get("id", [""])[0][:256]
            return Problem(self._item_line, *self._problem, product_id)
        fields: dict[str, Value] = {
            name: texts[0] if len(texts) == 1 else texts for name, texts in values.items()
        }
        for name in ("image_link", "additional_image_link"):
            if name in values:
                fields[name] = [image for text in values[name] for image in split_images(text)]
        if "product_type" in values:
            fields["product_type"] = values["product_type"][0]
        return Row(self._item_line, fields)
