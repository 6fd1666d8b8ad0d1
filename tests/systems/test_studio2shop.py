"""Training `studio2shop`: its stages gone on with, what the folder is, and hostile data."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from PIL import Image  # noqa: E402
from studio_looks import DNA, TINY, Heard, Looks, looks  # noqa: E402

from snapshelf.catalog import Catalog, Product  # noqa: E402
from snapshelf.datasets.dataset import Query  # noqa: E402
from snapshelf.errors import DatasetError, ModelError  # noqa: E402
from snapshelf.evaluation import evaluate  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.matching.reranker import Candidate  # noqa: E402
from snapshelf.shelf import Shelf  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.fashion_dna import train_fashion_dna  # noqa: E402
from snapshelf.systems.studio2shop import train_studio2shop  # noqa: E402
from snapshelf.systems.whitened import WhitenedSettings, train_whitened  # noqa: E402
from snapshelf.tensor_file import read_tensors, write_tensors  # noqa: E402
from snapshelf.training.monitor import TrainingStopped  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

STREET, SHOP = Domain.STREET, Domain.SHOP


class Searched:
    """The looks as a data set to search: every photo is a query, every article is sold."""

    name = "looks"
    splits = ("test",)
    root = Path("/")

    def __init__(self, data):
        self._data = data

    def products(self):
        return [
            Product(id=item.product_id, images=tuple(map(str, item.shop)))
            for item in self._data.items
        ]

    def queries(self, split):
        return [
            Query(file, frozenset(f"a{number}" for number in own), "all")
            for file, own in photos_of(self._data).items()
        ]

    def is_seen(self, product_id):
        return True


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return looks(tmp_path_factory.mktemp("data") / "looks")


@pytest.fixture(scope="module")
def dna(tmp_path_factory, data):
    """A FashionDNA system in a folder of its own."""
    out = tmp_path_factory.mktemp("dna") / "out"
    train_fashion_dna([data], DNA, out)
    return out


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    out = tmp_path_factory.mktemp("studio") / "out"
    heard = Heard()
    settings = dataclasses.replace(
        TINY,
        epochs=10,
        photos_per_epoch=60,
        hidden=64,
        matcher_hidden=32,
        head_rate=10.0,
        learning_rate=1e-3,
        # Its articles' features are a random network's: nothing to begin with.
        start="random",
    )
    return train_studio2shop([data], settings, out, monitor=heard), heard, out


def picture_of(file):
    return np.array(Image.open(file).convert("RGB"))


def embed(encoder, files, domain):
    inputs = np.stack([encoder.prepare(picture_of(file), domain) for file in files])
    return encoder.encode(inputs, domain)


def photos_of(data):
    """Every photo with the numbers of the articles on it."""
    shown = {}
    for number, item in enumerate(data.items):
        for file in item.street:
            shown.setdefault(file, []).append(number)
    return shown


# --- the whole ------------------------------------------------------------------------------


def test_photos_find_their_articles(trained, data):
    system, *_ = trained
    titles = [item.shop[0] for item in data.items]
    shown = photos_of(data)
    rows = embed(system.encoder, list(shown), STREET) @ embed(system.encoder, titles, SHOP).T
    found = [
        set(row.argsort()[-2:]) == set(own) for row, own in zip(rows, shown.values(), strict=True)
    ]
    assert np.mean(found) > 0.3  # by chance 1 in 15
    described = [system.reranker.describe(picture_of(file), SHOP) for file in titles]
    right = []
    for file, own in shown.items():
        query = system.reranker.describe(picture_of(file), STREET)
        judged = system.reranker.rerank(query, [Candidate(0.0, each) for each in described])
        found = np.array([one.similarity for one in judged])
        assert ((found >= 0) & (found <= 1)).all()
        right.append(set(found.argsort()[-2:]) == set(own))
    assert np.mean(right) > 0.3


def test_the_sides_have_sizes_of_their_own(trained):
    encoder = trained[0].encoder
    picture = np.full((7, 9, 3), 80, np.uint8)
    assert encoder.prepare(picture, STREET).shape == (48, 32, 3)
    assert encoder.prepare(picture, SHOP).shape == (32, 24, 3)
    for domain in Domain:
        for hostile in (np.zeros((1, 1, 3), np.uint8), np.full((3, 400, 3), 255, np.uint8)):
            row = encoder.encode(encoder.prepare(hostile, domain)[None], domain)
            assert np.isfinite(row).all()


def test_the_stages_and_their_files(trained):
    system, heard, out = trained
    assert len(heard.epochs) == 2 + 10 + 10
    for name in (
        "articles/system.json",
        "articles/projection.safetensors",
        "features.safetensors",
        "linear/query.safetensors",
        "match/query.safetensors",
        "match/matcher.safetensors",
    ):
        assert (out / name).is_file(), name
    # The two networks have learned from their own beginning.
    linear, match = (
        (out / name / "query.safetensors").read_bytes() for name in ("linear", "match")
    )
    assert linear != match
    again = System.load(out)
    assert again.fingerprint == system.fingerprint
    assert again.embedding_fingerprint != again.fingerprint
    assert again.reranker.depth == 1000
    assert dict(again.predictor.classes) == {"kind": (("cold", "cold"), ("warm", "warm"))}
    values = json.loads((out / "system.json").read_text())
    assert (values["system"], values["articles"]) == ("studio2shop", "articles")
    features = read_tensors(out / "features.safetensors")["features"]
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)


def test_cut_off_in_every_stage_and_gone_on_with_gives_the_same(data, tmp_path):
    whole = train_studio2shop([data], TINY, tmp_path / "whole")
    out = tmp_path / "out"
    # 2 epochs of 2 batches of articles, then of 3 batches of photos, twice.
    for stop_after in (1, 5, 5):
        with pytest.raises(TrainingStopped):
            train_studio2shop([data], TINY, out, resume=True, monitor=Heard(stop_after))
    with pytest.raises(TrainingError, match="add --resume"):
        train_studio2shop([data], TINY, out)
    assert not (out / "system.json").exists()
    system = train_studio2shop([data], TINY, out, resume=True)
    assert system.fingerprint == whole.fingerprint
    # What is done is not done again.
    (out / "system.json").unlink()
    heard = Heard()
    again = train_studio2shop([data], TINY, out, resume=True, monitor=heard)
    assert (again.fingerprint, heard.epochs) == (whole.fingerprint, [])
    shutil.rmtree(out / "match")
    (out / "system.json").unlink()
    heard = Heard()
    again = train_studio2shop([data], TINY, out, resume=True, monitor=heard)
    assert (again.fingerprint, len(heard.epochs)) == (whole.fingerprint, 2)
    other = dataclasses.replace(TINY, fashion_dna=dataclasses.replace(DNA, fc1=9))
    with pytest.raises(TrainingError, match=r"recipe\.fashion_dna\.fc1 was 16, is 9"):
        train_studio2shop([data], other, out, resume=True)
    same = dataclasses.replace(TINY, fashion_dna=dataclasses.replace(DNA, num_workers=1))
    assert train_studio2shop([data], same, out, resume=True).fingerprint == whole.fingerprint


# --- its variants ---------------------------------------------------------------------------


def test_the_linear_match_alone(data, dna, tmp_path):
    settings = dataclasses.replace(TINY, articles=str(dna), matching="linear", epochs=1)
    system = train_studio2shop([data], settings, tmp_path / "out")
    assert system.reranker is None
    assert not (tmp_path / "out" / "match").exists()
    ranked = dataclasses.replace(settings, loss="ranking")
    other = train_studio2shop([data], ranked, tmp_path / "ranked")
    assert other.fingerprint != system.fingerprint


def test_features_that_stay_as_they_are_on_both_sides(data, dna, tmp_path):
    settings = dataclasses.replace(TINY, articles=str(dna), architecture="static", depth=2)
    with pytest.raises(TrainingStopped):
        train_studio2shop([data], settings, tmp_path / "out", monitor=Heard(4))
    system = train_studio2shop([data], settings, tmp_path / "out", resume=True)
    whole = train_studio2shop([data], settings, tmp_path / "whole")
    assert system.fingerprint == whole.fingerprint
    assert system.encoder.fingerprint == System.load(dna).encoder.fingerprint
    assert system.reranker.depth == 2
    assert not (tmp_path / "out" / "linear").exists()
    photo = read_tensors(tmp_path / "out" / "photos.safetensors")["features"][0]
    first = next(iter(photos_of(data)))
    np.testing.assert_allclose(embed(system.encoder, [first], STREET)[0], photo, atol=1e-5)


def test_all_articles_need_no_linear_match(data, dna, tmp_path):
    settings = dataclasses.replace(TINY, articles=str(dna), depth=0, epochs=1)
    system = train_studio2shop([data], settings, tmp_path / "out")
    assert not (tmp_path / "out" / "linear").exists()
    assert system.reranker.depth > 10**9
    for item in data.items:
        shutil.copy(item.shop[0], tmp_path)
    feed = tmp_path / "feed.csv"
    lines = [f"{item.product_id},T,{item.shop[0].name}\n" for item in data.items]
    feed.write_text("id,title,image\n" + "".join(lines))
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system) as shelf:
        (item,) = shelf.search(data.items[0].street[0], top=3).items
    assert len(item.matches) == 3
    assert all(match.evidence for match in item.matches)
    assert evaluate(system, Searched(data)).gallery == 6


def test_a_network_for_each_side(data, tmp_path):
    settings = dataclasses.replace(
        TINY, architecture="two-networks", matching="linear", loss="ranking", dimension=6,
        epochs=8, photos_per_epoch=60, hidden=32, learning_rate=1e-3, head_rate=10.0,
    )  # fmt: skip
    heard, out = Heard(), tmp_path / "out"
    system = train_studio2shop([data], settings, out, monitor=heard)
    assert heard.epochs[-1].losses["match"] < 0.8 * heard.epochs[0].losses["match"]
    assert "attributes: kind (2)" in heard.notes
    short = dataclasses.replace(settings, epochs=2, photos_per_epoch=None)
    whole = train_studio2shop([data], short, tmp_path / "whole")
    with pytest.raises(TrainingStopped):
        train_studio2shop([data], short, tmp_path / "cut", monitor=Heard(4))
    again = train_studio2shop([data], short, tmp_path / "cut", resume=True)
    assert again.fingerprint == whole.fingerprint
    assert (system.encoder.dimension, system.reranker, system.predictor) == (6, None, None)
    street, shop = (out / name / "query.safetensors" for name in ("linear", "shop"))
    assert street.read_bytes() != shop.read_bytes()
    assert not (out / "articles").exists()
    picture = np.random.default_rng(0).integers(0, 256, (1, 48, 32, 3), np.uint8)
    one, other = (system.encoder.encode(picture, domain)[0] for domain in Domain)
    assert not np.allclose(one, other)
    shown = photos_of(data)
    titles = embed(system.encoder, [item.shop[0] for item in data.items], SHOP)
    rows = embed(system.encoder, list(shown), STREET) @ titles.T
    found = [row.argmax() in own for row, own in zip(rows, shown.values(), strict=True)]
    assert np.mean(found) > 0.5  # by chance 1 in 3
    bare = looks(tmp_path / "bare", label=lambda _: {})
    with pytest.raises(TrainingError, match="none with two values or more"):
        train_studio2shop([bare], settings, tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


# --- the articles' system -------------------------------------------------------------------


def test_a_named_system_is_copied_in_with_its_base(data, dna, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(dna, base)
    outer = tmp_path / "outer"
    train_whitened([data], WhitenedSettings(base=str(base), dimension=3), outer)
    settings = dataclasses.replace(TINY, articles=str(outer), epochs=1, depth=0)
    out = tmp_path / "out"
    system = train_studio2shop([data], settings, out)
    assert (out / "articles" / "base" / "system.json").is_file()
    assert not (out / "articles" / "base" / "checkpoints").exists()
    assert not (out / "articles" / "base" / "training.json").exists()
    for one in (base, outer):
        shutil.rmtree(one)
    moved = tmp_path / "moved"
    out.rename(moved)
    assert System.load(moved).fingerprint == system.fingerprint


def test_a_system_of_the_package_is_named(data, tmp_path):
    settings = dataclasses.replace(TINY, articles="gist", epochs=1, matching="linear")
    system = train_studio2shop([data], settings, tmp_path / "out")
    assert not (tmp_path / "out" / "articles").exists()
    assert system.encoder.dimension == System.load("gist").encoder.dimension
    with pytest.raises(ModelError, match="must not be a studio2shop system itself"):
        train_studio2shop(
            [data], dataclasses.replace(settings, articles=str(tmp_path / "out")), tmp_path / "x"
        )
    with pytest.raises(ModelError, match="there is no system 'heel'"):
        train_studio2shop([data], dataclasses.replace(settings, articles="heel"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


# --- the user's own vectors -----------------------------------------------------------------


def vectors_of(folder, data, *, without=(), **own):
    """A file of vectors of length 4; some products have none, or another one."""
    rng = np.random.default_rng(5)
    rows = {item.product_id: rng.normal(size=4).tolist() for item in data.items}
    rows = {name: row for name, row in (rows | own).items() if name not in without}
    file = folder / "vectors.parquet"
    pq.write_table(pa.table({"id": list(rows), "vector": list(rows.values())}), file)
    return file


@pytest.fixture(scope="module")
def by_vectors(tmp_path_factory, data):
    """A system of vectors; those of a1, a2 and a3 cannot be used any more."""
    folder = tmp_path_factory.mktemp("vectors")
    file = vectors_of(folder, data)
    settings = dataclasses.replace(TINY, vectors=str(file), epochs=1)
    out = folder / "out"
    whole = train_studio2shop([data], settings, out)
    heard = Heard()
    assert train_studio2shop([data], settings, out, resume=True, monitor=heard) is not None
    file.unlink()
    again = System.load(out)
    assert again.fingerprint == whole.fingerprint
    assert not (out / "articles").exists()
    assert not (out / "features.safetensors").exists()
    damaged = folder / "damaged"
    shutil.copytree(out, damaged)
    (damaged / "vectors.parquet").write_bytes(
        vectors_of(
            folder, data, without=["a1"], a2=[1.0, 2.0], a3=[1.0, np.nan, 0.0, 0.0]
        ).read_bytes()
    )
    return again, System.load(damaged), damaged


def test_articles_are_known_by_their_ids(by_vectors, data):
    system, *_ = by_vectors
    inputs = system.encoder.prepare_product("a2")
    row = system.encoder.encode(inputs[None], SHOP)[0]
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
    description = system.reranker.describe_product("a2")
    query = system.reranker.describe(picture_of(data.items[2].street[0]), STREET)
    (judged,) = system.reranker.rerank(query, [Candidate(0.0, description)])
    assert 0 <= judged.similarity <= 1
    with pytest.raises(ModelError, match="knows shop pictures by their products' IDs only"):
        system.encoder.prepare(np.zeros((3, 3, 3), np.uint8), SHOP)


def test_an_index_tells_of_products_without_features_and_goes_on(by_vectors, data, tmp_path):
    _, system, _ = by_vectors
    feed = tmp_path / "feed.csv"
    # a0 and a5 have the same picture: what is known of one must not become the other's.
    rows = [(item.product_id, item.shop[0]) for item in data.items[:5]]
    rows.append(("a5", data.items[0].shop[0]))
    for _, file in rows:
        shutil.copy(file, tmp_path)
    feed.write_text("id,title,image\n" + "".join(f"{own},T,{f.name}\n" for own, f in rows))
    problems = []
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system,
                     on_problem=problems.append) as shelf:  # fmt: skip
        told = [(each.line, each.product_id, each.reason) for each in problems if not each.fatal]
        assert [(line, own) for line, own, _ in told] == [(3, "a1"), (4, "a2"), (5, "a3")]
        for (_, _, reason), wanted in zip(
            told, ("no features of the product 'a1'", "has 2 numbers", "NaN"), strict=True
        ):
            assert wanted in reason
        assert all(each.field == "features" for each in problems if not each.fatal)
        assert shelf.updated.changed == 3
        assert shelf.updated.skipped == 3
        found = shelf.search(data.items[0].street[0], top=5).items[0].matches
        similar = {match.product.id: match.similarity for match in found}
        assert set(similar) == {"a0", "a4", "a5"}
        query = system.reranker.describe(picture_of(data.items[0].street[0]), STREET)
        for own, similarity in similar.items():
            description = system.reranker.describe_product(own)
            (judged,) = system.reranker.rerank(query, [Candidate(0.0, description)])
            assert similarity == pytest.approx(judged.similarity, abs=1e-6)
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system) as shelf:
        assert (shelf.updated.unchanged, shelf.updated.skipped) == (3, 3)


def test_training_and_evaluation_name_products_without_features(by_vectors, data, tmp_path):
    file = vectors_of(tmp_path, data, without=["a1"], a2=[1.0], a3=[np.nan] * 4, a4=[0.0] * 4)
    settings = dataclasses.replace(TINY, vectors=str(file))
    with pytest.raises(
        TrainingError,
        match=r"4 of 6 articles have no features to train on: .* 'a1' .*has 1 num.*\.\.\.",
    ):
        train_studio2shop([data], settings, tmp_path / "out")
    with pytest.raises(ModelError, match=r"none\.npz cannot be read"):
        train_studio2shop(
            [data], dataclasses.replace(TINY, vectors=str(tmp_path / "none.npz")), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()
    whole, damaged, _ = by_vectors
    searched = Searched(data)
    assert evaluate(whole, searched).queries == 15
    with pytest.raises(DatasetError, match="there are no features of the product 'a1'"):
        evaluate(damaged, searched)
    # What a photo shows is not sold.
    unsold = Searched(Looks(data.items))
    unsold.products = lambda: Searched(data).products()[1:]
    with pytest.raises(DatasetError, match="the right product 'a0' is not in the gallery"):
        evaluate(whole, unsold)


def test_a_folder_with_other_vectors(by_vectors, tmp_path):
    *_, folder = by_vectors
    shutil.copytree(folder, tmp_path / "out")
    place = tmp_path / "out" / "vectors.parquet"
    pq.write_table(pa.table({"id": ["a"], "vector": [[1.0, 2.0]]}), place)
    with pytest.raises(ModelError, match="'a' has 2 numbers, expected 4"):
        System.load(tmp_path / "out")
    place.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        System.load(tmp_path / "out")
    values = json.loads((folder / "system.json").read_text())
    for name in ("../vectors.parquet", "", "/etc/passwd"):
        (tmp_path / "out" / "system.json").write_text(json.dumps(values | {"vectors": name}))
        with pytest.raises(ModelError, match="vectors must be a file in this folder"):
            System.load(tmp_path / "out")


@pytest.mark.parametrize(
    "change", [{"articles": "gist"}, {"architecture": "static"}, {"architecture": "two-networks"}]
)
def test_vectors_stand_alone(change):
    with pytest.raises(ValueError, match="vectors must be left out where"):
        dataclasses.replace(TINY, vectors="v.npz", **change)


# --- hostile folders and data ---------------------------------------------------------------


def test_a_damaged_folder(trained, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(trained[2], folder)
    values = json.loads((folder / "system.json").read_text())

    def refused(message, **changes):
        own = {name: value for name, value in (values | changes).items() if value is not None}
        (folder / "system.json").write_text(json.dumps(own))
        with pytest.raises(ModelError, match=message):
            System.load(folder)

    refused("depth in", depth=-1)
    refused("depth must be a int", depth="deep")
    refused("matching must be 'linear' or", matching="dot")
    refused("unknown setting 'heel'", heel=1)
    refused("must have articles and query, or query and vectors, got query", articles=None)
    refused("static must have articles, got articles and query", architecture="static")
    refused("architecture must be one of query-network, static", architecture="three-legs")
    refused("must have the matching 'linear'", architecture="two-networks", articles=None)
    refused("there is no system", articles="elsewhere")
    refused("base leads back to itself|must not be a studio2shop", articles=".")
    refused("both sides must give embeddings of one length", articles="gist")
    refused("does not fit the settings", query=values["query"] | {"hidden": 9})
    refused("hidden must be in", query=values["query"] | {"hidden": 0})
    (folder / "system.json").write_text(json.dumps(values))
    matcher = folder / "match" / "matcher.safetensors"
    tensors = read_tensors(matcher)
    write_tensors(matcher, tensors | {"offset": np.full(1, np.nan, np.float32)})
    with pytest.raises(ModelError, match="must be finite"):
        System.load(folder)
    short = {name: array[:3] if name in ("street", "shop") else array
             for name, array in tensors.items()}  # fmt: skip
    write_tensors(matcher, short)
    with pytest.raises(ModelError, match="the matcher is for features of length 3"):
        System.load(folder)
    matcher.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        System.load(folder)
    matcher.unlink()
    with pytest.raises(ModelError, match=r"matcher\.safetensors cannot be read"):
        System.load(folder)


def test_features_of_other_pictures_are_not_taken(data, dna, tmp_path):
    settings = dataclasses.replace(TINY, articles=str(dna), depth=0, epochs=1)
    out = tmp_path / "out"
    train_studio2shop([data], settings, out)
    (out / "system.json").unlink()
    write_tensors(out / "features.safetensors", {"features": np.zeros((3, 4), np.float32)})
    with pytest.raises(TrainingError, match="does not hold the features of these 6 pictures"):
        train_studio2shop([data], settings, out, resume=True)


def test_photos_with_no_match_among_the_articles(data, tmp_path):
    """Photos of what is not sold, and articles that no photo shows."""
    apart = Looks(
        tuple(
            dataclasses.replace(item, shop=()) if number % 2 else
            dataclasses.replace(item, street=())
            for number, item in enumerate(data.items)
        )
    )  # fmt: skip
    with pytest.raises(TrainingError, match="got 0 photos of articles and 3 articles"):
        train_studio2shop([apart], TINY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_attribute_of_one_value(tmp_path):
    data = looks(tmp_path / "one", label=lambda _: {"made": ("by hand", "by hand")})
    with pytest.raises(TrainingError, match="none with two values or more"):
        train_studio2shop([data], TINY, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    data = looks(
        tmp_path / "two",
        label=lambda number: {"made": ("by hand", "by hand"), "kind": (str(number % 2),) * 2},
    )
    heard = Heard()
    settings = dataclasses.replace(TINY, matching="linear", epochs=1)
    system = train_studio2shop([data], settings, tmp_path / "out", monitor=heard)
    assert list(system.predictor.classes) == ["kind"]
    assert any(note.startswith("attribute made is left out: all 6") for note in heard.notes)


def test_an_unreadable_title_picture_is_named(tmp_path):
    data = looks(tmp_path / "data")
    data.items[2].shop[0].write_bytes(b"no picture")
    settings = dataclasses.replace(TINY, articles="gist")
    with pytest.raises(DatasetError, match=r"2-title-0\.png"):
        train_studio2shop([data], settings, tmp_path / "out")


def test_photos_of_many_title_pictures_have_one_that_stands_for_the_article(tmp_path):
    data = looks(tmp_path / "data", shop=2)
    data.items[0].shop[1].write_bytes(b"no picture")  # never looked at by the named system
    settings = dataclasses.replace(TINY, articles="gist", architecture="static", epochs=1)
    train_studio2shop([data], settings, tmp_path / "out")
    features = read_tensors(tmp_path / "out" / "features.safetensors")["features"]
    assert len(features) == 6
