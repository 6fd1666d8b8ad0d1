"""Hints: losses against a slow reference, and that a student does learn its teacher's maps."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.torch

from torch import nn  # noqa: E402

from snapshelf.features.folding import fold_batch_norm  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.training.backbone_stages import backbone_stages  # noqa: E402
from snapshelf.training.hints import even_out, hint_losses  # noqa: E402


def small(seed):
    """A MobileNetV2 of an eighth of the channels, its batch norms folded away."""
    torch.manual_seed(seed)
    network = timm.create_model("mobilenetv2_035", num_classes=0).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    fold_batch_norm(network, torch.zeros(1, 3, 32, 32))
    return network


@pytest.fixture(scope="module")
def pair():
    return small(0), small(1)


@pytest.fixture(scope="module")
def inputs():
    return torch.randn(6, 3, 48, 48, generator=torch.Generator().manual_seed(5))


def test_losses_are_relative_squared_errors_given_the_teachers_map(pair, inputs):
    student, teacher = map(backbone_stages, pair)
    losses = hint_losses(student, teacher, inputs)
    assert losses.shape == (len(teacher),)
    fed = inputs
    for loss, ours, theirs in zip(losses, student, teacher, strict=True):
        with torch.no_grad():
            made, wanted = ours(fed).numpy(), theirs(fed).numpy()
        expected = np.mean((made - wanted) ** 2, dtype=float) / np.var(wanted, ddof=1, dtype=float)
        assert loss.item() == pytest.approx(expected, rel=1e-4)
        fed = torch.from_numpy(wanted)


def test_a_teacher_of_itself_has_nothing_to_learn(pair, inputs):
    stages = backbone_stages(pair[0])
    assert hint_losses(stages, stages, inputs).tolist() == [0] * len(stages)


def test_a_stage_learns_from_its_own_loss_only(pair, inputs):
    student, teacher = map(backbone_stages, pair)
    for number, stage in enumerate(student):
        loss = hint_losses(student, teacher, inputs)[number]
        everything = [parameter for one in student for parameter in one.parameters()]
        gradients = torch.autograd.grad(loss, everything, allow_unused=True)
        own = {id(parameter) for parameter in stage.parameters()}
        learning = {
            id(parameter)
            for parameter, gradient in zip(everything, gradients, strict=True)
            if gradient is not None and gradient.any()
        }
        assert learning
        assert learning <= own


def maps_of(stage, fed):
    """What a stage gives, and what each of its convolutions does."""
    found = []
    hooks = [
        part.register_forward_hook(lambda _, __, output: found.append(output.clone()))
        for part in stage.modules()
        if isinstance(part, nn.Conv2d)
    ]
    made = stage(fed)
    for hook in hooks:
        hook.remove()
    return made, found


def test_evened_out_convolutions_have_mean_0_and_deviation_1(inputs):
    student, teacher = small(2), small(3)
    ours, theirs = backbone_stages(student), backbone_stages(teacher)
    even_out(ours, theirs, inputs)
    fed = inputs
    for number, (stage, of_teacher) in enumerate(zip(ours, theirs, strict=True)):
        with torch.no_grad():
            (made, found), wanted = maps_of(stage, fed), of_teacher(fed)
        is_last = number == len(ours) - 1
        for output in found if is_last else found[:-1]:
            means, deviations = output.mean((0, 2, 3)), output.std((0, 2, 3))
            torch.testing.assert_close(means, torch.zeros_like(means), atol=1e-3, rtol=0)
            torch.testing.assert_close(deviations, torch.ones_like(means), atol=1e-2, rtol=0)
        if not is_last:
            # A residual connection adds the block's own input to what its last layer gives.
            ratio = made.std((0, 2, 3)) / wanted.std((0, 2, 3))
            assert ratio.median() == pytest.approx(0.5, abs=0.3)
        fed = wanted


def test_evening_out_survives_channels_that_never_change(inputs):
    student, teacher = small(4), small(5)
    with torch.no_grad():
        student.conv_stem.weight[0] = 0
    even_out(backbone_stages(student), backbone_stages(teacher), inputs)
    assert all(torch.isfinite(parameter).all() for parameter in student.parameters())


def test_a_student_learns_its_teachers_maps(inputs):
    student, teacher = small(6), small(7)
    ours, theirs = backbone_stages(student), backbone_stages(teacher)
    even_out(ours, theirs, inputs)
    before = hint_losses(ours, theirs, inputs).detach()
    optimizer = torch.optim.AdamW(student.parameters(), lr=5e-3)
    for _ in range(40):
        loss = hint_losses(ours, theirs, inputs).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = hint_losses(ours, theirs, inputs).detach()
    assert (after < 0.7 * before).all(), (before, after)


# --- the optimizer ------------------------------------------------------------------------


def module(student, teacher, **given):
    from snapshelf.training.hint_module import HintModule

    given = {
        "learning_rate": 2e-3,
        "factors": (10.0, 5.0, 3.0),
        "weight_decay": 1e-4,
        "warmup": 0,
        "steps": 40,
        **given,
    }
    spec = Preprocessing(size=(48, 48), mean=(0.5,) * 3, std=(0.25,) * 3)
    return HintModule(student, teacher, spec, **given)


def test_every_weight_learns_once_at_its_stages_rate():
    student = small(8)
    made = module(student, small(9))
    groups = made.configure_optimizers()["optimizer"].param_groups
    stages = backbone_stages(student)
    assert len(groups) == len(stages)
    for number, (group, stage) in enumerate(zip(groups, stages, strict=True)):
        factor = (10.0, 5.0, 3.0)[min(number, 2)]
        assert group["initial_lr"] == pytest.approx(2e-3 * factor)
        assert {id(one) for one in group["params"]} == {id(one) for one in stage.parameters()}


def test_matrices_learn_by_muon_and_the_rest_by_adamw():
    student = small(10)
    made = module(student, small(11))
    optimizer = made.configure_optimizers()["optimizer"]
    for parameter in student.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    by_muon = [optimizer.state[one]["use_muon"] for one in student.parameters()]
    for parameter, muon in zip(student.parameters(), by_muon, strict=True):
        depthwise = parameter.ndim == 4 and parameter.shape[1] == 1
        assert muon == (parameter.ndim == 4 and not depthwise), parameter.shape
    assert any(by_muon)
    assert not all(by_muon)


def test_a_student_learns_by_the_modules_own_steps(inputs):
    from snapshelf.training.batches import ViewBatch

    student, teacher = small(12), small(13)
    pictures = ((inputs * 0.25 + 0.5) * 255).clamp(0, 255).to(torch.uint8)
    made = module(student, teacher)
    made.log_dict = lambda *_, **__: None
    normalised = made.normalise(pictures)
    even_out(backbone_stages(student), backbone_stages(teacher), normalised)
    before = hint_losses(backbone_stages(student), backbone_stages(teacher), normalised).detach()
    optimizer = made.configure_optimizers()["optimizer"]
    batch = ViewBatch(pictures=pictures[:, None], items=None, weights=None, recoloured=None)
    for step in range(40):
        loss = made.training_step(batch, step)
        optimizer.zero_grad()
        loss.backward()
        made.on_before_optimizer_step(optimizer)
        optimizer.step()
    after = hint_losses(backbone_stages(student), backbone_stages(teacher), normalised).detach()
    assert (after < 0.6 * before).all(), (before, after)
