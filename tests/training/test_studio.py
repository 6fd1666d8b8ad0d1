"""Studio2Shop: its batches, one step against loops, and a small training gone on with."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from PIL import Image  # noqa: E402

from snapshelf.datasets.training_item import TrainingItem  # noqa: E402
from snapshelf.features.backbones import create_backbone  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.query_network import QueryNetwork  # noqa: E402
from snapshelf.matching.assortment import Assortment  # noqa: E402
from snapshelf.matching.odds import probabilities_of  # noqa: E402
from snapshelf.matching.studio_matcher import StudioMatcher  # noqa: E402
from snapshelf.training.article_draws import ArticleDraws  # noqa: E402
from snapshelf.training.batches import ViewLoader  # noqa: E402
from snapshelf.training.fit import FitSettings, fit  # noqa: E402
from snapshelf.training.match_batches import MatchBatch, MatchLoader, PhotoSampler  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.photo_queries import PhotoQuery, photo_queries  # noqa: E402
from snapshelf.training.preparation import make_views, stored_pictures  # noqa: E402
from snapshelf.training.studio_module import StudioModule  # noqa: E402
from snapshelf.training.studio_settings import StudioSettings  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

SPEC = Preprocessing(size=(48, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))

TINY = StudioSettings(
    backbone="test_resnet",
    weights="random",
    size=(48, 32),
    hidden=16,
    dropout=0.0,
    matcher_hidden=16,
    compared=4,
    epochs=3,
    batch=4,
    learning_rate=3e-3,
    head_rate=1.0,
    num_workers=0,
    start="random",
)

LEARNING = dataclasses.replace(
    TINY,
    epochs=8,
    photos_per_epoch=64,
    batch=8,
    hidden=64,
    matcher_hidden=32,
    learning_rate=1e-3,
    head_rate=10.0,
)

ARTICLES = 6

OFFSET = -1.5


class Looks:
    """Photos of two articles each, one above the other; an article is a colour."""

    name = "looks"

    def __init__(self, folder):
        folder.mkdir()
        rng = np.random.default_rng(0)
        colours = rng.integers(0, 256, (ARTICLES, 3))
        photos = [[] for _ in range(ARTICLES)]
        for first in range(ARTICLES):
            for second in range(first + 1, ARTICLES):
                path = folder / f"{first}-{second}.png"
                picture = rng.integers(0, 40, (48, 32, 3))
                picture[4:22] = colours[first]
                picture[26:44] = colours[second]
                Image.fromarray(picture.astype(np.uint8)).save(path)
                photos[first].append(path)
                photos[second].append(path)
        self._items = []
        for number, own in enumerate(photos):
            shop = folder / f"{number}.png"
            Image.new("RGB", (20, 20), tuple(map(int, colours[number]))).save(shop)
            self._items.append(TrainingItem(f"a{number}", tuple(own), (shop,)))

    def training_items(self):
        return self._items


def features(length=5):
    rows = np.random.default_rng(4).normal(size=(ARTICLES, length)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Heard(Monitor):
    def __init__(self, stop_after=None):
        self.epochs, self.batches, self.stop_after = [], 0, stop_after

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def epoch(self, figures):
        self.epochs.append(figures)

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after


def make_loader(folder, settings, most_right=None):
    training_set = TrainingSet.collect([Looks(folder / "looks")], mattes=False)
    queries = photo_queries(training_set)
    assert len(queries) == 15
    assert all(len(query.articles) == 2 for query in queries)
    store = stored_pictures(training_set, settings, folder / "pictures", Monitor())
    views = make_views(training_set, store, SPEC, None, seed=0)
    draws = ArticleDraws(
        [query.articles for query in queries],
        range(ARTICLES),
        articles=settings.compared,
        most_right=most_right,
        seed=settings.seed,
    )
    sampler = PhotoSampler(queries, count=settings.photos_per_epoch, seed=settings.seed)
    photos = ViewLoader(sampler, views, batch=settings.batch, workers=settings.num_workers)
    return MatchLoader(photos, draws), queries


def make_module(settings, steps=1):
    torch.manual_seed(0)
    network = QueryNetwork(
        create_backbone("test_resnet", {}),
        size=(48, 32),
        hidden=settings.hidden,
        dropout=settings.dropout,
        dimension=5,
    )
    is_linear = settings.matching == "linear"
    matcher = None if is_linear else StudioMatcher(5, settings.matcher_hidden)
    return StudioModule(
        network, matcher, features(), SPEC, settings, steps_per_epoch=steps, offset=OFFSET
    )


# --- batches --------------------------------------------------------------------------------


def test_photos_once_an_epoch_and_in_another_order_the_next():
    queries = [PhotoQuery(10 + n, (n,)) for n in range(7)]
    sampler = PhotoSampler(queries, count=16, seed=1)
    drawn = [group.item for group in sampler.draw(0, range(16))]
    assert sorted(drawn[:7]) == sorted(drawn[7:14]) == list(range(7))
    assert drawn[:7] != drawn[7:14]
    assert drawn != [group.item for group in sampler.draw(1, range(16))]
    assert drawn[5:9] == [group.item for group in sampler.draw(0, range(5, 9))]
    (group,) = sampler.draw(0, [3])
    assert group.views[0].picture == 10 + group.item
    assert len(PhotoSampler(queries)) == 7


def test_batches_hold_photos_and_all_their_articles_and_go_on_in_mid_epoch(tmp_path):
    settings = dataclasses.replace(TINY, photos_per_epoch=12)
    loader, queries = make_loader(tmp_path, settings)
    loader.set_epoch(2)
    batches = list(loader)
    assert len(batches) == len(loader) == 3
    for batch in batches:
        assert batch.pictures.shape == (4, 3, 48, 32)
        assert batch.pictures.dtype == torch.uint8
        assert batch.articles.shape == batch.right.shape == (4, 4)
        assert batch.right.sum(1).tolist() == [2] * 4
        for picture, rows, right in zip(*batch, strict=True):
            shown = tuple(sorted(rows[right].tolist()))
            assert shown in [query.articles for query in queries]
            name = "-".join(map(str, shown))
            photo = np.array(Image.open(tmp_path / "looks" / f"{name}.png"))
            np.testing.assert_array_equal(picture.permute(1, 2, 0), photo)
    assert not torch.equal(batches[0].articles, batches[1].articles)
    loader.set_epoch(2)
    iterator = iter(loader)
    next(iterator)
    state = loader.state_dict()
    loader.load_state_dict(state)
    rest = list(loader)
    for found, expected in zip(rest, batches[1:], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    loader.close()


# --- one step -------------------------------------------------------------------------------


def slow_odds(module, pictures, rows):
    """Photo by photo and article by article; the norm with the statistics of the batch."""
    scaled = (pictures.numpy() / 255 - np.reshape(SPEC.mean, (3, 1, 1))) / np.reshape(
        SPEC.std, (3, 1, 1)
    )
    with torch.no_grad():
        own = module.network(torch.from_numpy(scaled).float()).double().numpy()
    table = features().astype(float)
    if module.matcher is None:
        dots = np.array([[own[b] @ table[row] for row in rows[b]] for b in range(len(own))])
        # Where articles are ranked, what all have in common makes no difference.
        return dots if module.settings.loss == "ranking" else dots + OFFSET
    pairs = np.array(
        [np.concatenate([own[b], table[row]]) for b in range(len(own)) for row in rows[b]]
    )
    matcher = module.matcher
    pairs = (pairs - pairs.mean(0)) / np.sqrt(pairs.var(0) + matcher.norm.eps)
    for layer in (matcher.first, matcher.second, matcher.output):
        weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
        pairs = pairs @ weight.T + bias
        if layer is not matcher.output:
            pairs = np.maximum(pairs, 0)
    return pairs.reshape(len(own), -1)


@pytest.mark.parametrize("matching", ["non-linear", "linear"])
@pytest.mark.parametrize("loss", ["cross-entropy", "ranking"])
def test_a_step_is_the_published_loss(matching, loss):
    module = make_module(dataclasses.replace(TINY, matching=matching, loss=loss))
    logged = {}
    module.log_dict = lambda values, **kwargs: logged.update(values)
    rng = np.random.default_rng(5)
    pictures = torch.from_numpy(rng.integers(0, 256, (3, 3, 48, 32), np.uint8))
    rows = torch.tensor([[0, 3, 5], [1, 2, 4], [5, 1, 0]])
    right = torch.tensor(
        [[True, False, False], [False, False, True], [True, loss[0] == "c", False]]
    )
    odds = slow_odds(module, pictures, rows.numpy())
    total = 0.0
    for row, truth in zip(odds, right.numpy(), strict=True):
        if loss == "ranking":
            total += (1 / (1 + np.exp(row[truth] - row[~truth]))).sum()
        else:
            p = 1 / (1 + np.exp(-row))
            total -= np.log(np.where(truth, p, 1 - p)).sum()
    value = module.training_step(MatchBatch(pictures, rows, right), 0)
    assert value.item() == pytest.approx(total / 3, rel=1e-4)
    first = right.numpy()[np.arange(3), odds.argmax(1)].mean()
    assert float(logged["first"]) == pytest.approx(first)
    value.backward()
    assert module.offset is None or module.offset.grad is not None
    learned = [*module.network.parameters(), *(module.matcher or module.network).parameters()]
    assert all(each.grad is not None for each in learned)
    assert not module.features.requires_grad
    assert "features" not in module.state_dict()


@pytest.mark.parametrize("start", ["articles", "random"])
@pytest.mark.parametrize("matching", ["linear", "non-linear"])
def test_what_starts_at_random_learns_faster(start, matching):
    settings = dataclasses.replace(
        TINY, start=start, matching=matching, learning_rate=1e-3, head_rate=7.0
    )
    module = make_module(settings)
    made = module.configure_optimizers()
    optimizer = made["optimizer"] if isinstance(made, dict) else made
    rates = {
        parameter: group["initial_lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert rates.keys() == set(module.parameters())
    first, second, last = (
        layer for layer in module.network.layers if isinstance(layer, torch.nn.Linear)
    )
    dense = 1e-3 if start == "articles" else 7e-3
    for part, rate in [
        (module.network.backbone, 1e-3),
        (first, dense),
        (second, dense),
        (last, 7e-3),
        *([] if module.matcher is None else [(module.matcher, 7e-3)]),
    ]:
        assert [rates[each] for each in part.parameters()] == pytest.approx(
            [rate] * len(list(part.parameters()))
        )


def test_features_that_do_not_fit():
    network = make_module(TINY).network
    for wrong, message in (
        (features(6), r"features must be \(N, 5\), .* got \(6, 6\)"),
        (np.full((6, 5), np.nan, np.float32), "features must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            StudioModule(network, None, wrong, SPEC, TINY, steps_per_epoch=1)


# --- a training -----------------------------------------------------------------------------


def train(folder, settings, *, most_right=None, monitor=None, again=False):
    if not again:
        folder.mkdir()
        (folder / "out").mkdir()
    data = folder / ("again" if again else "first")
    data.mkdir()
    loader, _ = make_loader(data, settings, most_right)
    module = make_module(settings, len(loader))
    fit(
        module,
        loader,
        folder / "out",
        FitSettings(epochs=settings.epochs, seed=settings.seed),
        pictures_per_batch=settings.batch,
        monitor=monitor or Monitor(),
    )
    return module.eval()


def test_photos_find_their_articles_and_a_cut_off_training_goes_on(tmp_path):
    settings = dataclasses.replace(LEARNING, epochs=10)
    heard = Heard()
    whole = train(tmp_path / "whole", settings, monitor=heard)
    assert heard.epochs[-1].losses["loss"] < 0.6 * heard.epochs[0].losses["loss"]
    assert heard.epochs[-1].losses["first"] > 0.8
    assert whole.matcher.norm.num_batches_tracked == 10 * 8
    with pytest.raises(TrainingStopped):
        train(tmp_path / "cut", settings, monitor=Heard(stop_after=21))
    again = train(tmp_path / "cut", settings, again=True)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    # What serves it gives the same probabilities.
    matcher = whole.matcher.fold()
    shop = Assortment(matcher, matcher.shop_parts(features()), precision="float32")
    pictures = torch.from_numpy(
        np.array(Image.open(tmp_path / "whole" / "first" / "looks" / "1-4.png")).transpose(2, 0, 1)
    )[None]
    with torch.no_grad():
        odds = whole.odds(pictures, torch.arange(ARTICLES)[None])
        query = whole.network(whole.normalise(pictures)).numpy()
    np.testing.assert_allclose(
        probabilities_of(shop.odds(matcher.street_parts(query))), odds.double().sigmoid(), atol=1e-5
    )


def test_the_ranking_loss_learns_too(tmp_path):
    settings = dataclasses.replace(LEARNING, matching="linear", loss="ranking")
    heard = Heard()
    train(tmp_path / "ranked", settings, most_right=1, monitor=heard)
    assert heard.epochs[-1].losses["loss"] < 0.7 * heard.epochs[0].losses["loss"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"articles": ""}, "articles must be the name or folder of a system"),
        ({"size": (224,)}, r"size must be \(height, width\)"),
        ({"grid": (7,)}, r"grid must be none or \(rows, columns\) from 1"),
        ({"grid": (0, 4)}, r"grid must be none or \(rows, columns\) from 1"),
        ({"matching": "dot"}, "matching must be one of non-linear, linear, got 'dot'"),
        ({"loss": "triplet"}, "loss must be one of cross-entropy, ranking"),
        ({"compared": 1}, "compared must be finite and at least 2"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"warmup_epochs": 99.0}, "warmup_epochs must be in"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        StudioSettings(**change)
