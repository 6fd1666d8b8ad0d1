"""A user's own vectors: both file formats, and everything that can be wrong with one."""

import contextlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snapshelf.errors import FeaturesError, ModelError
from snapshelf.features.article_vectors import ArticleVectors
from snapshelf.features.encoder import Domain
from snapshelf.features.product_encoder import ProductEncoder
from snapshelf.features.sided_encoder import SidedProductEncoder, join_sides
from snapshelf.features.vector_encoder import VectorEncoder


def npz(folder, ids, vectors, **others):
    file = folder / "vectors.npz"
    np.savez(file, ids=ids, vectors=vectors, **others)
    return file


def parquet(folder, ids, vectors, kind=None):
    file = folder / "vectors.parquet"
    column = pa.array(vectors, kind or pa.list_(pa.float64()))
    pq.write_table(pa.table({"id": ids, "vector": column, "other": ids}), file)
    return file


def unit(*numbers):
    row = np.array(numbers, np.float64)
    return row / np.linalg.norm(row)


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (npz, None),
        (parquet, None),
        (parquet, pa.list_(pa.float32())),
        (parquet, pa.list_(pa.float16())),
        (parquet, pa.list_(pa.float32(), 3)),
        (parquet, pa.large_list(pa.float64())),
        (parquet, pa.list_(pa.int32())),
    ],
)
def test_both_formats_give_unit_vectors_by_id(tmp_path, write, kind):
    given = [[3, 0, 4], [-1, 2, 2], [1, 1, 1]]
    file = write(tmp_path, ["a", "b", "long-id-ä"], given, *([kind] if kind else []))
    vectors = ArticleVectors.read(file)
    assert vectors.dimension == 3
    for own, row in zip(("a", "b", "long-id-ä"), given, strict=True):
        np.testing.assert_allclose(vectors.of(own), unit(*row), atol=1e-6)
        assert vectors.of(own).dtype == np.float32


@pytest.mark.parametrize("write", [npz, parquet])
def test_whole_numbers_and_huge_ones(tmp_path, write):
    file = write(tmp_path, [7, 2**60], [[1e300, 1e300], [1e-300, 0.0]])
    vectors = ArticleVectors.read(file)
    np.testing.assert_allclose(vectors.of(str(2**60)), [1, 0])
    np.testing.assert_allclose(vectors.of("7"), unit(1, 1), atol=1e-6)


def test_a_vector_that_cannot_be_used_is_an_error_of_its_product_only(tmp_path):
    given = [[1, 2], [1, np.nan], [np.inf, 0], [0, 0], [1, 2, 3], [], None, [None, 1], [3, 4]]
    file = parquet(tmp_path, list("abcdefghi"), given)
    vectors = ArticleVectors.read(file)
    np.testing.assert_allclose(vectors.of("i"), [0.6, 0.8], atol=1e-6)
    for own, message in {
        "b": "the product 'b': its vector holds NaN or infinity",
        "c": "holds NaN or infinity",
        "d": "is zeros alone",
        "e": "has 3 numbers, expected 2",
        "f": "has 0 numbers",
        "g": "has 0 numbers",
        "h": "holds NaN",
        "z": r"no features of the product 'z' in .*vectors\.parquet; add a vector",
    }.items():
        with pytest.raises(FeaturesError, match=message):
            vectors.of(own)
    # Of the length that is asked for, if one is.
    wider = ArticleVectors.read(file, 3)
    assert wider.of("e").shape == (3,)
    with pytest.raises(FeaturesError, match="has 2 numbers, expected 3"):
        wider.of("a")
    with pytest.raises(ModelError, match="no vector can be used: that of 'a' has 2 numbers"):
        ArticleVectors.read(file, 9)


def test_hostile_files(tmp_path):
    def refused(file, message):
        with pytest.raises(ModelError, match=message):
            ArticleVectors.read(file)

    refused(tmp_path / "none.npz", "none.npz cannot be read: No such file")
    refused(tmp_path, "must be in a file .npz or .parquet")
    for name in ("vectors.npz", "vectors.parquet"):
        (tmp_path / name).write_bytes(b"no vectors")
        refused(tmp_path / name, f"{name} holds no vectors of products")
        vectors = np.random.default_rng(0).normal(size=(20, 4))
        whole = (npz if name.endswith("npz") else parquet)(
            tmp_path, [str(number) for number in range(20)], list(vectors)
        ).read_bytes()
        for place in range(0, len(whole), 37):  # damaged anywhere: read, or refused
            damaged = bytearray(whole)
            damaged[place] ^= 0xFF
            (tmp_path / name).write_bytes(damaged)
            with contextlib.suppress(ModelError):
                ArticleVectors.read(tmp_path / name)
        (tmp_path / name).write_bytes(b"")
        refused(tmp_path / name, f"{name} holds no vectors of products")
    np.savez(tmp_path / "objects.npz", ids=np.array([print], object), vectors=np.ones((1, 2)))
    refused(tmp_path / "objects.npz", "holds no vectors of products: Object arrays")
    np.savez(tmp_path / "other.npz", vectors=np.ones((1, 2)))
    refused(tmp_path / "other.npz", "ids")
    refused(npz(tmp_path, ["a"], np.ones((2, 2))), "a vector of numbers for each of 1 ids")
    refused(npz(tmp_path, ["a"], np.ones(2)), r"vectors \(N, D\)")
    refused(npz(tmp_path, ["a"], [["x"]]), "a vector of numbers")
    refused(npz(tmp_path, [0.5], np.ones((1, 2))), "whole numbers")
    refused(npz(tmp_path, ["a", "a"], np.ones((2, 2))), "product 'a' comes more than once")
    refused(
        npz(tmp_path, np.array([], str), np.ones((0, 2))),
        "no vector can be used: it has no product",
    )
    refused(parquet(tmp_path, ["a", None], [[1.0], [2.0]]), "without a gap")
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"id": ["a"], "vector": ["1,2"]}), whole)
    refused(whole, "holds no vectors of products")
    pq.write_table(pa.table({"id": ["a"]}), whole)
    refused(whole, "holds no vectors of products")
    cut = whole.read_bytes()[:-30]
    whole.write_bytes(cut)
    refused(whole, "holds no vectors of products")


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_the_encoder_gives_back_what_it_prepared(tmp_path, length):
    given = np.random.default_rng(length).normal(size=(4, length))
    vectors = ArticleVectors.read(npz(tmp_path, list("abcd"), given))
    encoder = VectorEncoder(vectors, "digest")
    assert isinstance(encoder, ProductEncoder)
    inputs = np.stack([encoder.prepare_product(own) for own in "dab"])
    assert inputs.dtype == np.uint8
    assert inputs.shape[-1] == 3
    rows = encoder.encode(inputs, Domain.SHOP)
    expected = given / np.linalg.norm(given, axis=1, keepdims=True)
    np.testing.assert_allclose(rows, expected[[3, 0, 1]], atol=1e-6)
    assert encoder.fingerprint != VectorEncoder(vectors, "other").fingerprint
    with pytest.raises(ModelError, match="shop picture of 5 x 3 pixels cannot be embedded"):
        encoder.prepare(np.zeros((3, 5, 3), np.uint8), Domain.SHOP)
    both = join_sides(encoder, encoder)
    assert isinstance(both, SidedProductEncoder)
    assert np.array_equal(both.prepare_product("a"), inputs[1])
