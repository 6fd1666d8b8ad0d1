"""Two networks of Studio2Shop: what a photo is compared with, and one step against loops."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.features.backbones import create_backbone  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.query_network import QueryNetwork  # noqa: E402
from snapshelf.training.batches import ViewBatch  # noqa: E402
from snapshelf.training.paired_photos import (  # noqa: E402
    PairedBatch,
    PairedLoader,
    PairedSampler,
)
from snapshelf.training.photo_queries import PhotoQuery  # noqa: E402
from snapshelf.training.studio_articles import StudioArticles  # noqa: E402
from snapshelf.training.studio_settings import StudioSettings  # noqa: E402
from snapshelf.training.two_networks_module import TwoNetworksModule  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))

RIGHT = ((0, 1), (1,), (2, 3, 4), (0,), (5,), (1, 5))

ARTICLES = StudioArticles(
    items=(10, 11, 12, 13, 14, 15),
    title_pictures=(),
    photos=(),
    queries=tuple(
        PhotoQuery(100 + number, tuple(10 + row for row in rows))
        for number, rows in enumerate(RIGHT)
    ),
    right=RIGHT,
)

SAMPLER = PairedSampler(ARTICLES, [7, 8, 9, 20, 21, 22], seed=3)

SETTINGS = StudioSettings(
    architecture="two-networks", matching="linear", loss="ranking", attribute_weight=0.5
)


class Pairs:
    """The sampler's groups as batches of three, without pictures."""

    def __init__(self, epoch=0):
        self.epoch, self.done = epoch, 0

    def __len__(self):
        return 2

    def __iter__(self):
        for start in (0, 3):
            self.done += 1
            items = [g.item for g in SAMPLER.draw(self.epoch, range(start, start + 3))]
            pictures = torch.zeros(3, 2, 3, 4, 4, dtype=torch.uint8)
            yield ViewBatch(pictures, torch.tensor(items), torch.ones(3), torch.zeros(3))

    def state_dict(self):
        return {"batches": self.done}


def test_every_photo_comes_once_with_one_of_its_articles():
    drawn = [list(SAMPLER.draw(epoch, range(6))) for epoch in range(30)]
    seen = set()
    for groups in drawn:
        pairs = [SAMPLER.pair(group.item) for group in groups]
        assert sorted(photo for photo, _ in pairs) == list(range(6))
        for group, (photo, row) in zip(groups, pairs, strict=True):
            street, shop = group.views
            assert (street.picture, street.side) == (100 + photo, Domain.STREET)
            assert (shop.picture, shop.side) == ((7, 8, 9, 20, 21, 22)[row], Domain.SHOP)
            assert row in RIGHT[photo]
            seen.add((photo, row))
    assert seen == {(photo, row) for photo, rows in enumerate(RIGHT) for row in rows}
    assert list(SAMPLER.draw(4, [5, 2])) == [drawn[4][5], drawn[4][2]]


def test_a_photo_is_compared_with_its_own_and_others_that_it_does_not_show():
    for epoch in range(40):
        loader = PairedLoader(Pairs(epoch), SAMPLER, ARTICLES, compared=3, seed=3)
        groups = [SAMPLER.pair(g.item) for g in SAMPLER.draw(epoch, range(6))]
        for number, batch in enumerate(loader):
            drawn = groups[3 * number : 3 * number + 3]
            assert batch.items.tolist() == [10 + row for _, row in drawn]
            assert batch.right.tolist() == [
                [place == 0 for place in range(batch.articles.shape[1])] for _ in drawn
            ]
            for own, (photo, _) in enumerate(drawn):
                first, *others = batch.articles[own].tolist()
                assert first == own
                rows = [drawn[other][1] for other in others]
                assert len(set(rows)) == len(rows)
                assert not set(rows) & set(RIGHT[photo])
        again = PairedLoader(Pairs(epoch), SAMPLER, ARTICLES, compared=3, seed=3)
        assert [each.articles.tolist() for each in again][-1] == batch.articles.tolist()


def test_one_step_against_loops():
    torch.manual_seed(0)
    sides = [
        QueryNetwork(create_backbone("test_resnet", {}), size=(32, 32), hidden=8, dropout=0.0,
                     dimension=4)
        for _ in range(2)
    ]  # fmt: skip
    labels = np.full((16, 2), -1, np.int64)
    labels[10:16, 0] = [0, 1, 2, 0, -1, 1]
    labels[10:16, 1] = [1, -1, 0, 0, -1, 1]
    module = TwoNetworksModule(
        *sides, labels=labels, classes=(3, 2), preprocessing=SPEC, settings=SETTINGS,
        steps_per_epoch=1,
    ).eval()  # fmt: skip
    module.log_dict = lambda *_, **__: None
    rng = np.random.default_rng(1)
    photos, titles = torch.from_numpy(rng.integers(0, 256, (2, 3, 3, 32, 32), np.uint8))
    batch = PairedBatch(
        photos,
        titles,
        torch.tensor([10, 14, 12]),
        torch.tensor([[0, 1], [1, 2], [2, 0]]),
        torch.tensor([[True, False]] * 3),
    )
    with torch.no_grad():
        inputs = [module.normalise(each) for each in (photos, titles)]
        street, shop = (side(each) for side, each in zip(sides, inputs, strict=True))
        shop = shop / shop.norm(dim=1, keepdim=True)
        loss = 0.0
        for photo, (own, other) in enumerate(batch.articles.tolist()):
            loss += torch.sigmoid(street[photo] @ (shop[other] - shop[own])) / 3
            for branches, rows in zip(
                (module.street_branches, module.shop_branches), (street, shop), strict=True
            ):
                for number, branch in enumerate(branches):
                    label = labels[int(batch.items[photo]), number]
                    if label >= 0:
                        odds = branch(rows[photo][None]).log_softmax(1)[0, label]
                        loss += 0.5 * -odds / 2 / 2 / 3
        assert float(module.training_step(batch, 0)) == pytest.approx(float(loss), abs=1e-5)
    module.train()
    module.training_step(batch, 0).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matching": "non-linear"}, "matching must be 'linear' where the architecture is 'two-"),
        ({"architecture": "static"}, "nothing to train"),
        ({"architecture": "siamese"}, "architecture must be one of query-network, static, two-"),
        ({"attribute_weight": -1.0}, "attribute_weight must be finite and at least 0"),
        ({"dimension": 0}, "dimension must be finite and at least 1"),
        ({"depth": 2**31}, "depth must be at most 2147483647"),
        ({"depth": -1}, "depth must be finite and at least 0"),
    ],
)
def test_settings_that_do_not_go_together(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, **change)
