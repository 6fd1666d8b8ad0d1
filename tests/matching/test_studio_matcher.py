"""Studio2Shop's matcher: against loops, folded, split, in blocks, and in less than float32."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.matching import assortment as assortment_module
from snapshelf.matching import folded_matcher as folded_module
from snapshelf.matching.assortment import Assortment
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.odds import probabilities_of


def matcher(length=5, first=4, second=3, seed=1):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    return FoldedMatcher(
        street=draw(length, first),
        shop=draw(length, first),
        bias=draw(first),
        hidden=draw(first, second),
        hidden_bias=draw(second),
        output=draw(second),
        offset=draw(1),
    )


def slow(weights, pair):
    """Log-odds by the definition: dense, ReLU, dense, ReLU, dense; number by number."""
    values = [float(x) for x in pair]
    for matrix, bias, is_last in weights:
        values = [
            float(bias[unit]) + sum(x * float(w) for x, w in zip(values, column, strict=True))
            for unit, column in enumerate(np.asarray(matrix, float).T)
        ]
        if not is_last:
            values = [max(value, 0.0) for value in values]
    (odds,) = values
    return odds


def slow_folded(net, query, article):
    layers = [
        (np.concatenate([net.street, net.shop]), net.bias, False),
        (net.hidden, net.hidden_bias, False),
        (net.output[:, None], net.offset, True),
    ]
    return slow(layers, [*query, *article])


def features(count, length=5, seed=2):
    return np.random.default_rng(seed).normal(size=(count, length)).astype(np.float32)


@pytest.mark.parametrize("block", [1, 3, 1024])
def test_folded_odds_are_those_of_both_layers(monkeypatch, block):
    monkeypatch.setattr(folded_module, "BLOCK", block)
    net, articles, (query,) = matcher(), features(7), features(1, seed=3)
    found = net.odds(net.street_parts(query), net.shop_parts(articles))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [slow_folded(net, query, each) for each in articles], 1e-4)
    assert net.odds(net.street_parts(query), net.shop_parts(articles[:0])).shape == (0,)


def test_probabilities_of_any_odds():
    found = probabilities_of(np.float32([-1e30, -800, -2, 0, 2, 800, 1e30]))
    sure = 1 / (1 + math.exp(-2))
    assert found.tolist() == pytest.approx([0, 0, 1 - sure, 0.5, sure, 1, 1], abs=1e-12)
    assert np.isnan(probabilities_of(np.float32([np.nan])))


def test_weights_are_written_and_read():
    net = matcher()
    again = FoldedMatcher.from_tensors(net.tensors())
    assert again.fingerprint == net.fingerprint != matcher(seed=2).fingerprint
    tensors = net.tensors()
    with pytest.raises(ValueError, match="expected the tensors street, shop, bias, hidden"):
        FoldedMatcher.from_tensors({"street": tensors["street"]})
    with pytest.raises(ValueError, match=r"hidden_bias and output \(K,\)"):
        FoldedMatcher.from_tensors(tensors | {"output": tensors["output"][:2]})
    with pytest.raises(ValueError, match=r"street and shop must be \(D, H\)"):
        FoldedMatcher.from_tensors(tensors | {"hidden": tensors["bias"]})
    with pytest.raises(ValueError, match="must be finite"):
        FoldedMatcher.from_tensors(tensors | {"offset": np.float32([np.inf])})


# --- an assortment --------------------------------------------------------------------------


def assortment(net, articles, precision="float32"):
    return Assortment(net, net.shop_parts(articles), precision=precision)


REDUCED = [pytest.param(each, marks=pytest.mark.torch) for each in ("bfloat16", "int8")]


def needs(precision):
    if precision != "float32":
        pytest.importorskip("torch")
    if precision == "int8" and not hasattr(pytest.importorskip("torch"), "_int_mm"):
        pytest.skip("this PyTorch does not multiply int8")


@pytest.mark.parametrize("precision", ["float32", *REDUCED])
@pytest.mark.parametrize("count", [1, 3, 40, None])
def test_the_best_of_an_assortment(precision, count):
    needs(precision)
    net, articles, queries = matcher(), features(20), features(3, seed=3)
    shop = assortment(net, articles, precision)
    assert len(shop) == 20
    asked = net.street_parts(queries)
    for query, found in zip(queries, shop.best(asked, count), strict=True):
        odds = np.array([slow_folded(net, query, each) for each in articles])
        rows = np.argsort(-odds, kind="stable")[:count]
        assert found.rows.tolist() == rows.tolist()
        np.testing.assert_allclose(found.probabilities, 1 / (1 + np.exp(-odds[rows])), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", *REDUCED])
def test_the_best_of_shortlists_deep_and_short(precision):
    needs(precision)
    net, articles, queries = matcher(), features(40), features(4, seed=3)
    shop = assortment(net, articles, precision)
    rng = np.random.default_rng(5)
    shortlists = [rng.permutation(40)[:length] for length in (40, 7, 0, 30)]
    for count in (2, 50, None):
        found = shop.best(net.street_parts(queries), count, shortlists)
        for query, rows, each in zip(queries, shortlists, found, strict=True):
            odds = np.array([slow_folded(net, query, articles[row]) for row in rows])
            assert each.rows.tolist() == np.argsort(-odds, kind="stable")[:count].tolist()


def test_equal_articles_stay_in_their_order():
    net, articles = matcher(), np.repeat(features(2), 30, axis=0)
    (found,) = assortment(net, articles).best(net.street_parts(features(1, seed=3)), 32)
    first = found.rows[0] // 30
    assert found.rows[:30].tolist() == list(range(30 * first, 30 * first + 30))
    assert found.rows[30:].tolist() == [30 * (1 - first), 30 * (1 - first) + 1]


def test_an_empty_assortment_and_no_queries():
    net = matcher()
    shop = assortment(net, features(0))
    assert shop.odds(net.street_parts(features(2))).shape == (2, 0)
    (found,) = shop.best(net.street_parts(features(1)), 5)
    assert found.rows.shape == found.probabilities.shape == (0,)
    assert assortment(net, features(3)).best(net.street_parts(features(0)), 5) == []


def test_what_cannot_be_matched():
    net = matcher()
    with pytest.raises(ValueError, match=r"parts must be of length 4, .* got \(4, 7\)"):
        Assortment(net, features(4, length=7))
    with pytest.raises(ValueError, match="precision must be one of auto, float32, bfloat16, int8"):
        Assortment(net, features(4, length=6), precision="int4")
    shop = assortment(net, features(4))
    for ask in (shop.odds, lambda parts: shop.best(parts, 1)):
        with pytest.raises(ValueError, match="street_parts must be of length 4"):
            ask(features(1)[0])
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        shop.best(net.street_parts(features(1)), 0)


def test_without_torch_float32_is_what_auto_means(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "snapshelf.matching.torch_scoring", raising=False)
    net, articles, queries = matcher(), features(9), features(2, seed=3)
    shop = assortment(net, articles, "auto")
    assert shop.precision == "float32"
    expected = [[slow_folded(net, query, each) for each in articles] for query in queries]
    asked = net.street_parts(queries)
    np.testing.assert_allclose(shop.odds(asked), expected, rtol=1e-4)
    for found, odds in zip(shop.best(asked, 3), expected, strict=True):
        assert found.rows.tolist() == np.argsort(-np.array(odds), kind="stable")[:3].tolist()
    for precision in ("bfloat16", "int8"):
        with pytest.raises(ModelError, match="needs the extra `torch`"):
            assortment(net, articles, precision)


@pytest.mark.torch
def test_what_auto_means_follows_the_processor(monkeypatch):
    torch = pytest.importorskip("torch")
    from snapshelf.matching import torch_scoring

    told = {"amx_bf16": False, "avx512_bf16": True, "avx512_vnni": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    monkeypatch.setattr(torch_scoring, "_multiplies_int8", lambda: True)
    assert assortment(matcher(), features(2), "auto").precision == "int8"
    # An older PyTorch on such a processor.
    monkeypatch.setattr(torch_scoring, "_multiplies_int8", lambda: False)
    assert assortment(matcher(), features(2), "auto").precision == "bfloat16"
    told.clear()
    assert torch_scoring.fastest_precision() == "float32"
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert torch_scoring.fastest_precision() == "float32"


@pytest.mark.torch
@pytest.mark.parametrize("block", [7, 64])
@pytest.mark.parametrize(("precision", "near"), [("bfloat16", 0.02), ("int8", 0.04)])
def test_reduced_odds_are_near_and_float32_decides(monkeypatch, block, precision, near):
    needs(precision)
    from snapshelf.matching import torch_scoring

    monkeypatch.setattr(torch_scoring, "BLOCK", block)
    monkeypatch.setattr(torch_scoring, "TILE", 7)
    monkeypatch.setattr(assortment_module, "LEAST_RESCORED", 1)
    net = matcher(length=16, first=64, second=32)
    articles, queries = features(300, length=16), features(4, length=16, seed=3)
    exact, fast = assortment(net, articles), assortment(net, articles, precision)
    asked = net.street_parts(queries)
    odds = exact.odds(asked)
    np.testing.assert_allclose(fast.odds(asked), odds, atol=near * np.abs(odds).max())
    assert not np.array_equal(fast.odds(asked), odds)
    # A query by itself is matched as it is among others.
    np.testing.assert_array_equal(fast.odds(asked[1:2])[0], fast.odds(asked)[1])
    both = zip(fast.best(asked, 20), exact.best(asked, 20), odds, strict=True)
    for found, right, row in both:
        assert len(np.intersect1d(found.rows, right.rows)) >= 19
        expected = probabilities_of(row)[found.rows]
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
        assert np.all(np.diff(found.probabilities) <= 0)


@pytest.mark.torch
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("count", [0, 1, 64, 65, 300])
def test_any_number_of_threads_finds_the_same_to_the_bit(monkeypatch, precision, count):
    torch = pytest.importorskip("torch")
    from snapshelf.matching import torch_scoring

    needs(precision)
    monkeypatch.setattr(torch_scoring, "BLOCK", 64)
    net = matcher(length=16, first=256, second=128)
    articles = net.shop_parts(features(count, length=16))
    shop = Assortment(net, articles, precision=precision)
    queries = net.street_parts(features(4, length=16, seed=3))
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(shop.odds(queries))
        with ThreadPoolExecutor(len(queries)) as pool:
            rows = list(pool.map(lambda each: shop.odds(each[None]), queries))
        found.append(np.concatenate(rows))
    finally:
        torch.set_num_threads(before)
    assert found[0].shape == (4, count)
    assert shop.odds(queries[:0]).shape == (0, count)
    for odds in found[1:]:
        np.testing.assert_array_equal(odds, found[0])


@pytest.mark.torch
def test_int8_of_queries_beyond_the_articles_and_of_units_that_tell_nothing():
    """A query's part that no article reaches, on either side, costs no precision."""
    needs("int8")
    net = matcher(length=16, first=64, second=32)
    net.shop[:, 3] = 0
    net.hidden[:, 5] = 0
    articles = features(200, length=16)
    shop = net.shop_parts(articles)
    asked = net.street_parts(features(3, length=16, seed=3))
    asked[0, :10] = 40 * np.abs(shop).max()
    asked[1, :10] = -40 * np.abs(shop).max()
    odds = np.stack([net.odds(each, shop) for each in asked])
    found = Assortment(net, shop, precision="int8").odds(asked)
    spread = odds.std(1, keepdims=True) + 1e-3
    assert (np.abs(found - odds) / spread).max() < 0.2


# --- the network that is trained ------------------------------------------------------------


def trained_like(dimension=5, hidden=6):
    """A network whose batch norm has seen something, as training leaves it."""
    torch = pytest.importorskip("torch")
    from snapshelf.matching.studio_matcher import StudioMatcher

    torch.manual_seed(0)
    network = StudioMatcher(dimension, hidden)
    with torch.no_grad():
        network.norm.weight.uniform_(0.5, 2)
        network.norm.bias.normal_()
        network.norm.running_mean.normal_()
        network.norm.running_var.uniform_(0.2, 3)
    return network.eval()


@pytest.mark.torch
def test_the_network_is_norm_and_layers_over_the_pair():
    network = trained_like()
    import torch

    queries, articles = features(3), features(12, seed=4).reshape(3, 4, 5)
    with torch.no_grad():
        found = network(torch.from_numpy(queries), torch.from_numpy(articles))
    values = {name: value.double().numpy() for name, value in network.state_dict().items()}
    layers = [
        (values[f"{name}.weight"].T, values[f"{name}.bias"], name == "output")
        for name in ("first", "second", "output")
    ]
    assert found.shape == (3, 4)
    for b in range(3):
        for m in range(4):
            pair = np.array([*queries[b], *articles[b, m]], float)
            spread = np.sqrt(values["norm.running_var"] + network.norm.eps)
            pair = (pair - values["norm.running_mean"]) / spread
            pair = pair * values["norm.weight"] + values["norm.bias"]
            assert float(found[b, m]) == pytest.approx(slow(layers, pair), rel=1e-4, abs=1e-5)


@pytest.mark.torch
def test_folding_changes_nothing():
    network = trained_like(dimension=128, hidden=256)
    import torch

    queries, articles = features(2, length=128), features(50, length=128, seed=4)
    with torch.no_grad():
        expected = network(
            torch.from_numpy(queries), torch.from_numpy(articles).expand(2, -1, -1)
        ).sigmoid()
    net = network.fold()
    odds = assortment(net, articles).odds(net.street_parts(queries))
    np.testing.assert_allclose(probabilities_of(odds), expected.numpy(), atol=1e-5)


@pytest.mark.torch
def test_the_published_size():
    network = trained_like(dimension=128, hidden=256)
    sizes = {
        name: sum(each.numel() for each in layer.parameters())
        for name, layer in network.named_children()
    }
    assert sizes == {"norm": 512, "first": 65792, "second": 65792, "output": 257}


@pytest.mark.torch
def test_inputs_of_other_shapes():
    network = trained_like()
    import torch

    with pytest.raises(ValueError, match=r"queries must be \(B, 5\) and articles \(B, M, 5\)"):
        network(torch.zeros(2, 5), torch.zeros(3, 4, 5))
    with pytest.raises(ValueError, match=r"got \(2, 4\) and \(2, 4, 5\)"):
        network(torch.zeros(2, 4), torch.zeros(2, 4, 5))
    with pytest.raises(ValueError, match=r"got \(2, 5\) and \(2, 5\)"):
        network(torch.zeros(2, 5), torch.zeros(2, 5))
    with pytest.raises(ValueError, match="dimension and hidden must be at least 1, got 5 and 0"):
        type(network)(5, 0)
