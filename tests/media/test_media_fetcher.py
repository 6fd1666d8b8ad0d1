"""Fetching from a real server: bounds, retries, redirects, private addresses, the cache."""

import gzip
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshelf.errors import PictureError
from snapshelf.media import Fetcher, guarded_network
from snapshelf.media.guarded_network import Deadline, GuardedNetwork
from snapshelf.media.retry import retry_after, retry_delay
from snapshelf.parallel import ordered_map

NOWHERE = Fetcher(None, retries=0, resolve=lambda host, port: [])

Answering = Callable[["Handler"], None]


@dataclass
class Shop:
    """A web server in a thread, and what it was asked."""

    routes: dict[str, Answering] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    clients: set[Any] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    server: Any = None

    def url(self, path: str = "/a.jpg", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shop: Shop

    def do_GET(self) -> None:
        with self.shop.lock:
            self.shop.asked.append(self.path)
            self.shop.headers.append(dict(self.headers.items()))
            self.shop.clients.add(self.client_address)
        self.shop.routes.get(self.path, answer(404, b"not here"))(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def answer(status: int = 200, body: bytes = b"picture", **headers: str) -> Answering:
    def send(handler: Handler) -> None:
        handler.send_response(status)
        sent = {"Content_Length": str(len(body)), **headers}
        for name, value in sent.items():
            if value:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if status != 304:
            try:
                handler.wfile.write(body)
            except OSError:
                handler.close_connection = True

    return send


def in_turn(*answers: Answering) -> Answering:
    """Give one answer after the other, and the last one for ever."""
    left = list(answers)

    def send(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return send


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    handler = type("ShopHandler", (Handler,), {"shop": shop})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    shop.server = server
    shop.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield shop
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sleeps() -> list[float]:
    return []


@pytest.fixture
def fetcher(sleeps: list[float]) -> Iterator[Fetcher]:
    with Fetcher(None, allow_private=True, timeout_s=5, sleep=sleeps.append) as fetcher:
        yield fetcher


def test_a_picture_is_fetched_over_one_connection(shop: Shop, fetcher: Fetcher) -> None:
    shop.routes["/a.jpg"] = answer(body=b"\xff\xd8 picture")
    shop.routes["/b.jpg"] = answer(302, b"", Location="/a.jpg")
    for _ in range(3):
        assert fetcher.fetch(shop.url()) == b"\xff\xd8 picture"
        assert fetcher.fetch(shop.url("/b.jpg")) == b"\xff\xd8 picture"
        with pytest.raises(PictureError):
            fetcher.fetch(shop.url("/missing.jpg"))
    assert len(shop.asked) == 12
    assert len(shop.clients) == 1
    sent = shop.headers[0]
    assert sent["Host"] == f"127.0.0.1:{shop.port}"
    assert sent["Accept-Encoding"] == "identity"
    assert sent["User-Agent"].startswith("snapshelf/")
    assert not {"Cookie", "Authorization", "Referer"} & set(sent)


def test_proxies_of_the_environment_are_not_used(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    shop.routes["/a.jpg"] = answer()
    with Fetcher(None, allow_private=True, retries=0) as fetcher:
        assert fetcher.fetch(shop.url()) == b"picture"


def test_a_path_with_spaces_and_a_fragment(shop: Shop, fetcher: Fetcher) -> None:
    shop.routes["/sch%C3%B6ne%20schuhe.jpg?size=1"] = answer()
    assert fetcher.fetch(shop.url("/schöne schuhe.jpg?size=1#top")) == b"picture"


BAD_URLS = [
    ("", "only http and https URLs are fetched, got none"),
    ("a.jpg", "only http and https URLs"),
    ("//example.com/a.jpg", "only http and https URLs"),
    ("file:///etc/passwd", "only http and https URLs are fetched, got file"),
    ("ftp://example.com/a.jpg", "got ftp"),
    ("gopher://example.com/", "got gopher"),
    ("data:image/png;base64,AAAA", "got data"),
    ("http:///a.jpg", "names no host"),
    ("https://", "names no host"),
    ("http://user@example.com/a.jpg", "user name or password"),
    ("http://user:word@example.com/a.jpg", "user name or password"),
    ("http://example.com:99999/a.jpg", "a port is 1 to 65535, got 99999"),
    ("http://example.com:0/a.jpg", "a port is 1 to 65535, got 0"),
    ("http://example.com:port/a.jpg", "not a URL"),
    ("http://exa\nmple.com/a.jpg", "not a URL"),
    ("http://example.com/\x00", "not a URL"),
    ("http://[::1/a.jpg", "not a URL"),
    ("http://" + "a" * 70_000, "not a URL"),
]


@pytest.mark.parametrize(("url", "message"), BAD_URLS)
def test_urls_that_are_refused(fetcher: Fetcher, url: str, message: str) -> None:
    with pytest.raises(PictureError) as caught:
        fetcher.fetch(url)
    assert message in str(caught.value)
    assert str(caught.value).startswith(url[:300])
    assert len(str(caught.value)) < 600


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.builds("{}://{}{}".format, st.sampled_from(["http", "HTTPS"]), st.text(), st.text()),
    )
)
def test_any_text_is_refused_or_looked_up(url: str) -> None:
    with pytest.raises(PictureError):
        NOWHERE.fetch(url)


PRIVATE_HOSTS = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "0.0.0.0",
    "[::]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fd00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_private_addresses_are_refused(shop: Shop, host: str) -> None:
    shop.routes["/a.jpg"] = answer()
    with (
        Fetcher(None, retries=0, timeout_s=2) as fetcher,
        pytest.raises(PictureError, match=r"which is not public|not a URL"),
    ):
        fetcher.fetch(shop.url(host=host))
    assert not shop.asked


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.215.14", "127.0.0.1"],
        ["127.0.0.1", "93.184.215.14"],
        ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"],
        ["fe80::1%lo"],
        ["not an address"],
    ],
)
def test_a_name_with_any_private_address_is_refused(shop: Shop, addresses: list[str]) -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return addresses

    with (
        Fetcher(None, resolve=resolve, retries=0) as fetcher,
        pytest.raises(PictureError, match=r"shop\.test has the address .* not public"),
    ):
        fetcher.fetch(shop.url(host="shop.test"))
    assert asked == [("shop.test", shop.port)]
    assert not shop.asked


class RecordingNetwork(httpcore.NetworkBackend):
    """Connects to nothing, and remembers what it should have connected to."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.server_names: list[str | None] = []

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        self.addresses.append(host)
        names = self.server_names

        class Stream(httpcore.NetworkStream):
            def start_tls(self, context: Any, server_hostname: str | None = None, *_: Any) -> Any:
                names.append(server_hostname)
                raise httpcore.ConnectError("no further")

            def close(self) -> None:
                pass

        return Stream()


def test_a_name_that_changes_its_answer_gains_nothing() -> None:
    """DNS rebinding: what was checked is what is connected to, and a new look is a new check."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    network = GuardedNetwork(
        allow_private=False, deadline=Deadline(), resolve=lambda host, port: next(answers)
    )
    network._network = recording = RecordingNetwork()
    network.connect_tcp("shop.test", 443)
    with pytest.raises(PictureError, match="not public"):
        network.connect_tcp("shop.test", 443)
    assert recording.addresses == ["93.184.215.14"]


def test_tls_asks_for_the_name_and_not_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = RecordingNetwork()
    monkeypatch.setattr(httpcore, "SyncBackend", lambda: recording)
    with (
        Fetcher(None, resolve=lambda host, port: ["93.184.215.14"], retries=0) as fetcher,
        pytest.raises(PictureError, match="no further"),
    ):
        fetcher.fetch("https://shop.test/a.jpg")
    assert recording.addresses == ["93.184.215.14"]
    assert recording.server_names == ["shop.test"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for shop.test in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl to make a certificate")
    file = tmp_path / "shop.pem"
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=shop.test"
    names = ["-addext", "subjectAltName=DNS:shop.test"]
    out = ["-keyout", str(file), "-out", str(tmp_path / "certificate")]
    subprocess.run([*command.split(), *names, *out], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "certificate").read_bytes())
    return file


def test_a_certificate_must_be_trusted_and_name_the_host(
    shop: Shop, certificate: Path, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    shop.server.socket = context.wrap_socket(shop.server.socket, server_side=True)
    shop.routes["/a.jpg"] = answer()
    url = shop.url(host="shop.test").replace("http:", "https:")
    options: dict[str, Any] = {"allow_private": True, "sleep": sleeps.append}
    options["resolve"] = lambda host, port: ["127.0.0.1"]
    with Fetcher(None, **options) as fetcher:
        with pytest.raises(PictureError, match="certificate is not valid: self"):
            fetcher.fetch(url)
        trusting = httpx.create_ssl_context()
        trusting.load_verify_locations(certificate)
        monkeypatch.setattr(httpx, "create_ssl_context", lambda **_: trusting)
    with Fetcher(None, **options) as fetcher:
        assert fetcher.fetch(url) == b"picture"
        with pytest.raises(PictureError, match="certificate is not valid: Hostname mismatch"):
            fetcher.fetch(url.replace("shop.test", "other.test"))
    assert len(shop.asked) == 1
    assert not sleeps, "a wrong certificate will not be right the next time"


def test_the_next_address_is_tried_when_one_does_not_answer(shop: Shop) -> None:
    shop.routes["/a.jpg"] = answer()
    addresses = ["127.0.0.3", "127.0.0.1"]
    with Fetcher(
        None, allow_private=True, retries=0, resolve=lambda host, port: addresses
    ) as fetcher:
        assert fetcher.fetch(shop.url(host="shop.test")) == b"picture"


@pytest.mark.parametrize(
    ("failure", "message", "tries"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "there is no host", 1),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "Temporary failure, after 3", 3),
        (UnicodeError("label too long"), "is no host name", 1),
    ],
)
def test_a_name_that_cannot_be_resolved(failure: Exception, message: str, tries: int) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        raise failure

    with (
        Fetcher(None, resolve=resolve, retries=2, sleep=lambda _: None) as fetcher,
        pytest.raises(PictureError, match=message),
    ):
        fetcher.fetch("http://shop.test/a.jpg")
    assert len(asked) == tries


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(shop: Shop, fetcher: Fetcher, status: int) -> None:
    shop.routes["/deep/a.jpg"] = answer(status, b"", Location="../b.jpg")
    shop.routes["/b.jpg"] = answer(status, b"", Location=shop.url("/c.jpg?x=1"))
    shop.routes["/c.jpg?x=1"] = answer()
    assert fetcher.fetch(shop.url("/deep/a.jpg")) == b"picture"


def test_five_redirects_and_no_more(shop: Shop, fetcher: Fetcher) -> None:
    for hop in range(9):
        shop.routes[f"/{hop}"] = answer(302, b"", Location=f"/{hop + 1}")
    shop.routes["/9"] = answer()
    assert fetcher.fetch(shop.url("/4")) == b"picture"
    shop.asked.clear()
    with pytest.raises(PictureError, match="more than 5 redirects"):
        fetcher.fetch(shop.url("/3"))
    assert len(shop.asked) == 6


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("file:///etc/passwd", "redirects to file:///etc/passwd: only http and https"),
        ("ftp://example.com/a.jpg", "got ftp"),
        ("http://user:word@127.0.0.1/a.jpg", "user name or password"),
        ("http://127.0.0.1:99999/", "redirects to .* a port is 1 to 65535"),
        ("http://[::1/", "redirects to what is no URL"),
        ("", "HTTP 302, expected a picture"),
    ],
)
def test_redirects_that_are_refused(
    shop: Shop, fetcher: Fetcher, location: str, message: str
) -> None:
    shop.routes["/a.jpg"] = answer(302, b"", Location=location)
    with pytest.raises(PictureError, match=message):
        fetcher.fetch(shop.url())


def test_a_redirect_to_a_private_address_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own address counts as public here, and every other one as it is."""
    real = guarded_network.is_public
    monkeypatch.setattr(guarded_network, "is_public", lambda a: a == "127.0.0.1" or real(a))
    shop.routes["/b.jpg"] = answer()
    with Fetcher(None, retries=0) as fetcher:
        shop.routes["/a.jpg"] = answer(302, b"", Location=shop.url("/b.jpg"))
        assert fetcher.fetch(shop.url()) == b"picture"
        for host in ("127.0.0.2", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0"):
            shop.asked.clear()
            shop.routes["/a.jpg"] = answer(302, b"", Location=shop.url("/b.jpg", host))
            with pytest.raises(PictureError, match="which is not public"):
                fetcher.fetch(shop.url())
            assert shop.asked == ["/a.jpg"]


def test_a_failure_that_passes_is_tried_again(
    shop: Shop, fetcher: Fetcher, sleeps: list[float]
) -> None:
    shop.routes["/a.jpg"] = in_turn(answer(503), answer(500), answer(429), answer())
    assert fetcher.fetch(shop.url()) == b"picture"
    assert len(sleeps) == 3
    for waited, longest in zip(sleeps, (0.5, 1.0, 2.0), strict=True):
        assert longest / 2 <= waited <= longest


def test_a_failure_that_stays_is_reported_with_the_number_of_tries(
    shop: Shop, fetcher: Fetcher, sleeps: list[float]
) -> None:
    shop.routes["/a.jpg"] = answer(502)
    with pytest.raises(PictureError, match=re.escape(f"{shop.url()}: HTTP 502, after 4 tries")):
        fetcher.fetch(shop.url())
    assert len(shop.asked) == 4
    assert len(sleeps) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204, 206, 300, 304])
def test_what_will_not_change_is_not_asked_for_again(
    shop: Shop, fetcher: Fetcher, sleeps: list[float], status: int
) -> None:
    bodyless = status in (204, 304)
    shop.routes["/a.jpg"] = answer(status, b"" if bodyless else b"sorry")
    with pytest.raises(PictureError, match=f"HTTP {status}, expected a picture"):
        fetcher.fetch(shop.url())
    assert len(shop.asked) == 1
    assert not sleeps


@pytest.mark.parametrize(
    ("header", "waited"), [("7", 7.0), ("0", 0.0), ("86400", 60.0), ("9" * 400, 60.0)]
)
def test_retry_after_is_followed_up_to_a_minute(
    shop: Shop, fetcher: Fetcher, sleeps: list[float], header: str, waited: float
) -> None:
    shop.routes["/a.jpg"] = in_turn(answer(429, Retry_After=header), answer())
    assert fetcher.fetch(shop.url()) == b"picture"
    assert sleeps == [waited]


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=30), usegmt=True)
    assert retry_after(later, now) == 30
    assert retry_after(format_datetime(now - timedelta(days=1)), now) == -86400
    assert retry_delay(1, -86400.0) == 0
    for nothing in ("", "soon", "-5", "1.5", "Mon, 99 Foo 2026"):
        assert retry_after(nothing, now) is None


def test_delays_double_up_to_a_minute() -> None:
    for attempt, longest in [(1, 0.5), (2, 1), (5, 8), (8, 60), (10_000, 60)]:
        delays = [retry_delay(attempt, None) for _ in range(50)]
        assert longest / 2 <= min(delays) < max(delays) <= longest


def test_nobody_listens(fetcher: Fetcher, sleeps: list[float]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(PictureError, match=r"the connection failed: .*refused, after 4 tries"):
        fetcher.fetch(f"http://127.0.0.1:{port}/a.jpg")
    assert len(sleeps) == 3


def test_a_body_that_ends_early_is_asked_for_again(
    shop: Shop, fetcher: Fetcher, sleeps: list[float]
) -> None:
    def cut(handler: Handler) -> None:
        answer(200, b"half", Content_Length="100")(handler)
        handler.close_connection = True

    shop.routes["/a.jpg"] = in_turn(cut, answer())
    assert fetcher.fetch(shop.url()) == b"picture"
    assert len(sleeps) == 1


def drip(head: bytes, every_s: float) -> Answering:
    """Send the head, then a byte at a time for ever, each well within the time-out."""

    def send(handler: Handler) -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(head)
            for _ in range(1000):
                time.sleep(every_s)
                handler.wfile.write(b"x")
                handler.wfile.flush()
        except OSError:
            pass

    return send


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n",
    ],
    ids=["body", "endless body", "headers", "body of an error"],
)
def test_a_slow_drip_is_cut_off(shop: Shop, head: bytes) -> None:
    shop.routes["/a.jpg"] = drip(head, every_s=0.05)
    start = time.monotonic()
    with (
        Fetcher(None, allow_private=True, timeout_s=5, total_s=0.4, retries=0) as fetcher,
        pytest.raises(PictureError, match=r"timed out.*after 1 try"),
    ):
        fetcher.fetch(shop.url())
    assert 0.3 < time.monotonic() - start < 2


def test_what_is_left_of_the_time() -> None:
    deadline = Deadline()
    assert deadline.bound(5.0, httpcore.ReadTimeout) == 5.0
    with deadline.within(60):
        assert deadline.bound(5.0, httpcore.ReadTimeout) == 5.0
        assert 59 < (deadline.bound(None, httpcore.ReadTimeout) or 0) <= 60
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(deadline.bound, 70.0, httpcore.ReadTimeout)
            assert elsewhere.result() == 70.0, "each thread has its own deadline"
    with deadline.within(-1), pytest.raises(httpcore.WriteTimeout, match="took too long"):
        deadline.bound(5.0, httpcore.WriteTimeout)
    assert deadline.bound(5.0, httpcore.ReadTimeout) == 5.0


@pytest.mark.parametrize("bound", [{"timeout_s": 0.3}, {"timeout_s": 20, "total_s": 0.3}])
def test_silence_is_cut_off(shop: Shop, bound: dict[str, float]) -> None:
    shop.routes["/a.jpg"] = drip(b"", every_s=3)
    start = time.monotonic()
    with (
        Fetcher(None, allow_private=True, retries=0, **bound) as fetcher,
        pytest.raises(PictureError, match="timed out"),
    ):
        fetcher.fetch(shop.url())
    assert time.monotonic() - start < 2


def chunked(*chunks: bytes) -> Answering:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    return answer(200, body, Content_Length="", Transfer_Encoding="chunked")


def small_fetcher(**options: Any) -> Fetcher:
    return Fetcher(None, allow_private=True, max_bytes=1000, retries=0, timeout_s=5, **options)


@pytest.mark.parametrize(
    "too_large",
    [
        answer(200, b"", Content_Length="1001"),
        answer(200, b"", Content_Length="9" * 18),
        chunked(b"x" * 600, b"x" * 401),
        chunked(*[b"x" * 500] * 4000),
        answer(200, gzip.compress(b"x" * 1001), Content_Encoding="gzip"),
    ],
    ids=["announced", "announced huge", "chunked", "chunked without end", "compressed"],
)
def test_a_body_that_is_too_large(shop: Shop, too_large: Answering) -> None:
    shop.routes["/a.jpg"] = too_large
    with (
        small_fetcher() as fetcher,
        pytest.raises(PictureError, match="larger than the 1,000 bytes"),
    ):
        fetcher.fetch(shop.url())
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "exact",
    [
        answer(200, b"x" * 1000),
        chunked(b"x" * 600, b"x" * 400),
        answer(200, gzip.compress(b"x" * 1000), Content_Encoding="GZIP"),
    ],
)
def test_a_body_of_just_the_bound(shop: Shop, exact: Answering) -> None:
    shop.routes["/a.jpg"] = exact
    with small_fetcher() as fetcher:
        assert fetcher.fetch(shop.url()) == b"x" * 1000


def test_a_gzip_bomb_never_unfolds(shop: Shop) -> None:
    bomb = gzip.compress(bytes(100_000_000))
    shop.routes["/a.jpg"] = answer(200, bomb, Content_Encoding="gzip")
    with Fetcher(None, allow_private=True, max_bytes=1_000_000, retries=0) as fetcher:
        tracemalloc.start()
        with pytest.raises(PictureError, match="larger than the 1,000,000 bytes"):
            fetcher.fetch(shop.url())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b"x", "br", "sent the encoding 'br', which was not asked for"),
        (b"x", "gzip, gzip", "which was not asked for"),
        (b"not gzip", "gzip", "gzip body is damaged"),
        (gzip.compress(b"x" * 500)[:-9], "gzip", "gzip body ends early"),
    ],
)
def test_encodings_that_are_refused(shop: Shop, body: bytes, encoding: str, message: str) -> None:
    shop.routes["/a.jpg"] = answer(200, body, Content_Encoding=encoding)
    with small_fetcher() as fetcher, pytest.raises(PictureError, match=message):
        fetcher.fetch(shop.url())


def test_what_is_no_http_is_reported(shop: Shop, fetcher: Fetcher) -> None:
    shop.routes["/a.jpg"] = lambda handler: drip(b"SSH-2.0-server\r\n\r\n", 0)(handler)
    with pytest.raises(PictureError, match="the connection failed"):
        fetcher.fetch(shop.url())


def test_many_threads_stay_within_the_bounds(shop: Shop) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def slow(handler: Handler) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        answer(body=handler.path.encode())(handler)

    paths = [f"/{number}" for number in range(120)]
    shop.routes = dict.fromkeys(paths, slow)
    with Fetcher(None, allow_private=True, connections=8, per_host=3, retries=0) as fetcher:
        got = list(
            ordered_map(lambda path: fetcher.fetch(shop.url(path)), paths, workers=12, ahead=24)
        )
    assert got == [path.encode() for path in paths]
    assert 2 <= most <= 3
    assert len(shop.clients) <= 8


def test_a_closed_fetcher_says_so(shop: Shop, fetcher: Fetcher) -> None:
    fetcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        fetcher.fetch(shop.url())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_s": 0}, "time-outs must be above 0"),
        ({"total_s": -1}, "time-outs must be above 0"),
        ({"retries": -1}, "retries must not be negative"),
        ({"max_bytes": 0}, "max_bytes at least 1"),
        ({"connections": 0}, "bounds on connections must be at least 1"),
        ({"per_host": 0}, "bounds on connections must be at least 1"),
    ],
)
def test_bounds_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fetcher(None, **options)


def cached_fetcher(folder: Path, **options: Any) -> Fetcher:
    return Fetcher(folder, allow_private=True, retries=0, timeout_s=5, **options)


def test_what_was_fetched_is_not_asked_for_again(shop: Shop, tmp_path: Path) -> None:
    shop.routes["/a.jpg"] = in_turn(answer(), answer(200, b"changed"))
    for _ in range(3):
        with cached_fetcher(tmp_path / "cache") as fetcher:
            assert fetcher.fetch(shop.url()) == b"picture"
            assert fetcher.fetch(shop.url() + "#fragment") == b"picture"
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    ("validator", "condition"),
    [
        ({"ETag": '"v1"'}, ("If-None-Match", '"v1"')),
        ({"ETag": 'W/"v1"'}, ("If-None-Match", 'W/"v1"')),
        (
            {"Last_Modified": "Fri, 02 Jan 2026 03:04:05 GMT"},
            ("If-Modified-Since", "Fri, 02 Jan 2026 03:04:05 GMT"),
        ),
    ],
)
def test_recheck_asks_whether_it_has_changed(
    shop: Shop, tmp_path: Path, validator: dict[str, str], condition: tuple[str, str]
) -> None:
    shop.routes["/a.jpg"] = in_turn(
        answer(**validator), answer(304, b"", **validator), answer(200, b"changed"), answer(500)
    )
    with cached_fetcher(tmp_path, recheck=True) as fetcher:
        assert fetcher.fetch(shop.url()) == b"picture"
        assert fetcher.fetch(shop.url()) == b"picture"
        assert fetcher.fetch(shop.url()) == b"changed"
        with pytest.raises(PictureError, match="HTTP 500"):
            fetcher.fetch(shop.url())
    name, value = condition
    assert name not in shop.headers[0]
    assert shop.headers[1][name] == shop.headers[2][name] == value
    assert name not in shop.headers[3], "the changed picture came without a validator"
    assert len(shop.clients) == 1, "a 304 leaves the connection open"
    with cached_fetcher(tmp_path) as fetcher:
        assert fetcher.fetch(shop.url()) == b"changed"


def test_failures_are_not_kept(shop: Shop, tmp_path: Path) -> None:
    shop.routes["/a.jpg"] = in_turn(answer(404), answer())
    with cached_fetcher(tmp_path) as fetcher:
        with pytest.raises(PictureError, match="HTTP 404"):
            fetcher.fetch(shop.url())
        assert fetcher.fetch(shop.url()) == b"picture"


def test_a_cached_picture_beyond_a_smaller_bound_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.routes["/a.jpg"] = answer()
    with cached_fetcher(tmp_path) as fetcher:
        fetcher.fetch(shop.url())
    with (
        cached_fetcher(tmp_path, max_bytes=3) as fetcher,
        pytest.raises(PictureError, match="larger than the 3 bytes"),
    ):
        fetcher.fetch(shop.url())


def test_what_was_fetched_privately_is_not_for_a_public_fetcher(shop: Shop, tmp_path: Path) -> None:
    shop.routes["/a.jpg"] = answer()
    with cached_fetcher(tmp_path) as fetcher:
        fetcher.fetch(shop.url())
    with (
        Fetcher(tmp_path, retries=0) as fetcher,
        pytest.raises(PictureError, match="not public"),
    ):
        fetcher.fetch(shop.url())


def test_a_damaged_cache_file_is_fetched_anew(shop: Shop, tmp_path: Path) -> None:
    shop.routes["/a.jpg"] = answer()
    with cached_fetcher(tmp_path) as fetcher:
        fetcher.fetch(shop.url())
        (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
        whole = file.read_bytes()
        for damaged in (b"", whole[:-1], whole + b"x", whole[:40], b"{}\n" + whole):
            file.write_bytes(damaged)
            assert fetcher.fetch(shop.url()) == b"picture"
            assert file.read_bytes() == whole
    assert len(shop.asked) == 6


def test_a_cache_that_cannot_be_written_is_done_without(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    shop.routes["/a.jpg"] = answer()
    with cached_fetcher(tmp_path / "file") as fetcher:
        assert fetcher.fetch(shop.url()) == b"picture"
    assert "the cache of fetched pictures cannot be written to" in caplog.text
