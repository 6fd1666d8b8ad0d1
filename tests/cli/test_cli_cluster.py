"""Every command on a shelf in Milvus gives what it gives on the same shelf in a folder."""

from contextlib import closing

import pytest
from small_shop import PRODUCTS

from snapshelf.store.milvus import MilvusStore
from snapshelf.store.milvus.address import parse_milvus_address

pytestmark = pytest.mark.cluster


@pytest.fixture
def there(milvus_server):
    address = f"{milvus_server.address}shop"
    yield address
    MilvusStore.drop(parse_milvus_address(address))


def test_the_commands_on_a_cluster(cli, shop, shelf, there, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SNAPSHELF_FEATURES", (tmp_path / "features").as_uri())
    indexed = cli("index", shop / "feed.csv", "--shelf", there, "--system", "classical", "--json")
    assert (indexed.code, indexed.json["changed"]) == (0, PRODUCTS), indexed.err
    again = cli("index", shop / "feed.csv", "--shelf", there, "--json")
    assert (again.json["changed"], again.json["unchanged"]) == (0, PRODUCTS)
    photo = shop / "street.jpg"
    for options in ([], ["--filter", "category=shoes,price<80"], ["--by-category"]):
        ours, theirs = (
            cli("search", photo, "--shelf", where, "--json", *options).json
            for where in (there, shelf)
        )
        for mine, other in zip(ours[0]["items"], theirs[0]["items"], strict=True):
            for one, two in zip(mine["matches"], other["matches"], strict=True):
                assert one.pop("similarity") == pytest.approx(two.pop("similarity"), abs=1e-5)
                for each in (one, two):
                    each.pop("confidence", None), each.pop("evidence", None)
                assert one == two
    page = cli("search", photo, "--shelf", there, "--html", "page.html")
    assert page.code == 0
    assert "data:image/jpeg" in (tmp_path / "page.html").read_text()
    found = cli("annotate", photo, "--shelf", there, "--out", "found.jsonl")
    assert found.code == 0, found.err
    assert "P3" in (tmp_path / "found.jsonl").read_text()
    same = [
        cli("duplicates", "--shelf", where, "--json", "--least", "0.5").json
        for where in (there, shelf)
    ]
    assert [len(each["groups"]) for each in same] == [len(same[1]["groups"])] * 2
    copied = cli("copy", there, "back", "--json")
    assert (copied.code, copied.json["copied"], copied.json["equal_matches"]) == (0, PRODUCTS, 1.0)
    told = cli("copy", "back", there)
    assert told.code == 0
    assert f"0 products copied, {PRODUCTS} were there" in told.out + told.err
    wrong = cli("index", shop / "feed.csv", "--shelf", there, "--system", "standard")
    assert wrong.code == 1
    assert "was indexed with system 'classical'" in wrong.err
    bad = cli("search", photo, "--shelf", "milvus://127.0.0.1:1/shop")
    assert (bad.code, bad.out) == (1, "")
    assert "is the server running" in bad.err
    assert "Traceback" not in bad.err
    with closing(MilvusStore(parse_milvus_address(there))) as store:
        run = store.last_run()
    assert run is not None
    assert run.finished
    assert run.seen == PRODUCTS
