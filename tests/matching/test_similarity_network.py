"""AsymNet's similarity network: the tree against loops, its learning against numbers, serving."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.matching import similarity_gallery as gallery_module  # noqa: E402
from snapshelf.matching.expert_fusion import (  # noqa: E402
    fused_odds,
    leaf_shares,
    log_gates,
    node_features,
)
from snapshelf.matching.folded_similarity import FoldedSimilarity  # noqa: E402
from snapshelf.matching.fusion_posteriors import fusion_gradients, fusion_posteriors  # noqa: E402
from snapshelf.matching.fusion_tree import FusionTree  # noqa: E402
from snapshelf.matching.similarity_folder import (  # noqa: E402
    SIMILARITY_FILE,
    load_similarity,
    save_similarity,
)
from snapshelf.matching.similarity_gallery import SimilarityGallery  # noqa: E402
from snapshelf.matching.similarity_network import SimilarityNetwork  # noqa: E402
from snapshelf.tensor_file import write_tensors  # noqa: E402

PUBLISHED = ("2-2-2-2-2", "32", "4-8", "2-4-4", "2-2-2-4", "8-4", "4-4-2", "4-2-2-2")
"""The shapes of Fig. 4."""

SHAPES = ("2-2-2", "6", "3-2", "2-3", "2-2-3")


# --- the shape ------------------------------------------------------------------------------


def test_the_published_shapes():
    default = FusionTree()
    assert str(default) == "2-2-2-2-2"
    assert default.sizes == (32, 16, 8, 4, 2)
    assert default.nodes == 62
    for text in PUBLISHED:
        tree = FusionTree.from_text(text)
        assert tree.leaves == 32
        assert str(tree) == text
        assert tree.nodes == sum(tree.sizes)
    assert FusionTree.from_text("32").sizes == (32,)
    assert FusionTree.from_text("2-4-4").sizes == (32, 16, 4)


@pytest.mark.parametrize(
    "text", ["", "2--2", "2-1", "0", "-2-2", " 2", "1_0", "a", "²", "99999", "4096-2", "2-2-"]
)
def test_shapes_that_are_none(text):
    with pytest.raises(ValueError, match=r"a tree must be whole numbers|branches must be at least"):
        FusionTree.from_text(text)


# --- slow references ------------------------------------------------------------------------


class Node:
    """A fusion node with its children, as Fig. 1 draws it; a leaf has a step."""

    def __init__(self, row, children=(), step=None):
        self.row, self.children, self.step = row, children, step
        self.steps = [step] if step is not None else [s for c in children for s in c.steps]


def grow(tree):
    """The nodes under the root; their rows count level by level, as the weights do."""
    row = iter(range(10_000))
    level = [Node(next(row), step=step) for step in range(tree.leaves)]
    for branch in tree.branches[:-1]:
        level = [Node(next(row), level[n : n + branch]) for n in range(0, len(level), branch)]
    return level


def slow_gates(nodes, hidden, weights):
    """Eq. 3 and 4 among siblings."""
    powers = []
    for node in nodes:
        x = np.mean([hidden[step] for step in node.steps], axis=0)
        powers.append(math.exp(sum(v * each for v, each in zip(weights[node.row], x, strict=True))))
    return [power / sum(powers) for power in powers]


def slow_similarity(nodes, hidden, weights, leaf):
    """Eq. 6 from the top: the sum of g P over the nodes, P of a leaf as given."""
    total = 0.0
    for gate, node in zip(slow_gates(nodes, hidden, weights), nodes, strict=True):
        own = (
            leaf(node.step)
            if node.step is not None
            else slow_similarity(node.children, hidden, weights, leaf)
        )
        total += gate * own
    return total


def logistic(z):
    return 1 / (1 + math.exp(-z))


def drawn(tree, width=4, pairs=3, seed=0, spread=1.0):
    """(hidden, odds, weights, right) in float64 for some pairs."""
    rng = np.random.default_rng(seed)
    return (
        rng.exponential(size=(pairs, tree.leaves, width)),
        3 * rng.normal(size=(pairs, tree.leaves)),
        spread * rng.normal(size=(tree.nodes, width)),
        np.arange(pairs) % 2 == 0,
    )


def tensors(*arrays):
    return tuple(torch.from_numpy(np.asarray(each)) for each in arrays)


# --- fusion ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", SHAPES)
def test_the_global_similarity_is_that_of_the_equations(text):
    tree = FusionTree.from_text(text)
    hidden, odds, weights, _ = drawn(tree)
    x, z, v = tensors(hidden, odds, weights)
    gates = log_gates(node_features(x, tree), v, tree)
    found = fused_odds(z, gates, tree).sigmoid().numpy()
    nodes = grow(tree)
    for pair, value in enumerate(found):
        expected = slow_similarity(
            nodes, hidden[pair], weights, lambda step, pair=pair: logistic(odds[pair, step])
        )
        assert value == pytest.approx(expected, rel=1e-10)
    shares = leaf_shares(gates, tree).numpy()
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose((shares / (1 + np.exp(-odds))).sum(1), found, rtol=1e-10)


def test_without_weights_it_is_the_mean_of_all_steps():
    tree = FusionTree.from_text("4-2-2-2")
    hidden, odds, weights, _ = drawn(tree)
    x, z, v = tensors(hidden, odds, 0 * weights)
    gates = log_gates(node_features(x, tree), v, tree)
    found = fused_odds(z, gates, tree).sigmoid().numpy()
    np.testing.assert_allclose(found, (1 / (1 + np.exp(-odds))).mean(1), rtol=1e-12)
    np.testing.assert_allclose(leaf_shares(gates, tree), 1 / 32, rtol=1e-12)


def test_log_odds_stay_exact_where_probabilities_do_not():
    tree = FusionTree.from_text("2-2")
    gates = [torch.full((n,), math.log(0.5), dtype=torch.float64) for n in tree.sizes]
    sure = torch.tensor([[800.0] * 4, [-800.0] * 4, [0.0, 800, 800, 800]], dtype=torch.float64)
    found = fused_odds(sure, [gate.expand(3, -1) for gate in gates], tree)
    assert found[:2].tolist() == pytest.approx([800, -800])
    assert float(found[2]) == pytest.approx(math.log(0.875 / 0.125))


def test_what_does_not_fit_a_tree():
    tree = FusionTree.from_text("2-3")
    with pytest.raises(ValueError, match=r"hidden must be \(..., 6, K\) for the tree 2-3"):
        node_features(torch.zeros(2, 5, 4), tree)
    inputs = node_features(torch.zeros(2, 6, 4), tree)
    with pytest.raises(ValueError, match=r"weights must be \(9, 4\) for the tree 2-3"):
        log_gates(inputs, torch.zeros(8, 4), tree)
    gates = log_gates(inputs, torch.zeros(9, 4), tree)
    for wrong in (torch.zeros(2), torch.zeros(3, dtype=torch.bool)):
        with pytest.raises(ValueError, match=r"right must be bool of shape \(2,\)"):
            fusion_posteriors(torch.zeros(2, 6), gates, wrong, tree)


# --- learning of the fusion nodes -----------------------------------------------------------


@pytest.mark.parametrize("text", SHAPES)
def test_posteriors_are_those_of_bayes_rule(text):
    tree = FusionTree.from_text(text)
    hidden, odds, weights, right = drawn(tree)
    x, z, v, truth = tensors(hidden, odds, weights, right)
    gates = log_gates(node_features(x, tree), v, tree)
    found, likelihood = fusion_posteriors(z, gates, truth, tree)
    rows = torch.cat(found, dim=1).numpy()
    for pair in range(len(rows)):

        def likely(step, pair=pair):
            y = logistic(odds[pair, step])
            return y if right[pair] else 1 - y

        def visit(nodes, pair=pair, likely=likely):
            gate = slow_gates(nodes, hidden[pair], weights)
            each = [
                likely(n.step)
                if n.step is not None
                else slow_similarity(n.children, hidden[pair], weights, likely)
                for n in nodes
            ]
            total = sum(g * p for g, p in zip(gate, each, strict=True))
            for node, g, p in zip(nodes, gate, each, strict=True):
                assert rows[pair, node.row] == pytest.approx(g * p / total, rel=1e-9)
                if node.children:
                    visit(node.children)
            return total

        assert math.exp(float(likelihood[pair])) == pytest.approx(visit(grow(tree)), rel=1e-9)


@pytest.mark.parametrize("text", SHAPES)
def test_the_update_is_the_gradient_of_the_likelihood(text):
    tree = FusionTree.from_text(text)
    hidden, odds, weights, right = drawn(tree, seed=3)
    x, z, v, truth = tensors(hidden, odds, weights, right)
    v.requires_grad_(True)
    inputs = node_features(x, tree)
    gates = log_gates(inputs, v, tree)
    nodes, likelihood = fusion_posteriors(z, gates, truth, tree)
    by_posteriors = fusion_gradients(inputs, gates, nodes, tree).detach().numpy()
    likelihood.sum().backward()
    np.testing.assert_allclose(by_posteriors, v.grad.numpy(), atol=1e-10)
    assert np.abs(by_posteriors).max() > 1e-3
    # By differences of Eq. 9 as it is printed, for some of the weights.
    grown = grow(tree)

    def log_likelihood(given):
        total = 0.0
        for pair in range(len(odds)):
            y = slow_similarity(
                grown, hidden[pair], given, lambda step, pair=pair: logistic(odds[pair, step])
            )
            total += math.log(y if right[pair] else 1 - y)
        return total

    for place in [(0, 0), (tree.leaves - 1, 2), (tree.nodes - 1, 3)]:
        up, down = weights.copy(), weights.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        slope = (log_likelihood(up) - log_likelihood(down)) / 2e-5
        assert by_posteriors[place] == pytest.approx(slope, abs=1e-6)


def test_the_likelihood_is_cross_entropy_of_the_fused_odds():
    tree = FusionTree.from_text("2-2-2")
    x, z, v, truth = tensors(*drawn(tree))
    gates = log_gates(node_features(x, tree), v, tree)
    found = fusion_posteriors(z, gates, truth, tree).likelihood
    expected = -torch.nn.functional.binary_cross_entropy_with_logits(
        fused_odds(z, gates, tree), truth.double(), reduction="none"
    )
    torch.testing.assert_close(found, expected)


def test_fusion_nodes_learn_to_look_at_the_steps_that_tell():
    """Steps of two kinds: those marked in their first number are right, the others guess."""
    tree = FusionTree.from_text("2-2-2")
    rng = np.random.default_rng(0)
    right = np.arange(400) % 2 == 0
    marked = rng.random((400, tree.leaves)) < 0.4
    odds = np.where(marked, np.where(right, 3, -3)[:, None], 4 * rng.normal(size=marked.shape))
    hidden = np.stack([marked, ~marked, np.ones_like(marked)], axis=2).astype(float)
    x, z, truth = tensors(hidden, odds, right)
    inputs = node_features(x, tree)
    weights = torch.zeros(tree.nodes, 3, dtype=torch.float64)
    seen = []
    for _ in range(60):
        gates = log_gates(inputs, weights, tree)
        nodes, likelihood = fusion_posteriors(z, gates, truth, tree)
        seen.append(float(likelihood.mean()))
        weights = weights + 4.0 * fusion_gradients(inputs, gates, nodes, tree) / len(right)
    assert all(after > before for before, after in pairwise(seen))
    assert seen[-1] > 0.6 * seen[0]
    shares = leaf_shares(log_gates(inputs, weights, tree), tree).numpy()
    assert shares[marked].mean() > 4 * shares[~marked].mean()


# --- the network ----------------------------------------------------------------------------


def network(text="2-2-2", states=5, features=4, hidden=6, seed=0):
    torch.manual_seed(seed)
    made = SimilarityNetwork(states, features, hidden=hidden, tree=FusionTree.from_text(text))
    with torch.no_grad():
        made.gates.normal_()
    return made


def slow_pair(net, states, picture):
    """Log-odds of one trajectory and one picture, from both in one vector and the equations."""
    first = net.first.weight.detach().double().numpy()
    bias = net.first.bias.detach().double().numpy()
    second = net.second.weight.detach().double().numpy()[0]
    offset = net.second.bias.item()
    hidden = [np.maximum(first @ np.concatenate([state, picture]) + bias, 0) for state in states]
    similarity = slow_similarity(
        grow(net.tree),
        hidden,
        net.gates.detach().double().numpy(),
        lambda step: logistic(float(second @ hidden[step]) + offset),
    )
    return math.log(similarity / (1 - similarity))


def clips(net, many, seed=1, length=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(many, net.tree.leaves, length)).astype(np.float32)


def pictures(*shape, seed=2):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("text", SHAPES)
def test_a_pair_is_matched_as_published(text):
    net = network(text)
    states, shown = clips(net, 2), pictures(2, 3, 4)
    with torch.no_grad():
        found = net(*tensors(states, shown)).numpy()
    assert found.shape == (2, 3)
    expected = [
        [slow_pair(net, own, each) for each in row] for own, row in zip(states, shown, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_published_sizes_and_a_start_with_the_mean():
    net = SimilarityNetwork(7, 9)
    assert net.first.weight.shape == (256, 16)
    assert net.second.weight.shape == (1, 256)
    assert net.gates.shape == (62, 256)
    assert not net.gates.any()
    assert len(net.single_parameters()) == 4
    states, shown = tensors(clips(net, 1, length=7), pictures(1, 2, 9))
    leaves = net.leaves(states, shown)
    assert leaves.hidden.shape == (1, 2, 32, 256)
    torch.testing.assert_close(
        net.fuse(leaves).sigmoid(), leaves.odds.sigmoid().mean(2), atol=1e-6, rtol=1e-5
    )


def test_all_of_it_learns_by_back_propagation():
    net = network()
    states, shown = tensors(clips(net, 2), pictures(2, 3, 4))
    states.requires_grad_(True)
    net(states, shown).sum().backward()
    assert all(each.grad.any() for each in [*net.parameters(), states])


@pytest.mark.parametrize(
    "shapes",
    [((2, 7, 5), (2, 3, 4)), ((2, 8, 4), (2, 3, 4)), ((2, 8, 5), (3, 3, 4)), ((2, 8, 5), (2, 4))],
)
def test_shapes_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match=r"states must be \(B, 8, 5\) and features \(B, M, 4\)"):
        network()(*(torch.zeros(shape) for shape in shapes))


def test_numbers_out_of_range():
    for given in ((0, 4), (5, 0)):
        with pytest.raises(ValueError, match="must be at least 1"):
            SimilarityNetwork(*given)


# --- serving --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", SHAPES)
@pytest.mark.parametrize("block", [1, 3, 1024])
def test_a_gallery_gives_what_the_equations_give(monkeypatch, text, block):
    monkeypatch.setattr(gallery_module, "BLOCK", block)
    net = network(text)
    states, shown = clips(net, 2), pictures(7, 4)
    gallery = SimilarityGallery(net.fold(), shown)
    assert len(gallery) == 7
    expected = np.array([[slow_pair(net, own, each) for each in shown] for own in states])
    found = gallery.odds(states)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)
    for own, row, best in zip(states, expected, gallery.best(states, 3), strict=True):
        order = np.argsort(-row)[:3]
        assert best.rows.tolist() == order.tolist()
        np.testing.assert_allclose(best.probabilities, 1 / (1 + np.exp(-row[order])), atol=1e-5)
        np.testing.assert_allclose(gallery.match(own, order), best.probabilities, atol=1e-6)


@pytest.mark.parametrize("text", PUBLISHED)
def test_a_gallery_gives_what_the_network_gives(text):
    net = network(text, hidden=16)
    states, shown = clips(net, 2), pictures(600, 4)
    with torch.no_grad():
        expected = net(*tensors(states, np.stack([shown, shown]))).numpy()
    found = SimilarityGallery(net.fold(), shown).odds(states)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(expected) > 0.1


def test_similarities_all_but_0_or_1_are_still_told_apart():
    net = network(hidden=4)
    with torch.no_grad():
        net.second.bias.fill_(25)
    states, shown = clips(net, 1), pictures(50, 4)
    with torch.no_grad():
        expected = net(*tensors(states, shown[None])).numpy()[0]
    found = SimilarityGallery(net.fold(), shown).odds(states)[0]
    assert expected.min() > 20  # in float32 the similarity itself is 1 from 17 on
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert len(set(found.tolist())) == 50
    with torch.no_grad():
        net.second.weight.mul_(1000)
    assert np.isfinite(SimilarityGallery(net.fold(), shown).odds(states)).all()


@pytest.mark.parametrize("many", [3, 11, 64, 700])
def test_equal_pictures_are_equally_similar(many):
    net = network()
    shown = np.repeat(pictures(2, 4), many, axis=0)
    gallery = SimilarityGallery(net.fold(), shown)
    (states,) = clips(net, 1)
    for odds in (gallery.odds(states[None])[0], gallery.match(states, np.arange(2 * many))):
        assert len(set(odds[:many].tolist())) == len(set(odds[many:].tolist())) == 1


def test_equal_pictures_stay_in_their_order_and_an_empty_gallery():
    net = network()
    shown = np.repeat(pictures(2, 4), 5, axis=0)
    (found,) = SimilarityGallery(net.fold(), shown).best(clips(net, 1), 7)
    first = found.rows[0] // 5
    assert found.rows.tolist() == [5 * first + n for n in range(5)] + [
        5 * (1 - first),
        5 * (1 - first) + 1,
    ]
    empty = SimilarityGallery(net.fold(), shown[:0])
    assert empty.odds(clips(net, 2)).shape == (2, 0)
    assert empty.best(clips(net, 1), 5)[0].rows.shape == (0,)
    assert SimilarityGallery(net.fold(), shown).odds(clips(net, 0)).shape == (0, 10)


@pytest.fixture
def set_threads():
    """Sets torch's number of threads, for the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("many", [0, 1, 63, 64, 65, 200])
def test_any_number_of_threads_finds_the_same_to_the_bit(monkeypatch, set_threads, many):
    monkeypatch.setattr(gallery_module, "BLOCK", 64)
    net = network("2-2-2-2-2", states=64, features=32, hidden=256)
    states = clips(net, 2, length=64)
    states.flags.writeable = False
    gallery = SimilarityGallery(net.fold(), pictures(many, 32))
    rows = np.arange(many)[::-1].copy()
    found = []
    for threads in (1, 2, 3):
        set_threads(threads)
        found.append((gallery.odds(states), gallery.match(states[1], rows)))
    assert found[0][0].shape == (2, many)
    for odds, matched in found[1:]:
        assert odds.tobytes() == found[0][0].tobytes()
        assert matched.tobytes() == found[0][1].tobytes()
    if many:
        expected = net(*tensors(states.copy(), np.stack([pictures(many, 32)] * 2)))
        np.testing.assert_allclose(found[0][0], expected.detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("threads", [1, 2])
def test_several_searches_at_once(monkeypatch, set_threads, threads):
    monkeypatch.setattr(gallery_module, "BLOCK", 64)
    net = network()
    gallery = SimilarityGallery(net.fold(), pictures(500, 4))
    queries = clips(net, 6)
    set_threads(threads)
    alone = [gallery.odds(each[None]) for each in queries]
    with ThreadPoolExecutor(len(queries)) as pool:
        for _ in range(5):
            beside = list(pool.map(lambda each: gallery.odds(each[None]), queries))
            for one, other in zip(alone, beside, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_within_a_block_is_raised(monkeypatch, set_threads, threads):
    monkeypatch.setattr(gallery_module, "BLOCK", 64)
    net = network()
    gallery = SimilarityGallery(net.fold(), pictures(300, 4))
    expected = gallery.odds(clips(net, 1))
    set_threads(threads)
    with monkeypatch.context() as patch:

        def fail(self, products):
            raise MemoryError(f"no room for {products.shape[2]} pictures")

        patch.setattr(SimilarityGallery, "_fused", fail)
        with pytest.raises(MemoryError, match=r"no room for 64 pictures"):
            gallery.odds(clips(net, 1))
    np.testing.assert_array_equal(gallery.odds(clips(net, 1)), expected)


def test_what_a_gallery_refuses():
    folded = network().fold()
    broken = pictures(3, 4)
    broken[1, 1] = np.nan
    with pytest.raises(ValueError, match="features must be finite"):
        SimilarityGallery(folded, broken)
    with pytest.raises(ValueError, match=r"features must be \(N, 4\), got \(3, 5\)"):
        SimilarityGallery(folded, pictures(3, 5))
    gallery = SimilarityGallery(folded, pictures(3, 4))
    with pytest.raises(ValueError, match=r"states must be of shape \(8, 5\)"):
        gallery.odds(np.zeros((1, 7, 5), np.float32))
    with pytest.raises(ValueError, match="states must be finite"):
        gallery.best(np.full((1, 8, 5), np.inf, np.float32), 1)
    with pytest.raises(ValueError, match="count must be at least 1"):
        gallery.best(np.zeros((1, 8, 5), np.float32), 0)


def test_folded_weights_are_written_and_read():
    folded = network("2-3").fold()
    again = FoldedSimilarity.from_tensors(folded.tensors())
    assert again.fingerprint == folded.fingerprint != network("3-2").fold().fingerprint
    assert again.tree == FusionTree((2, 3))
    tensors = folded.tensors()
    for name, wrong, message in (
        ("gates", tensors["gates"][:-1], r"gates \(9, K\) for the tree 2-3"),
        ("street", tensors["street"][:, :-1], r"street must be \(H, K\)"),
        ("shop", tensors["shop"][:0], r"street must be \(H, K\)"),
        ("offset", np.float32([np.nan]), "must be finite"),
        ("branches", np.float32([2.5]), "branches must be whole numbers"),
        ("branches", np.float32([[2]]), "branches must be whole numbers"),
        ("branches", np.float32([2, 0]), "branches must be at least one number"),
    ):
        with pytest.raises(ValueError, match=message):
            FoldedSimilarity.from_tensors(tensors | {name: wrong})


def test_the_file(tmp_path):
    folded = network("2-3").fold()
    with pytest.raises(ModelError, match="cannot be read"):
        load_similarity(tmp_path)
    save_similarity(tmp_path, folded)
    assert load_similarity(tmp_path).fingerprint == folded.fingerprint
    write_tensors(tmp_path / SIMILARITY_FILE, folded.tensors() | {"branches": np.float32([3])})
    with pytest.raises(ModelError, match=r"is no similarity network: .* for the tree 3"):
        load_similarity(tmp_path)
    whole = (tmp_path / SIMILARITY_FILE).read_bytes()
    (tmp_path / SIMILARITY_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        load_similarity(tmp_path)
