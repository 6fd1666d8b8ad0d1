"""What pages need besides a search: facets, and pictures that lie elsewhere."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from service_parts import draw, file_of, is_problem, serving

from snapshelf.catalog import Catalog
from snapshelf.errors import PictureError
from snapshelf.service import Settings
from snapshelf.service.answers import FacetsAnswer
from snapshelf.service.api_keys import add_key
from snapshelf.service.small_pictures import SmallPictures
from snapshelf.shelf import Shelf
from snapshelf.systems import System


def test_facets_are_counted_with_those_above_them(client):
    facets = FacetsAnswer.model_validate_json(client.get("/v1/shelf/facets").content)
    assert facets.products == 6
    assert [(each.category, each.products) for each in facets.categories] == [
        ("Bags", 3),
        ("Shoes", 3),
        ("Shoes > Boots", 3),
    ]
    assert {each.brand: each.products for each in facets.brands} == {"Acme": 3, "Zenith": 3}
    (price,) = facets.prices
    assert (price.currency, price.least, price.most) == ("EUR", 10.5, 60.5)
    chosen = client.get("/v1/shelf/facets", params={"filter": "price<25"}).json()
    assert chosen["products"] == 2
    assert [each["category"] for each in chosen["categories"]] == ["Shoes", "Shoes > Boots"]
    is_problem(client.get("/v1/shelf/facets", params={"filter": "size=3"}), 422, "invalid")


def test_facets_follow_the_shelf(start, tmp_path):
    key = add_key(tmp_path / "keys.json", "a", "write")
    client = start(keys=tmp_path / "keys.json")
    client.headers["Authorization"] = f"Bearer {key}"
    assert client.get("/v1/shelf/facets").json()["products"] == 6
    client.delete("/v1/products/P1")
    assert client.get("/v1/shelf/facets").json()["products"] == 5


def test_a_picture_tells_the_size_it_had(client):
    answer = client.get("/v1/products/P1/images/0", params={"side": 16})
    assert answer.headers["picture-size"] == "48, 48"


class Web:
    """Stands in for the web."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if "none" in url:
            raise PictureError("there is none")
        return self.data


def test_pictures_that_lie_elsewhere_are_fetched_once_and_made_small(shelf):
    web = Web(file_of(draw(1, 200)))
    with Shelf.open(shelf) as opened, ThreadPoolExecutor(1) as pool:
        pictures = SmallPictures(opened, Settings(), web, pool)

        async def look() -> None:
            small = await pictures.fetch("https://cdn.example/1.png", 64)
            assert small.size == (200, 200)
            assert small.jpeg.startswith(b"\xff\xd8")
            assert await pictures.fetch("https://cdn.example/1.png", 64) is small
            assert len(web.asked) == 1
            await pictures.fetch("https://cdn.example/1.png", 32)
            assert len(web.asked) == 2
            with pytest.raises(PictureError, match="there is none"):
                await pictures.fetch("https://cdn.example/none.png", 32)
            web.data = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
            with pytest.raises(PictureError):
                await pictures.fetch("https://cdn.example/2.png", 32)

        asyncio.run(look())
        pictures.close()


def test_a_picture_elsewhere_is_led_to_unless_it_shall_be_fetched(tmp_path):
    feed = tmp_path / "far.jsonl"
    draw(1).save(tmp_path / "1.png")
    feed.write_text(
        '{"id": "A", "title": "A", "image_link": "1.png", '
        '"additional_image_link": "http://127.0.0.1:9/2.png"}\n',
        encoding="utf-8",
    )
    Shelf.build(Catalog.open(feed), tmp_path / "far", System.load("classical")).close()
    with serving(tmp_path / "far", Settings()) as client:
        images = client.get("/v1/products/A").json()["images"]
        assert len(images) == 2
        led = client.get(images[1]["href"])
        assert led.status_code == 307
        # A private address: refused, and nothing is said of what is there.
        fetched = client.get(images[1]["href"], params={"fetch": "true"})
        told = is_problem(fetched, 422, "picture-refused")
        assert "private" in told or "not allowed" in told or "public" in told
