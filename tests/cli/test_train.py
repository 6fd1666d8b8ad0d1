"""`snapshelf train` as its users meet it: what it says, its mistakes, kills and going on."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from small_shop import command

from snapshelf.systems.trainable import TRAINABLE

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

CONFIG = """
backbone = "test_resnet"
weights = "random"
size = 32
dimension = 16
batch_triplets = 2
num_workers = 0
keep_checkpoints = 1
stages = [{epochs = EPOCHS}, {epochs = 2, share = 1.0, weighting = true, refresh_epochs = 1}]
"""


@pytest.fixture
def train(cli, grocery):
    """Trains `mtv` on the four photos of the two seen products."""
    Path("tiny.toml").write_text(CONFIG.replace("EPOCHS", "1"))

    def run(*arguments, system="mtv", data=None, out="out", config="tiny.toml"):
        given = ["--data", data or f"grocery:{grocery}", "--out", out]
        return cli("train", system, *given, *(["--config", config] if config else []), *arguments)

    return run


def test_what_it_says_and_writes(train, cli, grocery):
    done = train()
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    assert lines[0] == "grocery: 2 items, 4 street and 2 shop pictures"
    assert lines[1].startswith("attributes: ")
    told = [line for line in lines if line.startswith("epoch ")]
    assert [line.partition(":")[0] for line in told] == [f"epoch {n} of 3" for n in (1, 2, 3)]
    assert all("loss" in line and "pictures/s" in line for line in told)
    assert lines[-1].startswith("wrote out in ")
    assert done.out == f"snapshelf evaluate --system out --data grocery:{grocery}\n"
    evaluated = cli(*done.out.split()[1:], "--json", "-")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.json["queries"] == 8


def test_a_finished_training_is_told_and_left_alone(train):
    first = train("--json").json
    assert (first["system"], first["dimension"], first["was_complete"]) == ("out", 16, False)
    refused = train()
    assert (refused.code, refused.out) == (1, "")
    assert "out holds a finished training; add --resume" in refused.err
    again = train("--resume", "--json")
    assert again.json["fingerprint"] == first["fingerprint"]
    assert again.json["was_complete"]
    assert "the training in out is complete; nothing was left to do" in again.err


def test_resume_needs_the_same_recipe(train):
    assert train().code == 0
    Path("tiny.toml").write_text(CONFIG.replace("EPOCHS", "2"))
    done = train("--resume")
    assert done.code == 1
    assert "error: out holds a training of something else: recipe.stages was" in done.err


MISTAKES = [
    ({"system": "nothing"}, 2, "there is no system 'nothing' to train; choose from a"),
    ({"system": "standard"}, 2, "there is no system 'standard' to train"),
    ({"data": "grocery"}, 1, "expected NAME:DIR"),
    ({"data": "paints:grocery"}, 1, "there is no data set named 'paints'"),
    ({"data": "grocery:none"}, 1, "is no folder"),
    ({"data": "ccp:grocery"}, 1, "error: "),
    ({"config": "none.toml"}, 1, "there is no configuration file none.toml"),
    ({"out": "tiny.toml"}, 1, "tiny.toml is a file; give a folder's path"),
    ({"out": "grocery"}, 1, "grocery holds something else than a training"),
    ({"out": "no/such"}, 1, "there is no folder no;"),
]


@pytest.mark.parametrize(("changes", "code", "message"), MISTAKES)
def test_mistakes_are_one_line(train, changes, code, message):
    done = train(**changes)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert not Path("out").exists()


RECIPES = [
    ("learning_rat = 1", "odd.toml: unknown setting 'learning_rat'; did you mean 'learning_rate'?"),
    ('size = "large"', "odd.toml: size must be a whole number, got 'large'"),
    ("size = 8", "odd.toml: size must be in [16, 1024], got 8"),
    ("stages = [{epochs = 0}]", "odd.toml: stages[0]: epochs must be finite and at least 1"),
    ("stages = []", "odd.toml: stages must hold at least one stage"),
    ('loss = "softmax"', "odd.toml: loss must be one of 'ratio', 'hinge', 'contrastive'"),
    ("seed = true", "odd.toml: seed must be a whole number, got True"),
    ("seed =", "odd.toml cannot be read as TOML"),
]


@pytest.mark.parametrize(("text", "message"), RECIPES)
def test_recipes_that_cannot_be_used(train, text, message):
    Path("odd.toml").write_text(text + "\n")
    done = train(config="odd.toml")
    assert (done.code, done.out) == (1, "")
    assert f"error: {message}" in done.err
    assert not Path("out").exists()


def test_a_picture_that_cannot_be_read_is_named(train, grocery):
    (photo, *_) = sorted((grocery / "test" / "Fruit" / "Apple" / "Pink-Lady").iterdir())
    photo.write_bytes(photo.read_bytes()[:100])
    done = train()
    assert done.code == 1
    assert "a training picture cannot be used: " in done.err
    assert photo.name in done.err
    assert train("--resume").code == 1, "the data has to be mended first"


@pytest.mark.parametrize("lines", [1, 0], ids=["one product", "no product"])
def test_too_few_products(train, grocery, lines):
    text = (grocery / "classes.csv").read_text().splitlines()
    # Products 0 and 3 are unseen; 1 is not.
    kept = [text[0], text[1], *([text[2]] if lines else [])]
    (grocery / "classes.csv").write_text("\n".join(kept) + "\n")
    for split in ("train", "val", "test"):
        photos = (grocery / f"{split}.txt").read_text().splitlines()
        known = [photo for photo in photos if int(photo.split(",")[1]) < len(kept) - 1]
        (grocery / f"{split}.txt").write_text("\n".join(known) + "\n")
    done = train()
    assert done.code == 1
    expected = "at least two products are needed, got 1" if lines else "has no item to train on"
    assert expected in done.err


def test_every_system_to_train_has_settings_with_defaults():
    for name, make in TRAINABLE.items():
        trainable = make()
        assert trainable.settings() == trainable.settings(), name


# --- kills --------------------------------------------------------------------------------

EPOCHS = 40


def weights(folder):
    return Path(folder, "network.safetensors").read_bytes()


def epochs_done(folder):
    log = Path(folder, "log.csv")
    return len(log.read_text().splitlines()) - 1 if log.exists() else 0


@pytest.fixture(scope="module")
def expected():
    """The weights of an uninterrupted training, once there are some."""
    return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed_and_gone_on_with_gives_the_same_weights(train, grocery, number, expected):
    Path("tiny.toml").write_text(CONFIG.replace("EPOCHS", str(EPOCHS)))
    if not expected:
        assert train(out="whole").code == 0
        expected.append(weights("whole"))
    given = ("train", "mtv", "--data", f"grocery:{grocery}", "--out", "out")
    with subprocess.Popen(
        command(*given, "--config", "tiny.toml"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        while epochs_done("out") < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert out == ""
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number, err
        assert err.endswith(
            f"error: stopped by {number.name}; the same command with --resume goes on\n"
        )
    done = epochs_done("out")
    assert 3 <= done < EPOCHS
    assert not Path("out", "system.json").exists()
    again = train("--resume")
    assert again.code == 0, again.err
    told = [line for line in again.err.splitlines() if line.startswith("epoch ")]
    assert len(told) in (EPOCHS + 2 - done, EPOCHS + 3 - done), "no epoch is done twice"
    assert weights("out") == expected[0]
