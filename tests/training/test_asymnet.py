"""AsymNet's training: its steps against plain ones and loops, and a small training gone on with."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.image_feature_folder import ImageFeatureDescription  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.video_feature_folder import (  # noqa: E402
    VideoFeatureDescription,
    save_video_network,
)
from snapshelf.features.video_feature_network import VideoFeatureNetwork  # noqa: E402
from snapshelf.matching.asymnet_folder import (  # noqa: E402
    AsymNetDescription,
    AsymNetParts,
    load_asymnet,
    save_asymnet,
)
from snapshelf.matching.fusion_tree import FusionTree  # noqa: E402
from snapshelf.matching.similarity_gallery import SimilarityGallery  # noqa: E402
from snapshelf.matching.similarity_network import SimilarityNetwork  # noqa: E402
from snapshelf.training.asymnet_module import AsymNetModule  # noqa: E402
from snapshelf.training.asymnet_settings import AsymNetSettings  # noqa: E402
from snapshelf.training.asymnet_start import begin_from  # noqa: E402
from snapshelf.training.fit import FitSettings, fit  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.trajectory_batches import (  # noqa: E402
    FeatureSource,
    TrajectoryBatch,
    TrajectoryBatches,
)
from snapshelf.training.trajectory_draws import TrajectoryDraws  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))
TREE = "2-2"
STEPS = 4

TINY = AsymNetSettings(
    backbone="test_resnet",
    weights="random",
    size=(32, 32),
    grids=(2, 1),
    dense=(6,),
    dropout=0.0,
    states=5,
    hidden=8,
    tree=TREE,
    regularisation=0.0,
    gradient_clip=None,
    video_rate=1.0,
    batch=2,
    positives=2,
)

IMAGE = ImageFeatureDescription(
    backbone="test_resnet", grids=(2, 1), dense=(6,), preprocessing=SPEC
)
VIDEO = VideoFeatureDescription(features=6, states=5)


def make_module(settings=TINY, *, with_image=True, features=6):
    torch.manual_seed(0)
    image = IMAGE.build(dropout=settings.dropout) if with_image else None
    video = VideoFeatureNetwork(features, settings.states, levels=settings.levels)
    similarity = SimilarityNetwork(
        settings.states, features, hidden=settings.hidden, tree=FusionTree.from_text(settings.tree)
    )
    spec = SPEC if with_image else None
    module = AsymNetModule(image, video, similarity, spec, settings, steps_per_epoch=3)
    with torch.no_grad():
        similarity.gates.normal_()
    return module


def drawn_batch(seed=0, trajectories=2, pictures=4):
    rng = np.random.default_rng(seed)

    def pixels(many):
        return torch.from_numpy(rng.integers(0, 256, (trajectories, many, 3, 32, 32), np.uint8))

    right = torch.arange(pictures).expand(trajectories, -1) < pictures // 2
    return TrajectoryBatch(pixels(STEPS), pixels(pictures), right.clone())


def gradients(module, batch):
    module.zero_grad()
    seen = module.accumulate(batch, torch.Tensor.backward)
    found = {
        name: each.grad.clone() for name, each in module.named_parameters() if each.requires_grad
    }
    return found, seen


def sent_back(module, batch):
    """The gradient that arrives at the hidden states."""
    kept = []

    def remember(_network, _given, made):
        made.register_hook(kept.append)

    hook = module.video.register_forward_hook(remember)
    gradients(module, batch)
    hook.remove()
    return kept[0]


# --- one step -------------------------------------------------------------------------------


@pytest.mark.parametrize("fusion", ["posterior", "mixture", "back-propagation", "none"])
@pytest.mark.parametrize("regularisation", [0.0, 0.1])
def test_approximate_training_has_the_gradients_of_plain_training(fusion, regularisation):
    settings = dataclasses.replace(TINY, fusion=fusion, regularisation=regularisation)
    module = make_module(settings)
    fast, seen = gradients(module, drawn_batch())
    module.settings = dataclasses.replace(settings, pairs="plain")
    slow, plain = gradients(module, drawn_batch())
    assert fast.keys() == slow.keys()
    assert ("similarity.gates" in fast) == (fusion == "back-propagation")
    for name, expected in slow.items():
        largest = float(expected.abs().max())
        # The last norm of a fresh block is 0, and nothing goes back through it.
        assert largest > 0 or name.startswith("image.backbone.layer"), name
        torch.testing.assert_close(fast[name], expected, atol=1e-4 * largest, rtol=1e-3)
    torch.testing.assert_close(seen.loss, plain.loss)
    torch.testing.assert_close(seen.odds, plain.odds, atol=1e-5, rtol=1e-4)
    assert plain.states.shape == (8, STEPS, 5)
    assert seen.states.shape == (2, STEPS, 5)


def test_a_trajectory_has_the_mean_of_its_pairs_gradients():
    """Eq. 12, with the pairs' gradients taken one by one, through everything behind the VFN."""
    module, batch = make_module(), drawn_batch()
    with torch.no_grad():
        states = module.video(module.features(batch.steps))
        features = module.features(batch.pictures)
    for trajectory in range(2):
        expected = torch.zeros(STEPS, 5)
        for picture in range(4):
            own = states[trajectory].clone().requires_grad_(True)
            both = torch.cat([own, features[trajectory, picture].expand(STEPS, -1)], dim=1)
            hidden = module.similarity.first(both).relu()
            odds = module.similarity.second(hidden)[:, 0]
            y = odds.sigmoid()
            truth = float(batch.right[trajectory, picture])
            loss = -(truth * y.log() + (1 - truth) * (1 - y).log()).mean()
            expected += torch.autograd.grad(loss, own)[0] / 4
        one = TrajectoryBatch(*(each[trajectory : trajectory + 1] for each in batch))
        torch.testing.assert_close(sent_back(module, one)[0], expected, atol=1e-7, rtol=1e-3)


def test_fusion_nodes_follow_the_likelihood_and_nothing_else_does():
    module = make_module()
    _, seen = gradients(module, drawn_batch())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    gates = module.similarity.gates.detach().clone().requires_grad_(True)
    twin = make_module()
    odds = torch.func.functional_call(
        twin.similarity, {"gates": gates}, (seen.states, seen.features)
    )
    truth = seen.right.float()
    likelihood = (truth * odds.sigmoid().log() + (1 - truth) * (1 - odds.sigmoid()).log()).mean()
    likelihood.backward()
    found = module.learn_fusion(seen)
    assert float(found) == pytest.approx(likelihood.item(), rel=1e-5)
    step = module.similarity.gates - before["similarity.gates"]
    torch.testing.assert_close(step, TINY.fusion_rate * gates.grad, atol=1e-6, rtol=1e-3)
    assert step.any()
    for name, value in module.state_dict().items():
        assert name == "similarity.gates" or torch.equal(value, before[name])


def test_steps_of_a_mixture_learn_from_the_answer_of_the_tree():
    """Of right pairs as the likelihood of Eq. 9 has it, gates held fixed; of wrong ones alike."""
    module = make_module(dataclasses.replace(TINY, fusion="mixture"))
    torch.nn.init.normal_(module.similarity.gates, generator=torch.Generator().manual_seed(3))
    _, seen = gradients(module, drawn_batch())
    with torch.no_grad():
        leaves = module.similarity.leaves(seen.states, seen.features)
    odds = leaves.odds.clone().requires_grad_(True)
    loss, _ = module._loss(leaves._replace(odds=odds), seen.right)
    (found,) = torch.autograd.grad(loss, odds)
    answer = module.similarity.fuse(leaves._replace(odds=odds)).sigmoid()
    (of_answer,) = torch.autograd.grad(-answer.log().sum(), odds)
    expected = torch.where(seen.right[:, :, None], of_answer, odds.sigmoid() / STEPS)
    torch.testing.assert_close(found, expected.detach() / seen.right.numel(), atol=1e-7, rtol=1e-4)
    assert found[seen.right].std(1).max() > 1e-4


def test_key_steps_learn_alone_and_the_strongest_is_what_is_told():
    module = make_module(dataclasses.replace(TINY, fusion="key-volume"))
    torch.manual_seed(0)
    found, seen = gradients(module, drawn_batch())
    assert found["similarity.second.weight"].any()
    with torch.no_grad():
        leaves = module.similarity.leaves(seen.states, seen.features)
    assert torch.equal(seen.odds, leaves.odds.amax(2))


def test_parts_that_do_not_fit():
    module = make_module()
    with pytest.raises(ValueError, match="image and preprocessing must be given together"):
        AsymNetModule(module.image, module.video, module.similarity, None, TINY, steps_per_epoch=1)
    with pytest.raises(ValueError, match="gives features of length 6, the video network takes 7"):
        AsymNetParts(module.image, VideoFeatureNetwork(7, 5), module.similarity)
    with pytest.raises(ValueError, match="gives states of 4"):
        AsymNetParts(None, VideoFeatureNetwork(6, 4), module.similarity)


# --- batches --------------------------------------------------------------------------------

PRODUCTS, PER_PRODUCT, LENGTH = 8, 6, 12


def toy_source(seed=0):
    """Clips of which half the steps show the product and the others show another one."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(PRODUCTS, LENGTH))
    marks = 3 * rng.normal(size=(2, LENGTH))
    products = np.repeat(np.arange(PRODUCTS), PER_PRODUCT)
    clear = rng.random((len(products), STEPS)) < 0.5
    clear[np.arange(len(products)), rng.integers(STEPS, size=len(products))] = True
    shown = np.where(clear, products[:, None], rng.integers(PRODUCTS, size=clear.shape))
    steps = own[shown] + marks[clear.astype(int)] + 0.1 * rng.normal(size=(*clear.shape, LENGTH))
    source = FeatureSource(torch.tensor(steps).float(), torch.tensor(own).float())
    return source, products.tolist(), own


def toy_batches(settings, seed=0):
    source, products, _ = toy_source()
    draws = TrajectoryDraws(
        products,
        range(PRODUCTS),
        batch=settings.batch,
        positives=settings.positives,
        seed=seed,
    )
    return TrajectoryBatches(draws, source, seed=seed)


def test_batches_hold_what_was_drawn_and_go_on_in_mid_epoch():
    batches = toy_batches(dataclasses.replace(TINY, batch=12, positives=3))
    source, products, own = toy_source()
    batches.set_epoch(2)
    first = list(batches)
    assert len(first) == len(batches) == 4
    for batch in first:
        assert batch.steps.shape == (12, STEPS, LENGTH)
        assert batch.pictures.shape == (12, 6, LENGTH)
        for steps, pictures, right in zip(*batch, strict=True):
            (row,) = [n for n in range(48) if torch.equal(source.trajectory(n, ()), steps)]
            same = np.isclose(pictures.numpy(), own[products[row]], atol=1e-5).all(1)
            assert same.tolist() == right.tolist()
    batches.set_epoch(2)
    next(iter(batches))
    batches.load_state_dict(batches.state_dict())
    for found, expected in zip(list(batches), first[1:], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    batches.close()


def test_features_that_are_none():
    with pytest.raises(ValueError, match=r"trajectories must be \(N, T, D\)"):
        FeatureSource(torch.zeros(2, 3, 4), torch.zeros(5, 3))
    with pytest.raises(ValueError, match="features must be finite"):
        FeatureSource(torch.full((2, 3, 4), torch.nan), torch.zeros(5, 4))


# --- a training -----------------------------------------------------------------------------

LEARNING = dataclasses.replace(
    TINY,
    states=16,
    hidden=32,
    batch=12,
    positives=3,
    epochs=60,
    learning_rate=1e-3,
    fusion_rate=1.0,
    gradient_clip=1.0,
)


class Heard(Monitor):
    def __init__(self, stop_after=None):
        self.epochs, self.batches, self.stop_after = [], 0, stop_after

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def epoch(self, figures):
        self.epochs.append(figures)

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after


def train(out, settings, monitor, start=None):
    out.mkdir(exist_ok=True)
    batches = toy_batches(settings)
    module = make_module(settings, with_image=False, features=LENGTH)
    with torch.no_grad():
        module.similarity.gates.zero_()
    if start is not None:
        begin_from(AsymNetParts(None, module.video, module.similarity), start)
    fit(
        module,
        batches,
        out,
        FitSettings(epochs=settings.epochs, seed=settings.seed, keep_checkpoints=0),
        pictures_per_batch=settings.batch,
        monitor=monitor,
    )
    return module.eval()


def test_clips_find_their_products_and_a_cut_off_training_goes_on(tmp_path):
    heard = Heard()
    whole = train(tmp_path / "whole", LEARNING, heard)
    first, last = heard.epochs[0].losses, heard.epochs[-1].losses
    assert last["loss"] < 0.6 * first["loss"]
    assert last["first"] > 0.9
    # Fusion nodes learn which steps to look at: what is fused is surer than the steps alone.
    assert last["fused"] < 0.8 * last["loss"]
    assert whole.similarity.gates.abs().max() > 0.05
    with pytest.raises(TrainingStopped):
        train(tmp_path / "cut", LEARNING, Heard(stop_after=22))
    again = train(tmp_path / "cut", LEARNING, Heard())
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    # What serves it finds the same, from files; and a model of its own starts where it ended.
    parts = AsymNetParts(None, whole.video, whole.similarity)
    description = AsymNetDescription(
        image=None, video=VideoFeatureDescription(features=LENGTH, states=16)
    )
    save_asymnet(tmp_path, parts)
    read = load_asymnet(tmp_path, AsymNetDescription.from_dict(description.to_dict(), tmp_path))
    source, products, own = toy_source()
    gallery = SimilarityGallery(read.similarity.fold(), own.astype(np.float32))
    with torch.no_grad():
        states = read.video(torch.stack([source.trajectory(n, ()) for n in range(48)]))
        shown = torch.tensor(own).float().expand(48, -1, -1)
        expected = whole.similarity(states, shown).numpy()
    np.testing.assert_allclose(gallery.odds(states.numpy()), expected, atol=1e-4)
    assert (expected.argmax(1) == np.array(products)).mean() > 0.9
    tuned = dataclasses.replace(LEARNING, epochs=1, learning_rate=1e-5)
    began = Heard()
    train(tmp_path / "tuned", tuned, began, start=read)
    assert began.epochs[0].losses["loss"] < 1.2 * last["loss"]


def test_a_start_of_other_sizes():
    module = make_module()
    parts = AsymNetParts(module.image, module.video, module.similarity)
    same = make_module(dataclasses.replace(TINY, seed=1))
    begin_from(AsymNetParts(same.image, same.video, same.similarity), parts)
    assert torch.equal(same.similarity.gates, module.similarity.gates)
    assert torch.equal(same.image.layers[0].weight, module.image.layers[0].weight)
    for change, message in (
        ({"tree": "4"}, r"similarity network .* gates is \(6, 8\), expected \(4, 8\)"),
        ({"levels": 1}, r"video network .*l1 is \(\d+.*, expected None"),
    ):
        other = make_module(dataclasses.replace(TINY, **change))
        with pytest.raises(TrainingError, match=message):
            begin_from(AsymNetParts(other.image, other.video, other.similarity), parts)
    with pytest.raises(TrainingError, match="only one of the models has an image network"):
        begin_from(AsymNetParts(None, module.video, module.similarity), parts)


@pytest.mark.parametrize("fusion", ["mixture", "back-propagation", "key-volume"])
def test_the_other_fusions_learn_too(tmp_path, fusion):
    heard = Heard()
    train(tmp_path / "out", dataclasses.replace(LEARNING, fusion=fusion, epochs=40), heard)
    assert heard.epochs[-1].losses["fused"] < 0.6 * heard.epochs[0].losses["fused"]


def test_a_folder_with_pictures(tmp_path):
    module = make_module()
    parts = AsymNetParts(module.image, module.video, module.similarity)
    description = AsymNetDescription(image=IMAGE, video=VIDEO)
    values = description.to_dict()
    assert AsymNetDescription.from_dict(values, tmp_path) == description
    save_asymnet(tmp_path, parts)
    read = load_asymnet(tmp_path, description)
    for mine, theirs in ((module.image, read.image), (module.similarity, read.similarity)):
        for name, value in mine.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name]), name
    assert not read.image.training
    assert not read.similarity.training
    with pytest.raises(ModelError, match="the setting 'video' is missing"):
        AsymNetDescription.from_dict({"image": {}}, tmp_path)
    other = VideoFeatureDescription(features=7, states=5)
    save_video_network(tmp_path, other.build())
    with pytest.raises(ModelError, match=r"do not go together: .* takes 7"):
        load_asymnet(tmp_path, AsymNetDescription(image=IMAGE, video=other))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (224,)}, r"size must be \(height, width\)"),
        ({"grids": ()}, "grids must be at least one number"),
        ({"dense": (0,)}, "dense must be at least one length"),
        ({"tree": "2-x"}, "a tree must be whole numbers"),
        ({"levels": 5}, "levels must be in"),
        (
            {"fusion": "mean"},
            "fusion must be one of posterior, mixture, back-propagation",
        ),
        ({"pairs": "fast"}, "pairs must be one of approximate, plain"),
        ({"pyramid": "sum"}, "pyramid must be one of"),
        ({"start": ""}, "start, category and features must be left out"),
        ({"category": ""}, "start, category and features must be left out"),
        ({"memory": 1.0}, r"memory must be in \(0, 1\)"),
        ({"video_rate": 0.0}, "video_rate must be finite and above 0"),
        ({"clips": 0}, "clips must be finite and at least 1"),
        ({"fusion_rate": 0.0}, "fusion_rate must be finite and above 0"),
        ({"regularisation": -1.0}, "regularisation must be finite and at least 0"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"warmup_epochs": 99.0}, "warmup_epochs must be in"),
        ({"positives": 0}, "positives must be finite and at least 1"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        AsymNetSettings(**change)
