"""`reproduce`: every training once, kept through kills, and another one where anything differs."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError, MissingWeightsError
from snapshelf.evaluation import evaluate
from snapshelf.evaluation.paper_tables import PaperRow, PaperTable, Training
from snapshelf.evaluation.reproduce import reproduce
from snapshelf.evaluation.time_left import TimeLeft, duration
from snapshelf.locating import WholePicture
from snapshelf.systems.system import System
from snapshelf.training.monitor import Monitor, TrainingStopped

METRICS = ("top1", "top10", "top20", "map7")


class Tinted:
    """Sees colours, each channel by another weight: what a training of colours could learn."""

    dimension = 3

    def __init__(self, weights):
        self.weights = np.asarray(weights, np.float32)
        self.fingerprint = str(weights)

    def prepare(self, picture, domain):
        return picture[:1, :1]

    def encode(self, inputs, domain):
        colours = (inputs.reshape(len(inputs), 3).astype(np.float32) - 127.5) * self.weights
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


@dataclass
class Pictures:
    """Training data given outright."""

    items: list
    name: str = "paints"

    def training_items(self):
        return self.items


@dataclass
class Trainer:
    """Writes the seed into the folder, and notes what it was asked for."""

    calls: list = field(default_factory=list)
    dies_at: int | None = None

    def __call__(self, name, bias, seed, folder, monitor):
        assert folder.parent.is_dir()
        file = folder / "weights.json"
        if not file.is_file():
            if len(self.calls) == self.dies_at:
                raise KeyboardInterrupt
            self.calls.append((name, seed))
            weights = np.random.default_rng((seed, bias)).uniform(0.1, 1, 3)
            folder.mkdir()
            file.write_text(json.dumps(weights.tolist()))
        return System(name, WholePicture(), Tinted(json.loads(file.read_text())))


def paper(trainer, **changes):
    """Two tables; `both` is in either, and `fixed` has nothing random."""

    def training(name, bias, seeded=True):
        def make(seed, folder, monitor):
            return trainer(name, bias, seed if seeded else 0, folder, monitor)

        return Training(name, {"bias": bias} | changes, make, seeded=seeded)

    def row(name, own, figure):
        published = dict.fromkeys(METRICS, figure)
        return PaperRow(name, name.upper(), published, own)

    both = training("both", 2)
    return (
        PaperTable(
            "table-1",
            "Table 1",
            (
                row("fixed", training("fixed", 1, seeded=False), 0.1),
                row("both", both, 0.2),
            ),
            metrics=METRICS,
        ),
        PaperTable(
            "table-2",
            "Table 2",
            (row("alone", training("alone", 3), 0.3), row("again", both, 0.2)),
            metrics=METRICS,
        ),
    )


@pytest.fixture
def pictures(paints):
    items = [
        TrainingItem(
            product.id,
            street=(),
            shop=tuple(paints.root / image for image in product.images),
            attributes={"kind": ("paint", product.id)},
        )
        for product in paints.products()
    ]
    return Pictures(items)


@pytest.fixture
def run(paints, pictures, tmp_path):
    def call(trainer, *, tables=None, **options):
        return reproduce(
            "toy",
            paper(trainer) if tables is None else tables,
            paints,
            [pictures],
            **{"out": tmp_path / "out", **options},
        )

    return call


def test_each_training_is_done_once_and_seed_after_seed(run):
    trainer = Trainer()
    result = run(trainer)
    assert trainer.calls == [
        ("fixed", 0),
        *[(name, seed) for seed in range(3) for name in ("both", "alone")],
    ]
    first, second = result.tables
    assert first.rows[1].cells == second.rows[1].cells
    assert first.rows[1].seeds == (0, 1, 2)
    assert (first.rows[0].seeds, len(first.rows[0].cells["all"]["top1"].values)) == ((), 1)
    assert result.queries == {"all": 5, "seen": 3, "unseen": 2}
    assert (result.system, result.data, result.gallery) == ("toy", ("paints",), 6)


def test_the_figures_are_those_of_evaluate(run, paints, tmp_path):
    result = run(Trainer())
    for seed, value in zip(
        range(3), result.tables[1].rows[0].cells["unseen"]["top1"].values, strict=True
    ):
        (file,) = (tmp_path / "out" / "alone").glob(f"seed-{seed}-*/system/weights.json")
        system = System("alone", WholePicture(), Tinted(json.loads(file.read_text())))
        alone = evaluate(system, paints, products="unseen")
        assert value == alone.metrics["top1"]
        precision = result.tables[1].rows[0].cells["unseen"]["map7"].values[seed]
        assert precision == pytest.approx(alone.metrics["map7"], abs=1e-12)


def test_nothing_is_done_again(run, tmp_path):
    first = run(Trainer())
    for file in (tmp_path / "out").rglob("weights.json"):
        file.unlink()  # the evaluations are kept too
    again = Trainer()
    assert run(again) == first
    assert again.calls == []


@pytest.mark.parametrize("dies_at", range(7))
def test_a_run_that_was_killed_goes_on(run, dies_at):
    killed = Trainer(dies_at=dies_at)
    with pytest.raises(KeyboardInterrupt):
        run(killed)
    rest = Trainer()
    result = run(rest)
    assert len(killed.calls) == dies_at
    whole = Trainer()
    run(whole, out=Path("elsewhere").absolute())
    assert [*killed.calls, *rest.calls] == whole.calls
    assert all(row.cells for table in result.tables for row in table.rows)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_evaluation_that_was_cut_off_needs_no_new_training(run, paints):
    photo = paints.queries("test")[4].picture
    whole = photo.read_bytes()
    photo.write_bytes(bytes(len(whole)))
    trainer = Trainer()
    with pytest.raises(DatasetError, match=r"flag\.png"):
        run(trainer)
    assert trainer.calls == [("fixed", 0)]
    photo.write_bytes(whole)
    run(trainer)
    assert trainer.calls.count(("fixed", 0)) == 1


def test_rows_and_seeds_can_be_done_one_by_one(run):
    trainer = Trainer()
    some = run(trainer, rows={("table-2", "again")}, seeds=[1])
    assert trainer.calls == [("both", 1)]
    assert some.tables[0].rows[1].cells == some.tables[1].rows[1].cells != {}
    assert some.tables[0].rows[0].cells == some.tables[1].rows[0].cells == {}
    assert some.tables[0].rows[1].seeds == (1,)
    rest = run(trainer, rows={("table-1", "fixed")})
    assert trainer.calls == [("both", 1), ("fixed", 0)]
    assert rest.tables[0].rows[1].seeds == (1,)  # kept from before
    run(trainer)
    assert sorted(trainer.calls) == sorted(set(trainer.calls))


def test_nothing_run_gives_empty_tables(run):
    result = run(Trainer(), rows=set())
    assert result.queries == {}
    assert not any(row.cells for table in result.tables for row in table.rows)
    assert json.loads(json.dumps(result.to_json()))["tables"][0]["order"] == []


def change_setting(tables, pictures, paints):
    return {"tables": tables(rate=0.1)}


def change_attribute(tables, pictures, paints):
    first, *rest = pictures.items
    pictures.items = [TrainingItem(first.product_id, (), first.shop, {}), *rest]


def change_picture(tables, pictures, paints):
    file = pictures.items[3].shop[0]
    file.write_bytes(file.read_bytes() + b" ")


def leave_item_out(tables, pictures, paints):
    pictures.items = pictures.items[1:]


@pytest.mark.parametrize(
    "change", [change_setting, change_attribute, change_picture, leave_item_out]
)
def test_another_setting_or_other_data_is_another_training(run, pictures, paints, change):
    trainer = Trainer()
    run(trainer, seeds=[0])
    before = list(trainer.calls)
    options = change(lambda **changes: paper(trainer, **changes), pictures, paints) or {}
    run(trainer, seeds=[0], **options)
    assert trainer.calls == before * 2


def test_other_queries_are_another_evaluation_only(run, paints):
    trainer = Trainer()
    before = run(trainer, seeds=[0])
    paints.photos["test"] = paints.photos["test"][:3]
    after = run(trainer, seeds=[0])
    assert len(trainer.calls) == 3
    assert (before.queries["all"], after.queries["all"]) == (5, 3)
    paints.unseen = set()
    assert run(trainer, seeds=[0]).queries == {"all": 3, "seen": 3}


def test_moving_the_data_changes_nothing(run, pictures, paints, tmp_path):
    trainer = Trainer()
    run(trainer, seeds=[0])
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("shop", "street"):
        (tmp_path / name).rename(moved / name)
    paints.root = moved
    pictures.items = [
        TrainingItem(
            item.product_id,
            (),
            tuple(moved / "shop" / path.name for path in item.shop),
            item.attributes,
        )
        for item in pictures.items
    ]
    paints.photos["test"] = [
        type(query)(moved / "street" / query.picture.name, query.products, query.category)
        for query in paints.photos["test"]
    ]
    run(trainer, seeds=[0])
    assert len(trainer.calls) == 3


class Stopper(Monitor):
    """Asks to stop after so many questions, and keeps what it heard."""

    def __init__(self, after=10**9):
        self.after, self.asked, self.notes, self.steps = after, 0, [], []

    def note(self, text):
        self.notes.append(text)

    def step(self, name, done, total):
        self.steps.append((name, done, total))

    def should_stop(self):
        self.asked += 1
        return self.asked > self.after


@pytest.mark.parametrize("after", [0, 1, 5, 20, 40])
def test_it_stops_when_asked_and_goes_on(run, after):
    trainer = Trainer()
    with pytest.raises(TrainingStopped):
        run(trainer, monitor=Stopper(after))
    run(trainer)
    assert len(trainer.calls) == len(set(trainer.calls)) == 7


def test_progress_names_the_work_and_the_time_left(run):
    monitor = Stopper()
    run(Trainer(), monitor=monitor)
    begun = [note for note in monitor.notes if " of 7: " in note]
    assert begun[0] == "1 of 7: fixed"
    assert begun[1] == "2 of 7: both, seed 0; about 1 min left"
    assert monitor.steps[-1] == ("7 of 7: alone, seed 2, queries; about 1 min left", 5, 5)
    assert sum(note.startswith("   Top-1: all ") for note in monitor.notes) == 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"gallery": 6, "ranks": {}}',
        '{"gallery": 6, "ranks": {"all": []}}',
        '{"gallery": 6, "ranks": {"all": [[1], [0]]}}',
        '{"gallery": 6, "ranks": {"all": [[1], []]}}',
        '{"gallery": 6, "ranks": {"all": [[3, 1]]}}',
        '{"gallery": 6, "ranks": {"all": [1, 2]}}',
        '{"gallery": 6, "ranks": {"all": [[true]]}}',
        '{"gallery": 6, "ranks": {"all": [[1, "2"]]}}',
        '{"gallery": 6, "ranks": {"all": {"1": 1}}}',
        '{"gallery": 6, "ranks": {"all": [[1.5]]}}',
        '{"gallery": 6, "ranks": {"all": [["1"]]}}',
        '{"gallery": 6, "ranks": {"all": [[[1]]]}}',
        '{"gallery": null, "ranks": {"all": [[1]]}}',
        "[" * 100_000,
    ],
)
def test_damaged_figures_are_named_and_can_be_made_anew(run, tmp_path, text):
    trainer = Trainer()
    whole = run(trainer, seeds=[0])
    file = next((tmp_path / "out" / "alone").rglob("right-ranks-*.json"))
    file.write_text(text)
    with pytest.raises(
        DatasetError, match=r"right-ranks-test-\w+\.json .*remove it, and the system is"
    ):
        run(trainer, seeds=[0])
    file.unlink()
    assert run(trainer, seeds=[0]) == whole
    assert len(trainer.calls) == 3


def test_a_folder_of_something_else_is_refused(run, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").touch()
    for out, message in (
        (tmp_path / "photos", "holds something else than trainings"),
        (tmp_path / "photos" / "mine.jpg", "is a file"),
        (tmp_path / "no" / "such", "there is no folder"),
    ):
        with pytest.raises(DatasetError, match=message):
            run(Trainer(), out=out)
    (tmp_path / "empty").mkdir()
    run(Trainer(), out=tmp_path / "empty", seeds=[0])


def test_two_processes_never_train_in_one_folder(run, tmp_path):
    run(Trainer(), seeds=[0])
    with (
        FileLock(tmp_path / "out" / "lock", is_singleton=False),
        pytest.raises(DatasetError, match="another process is training in"),
    ):
        run(Trainer(), seeds=[0])


def test_what_makes_no_sense_is_refused(run):
    for seeds in ([], [0, 0], [-1]):
        with pytest.raises(ValueError, match="seeds must be at least one number from 0"):
            run(Trainer(), seeds=seeds)
    with pytest.raises(DatasetError, match="no split 'dev', choose one of train, test"):
        run(Trainer(), split="dev")


class Weightless:
    """Has no weights for one of the trainings, as often as it is asked."""

    def __init__(self, name):
        self.name, self.inner, self.asked = name, Trainer(), 0

    def __call__(self, name, bias, seed, folder, monitor):
        if name == self.name:
            self.asked += 1
            raise MissingWeightsError("the weights are\n  at sea", "Wait for the ship")
        return self.inner(name, bias, seed, folder, monitor)


def test_rows_without_weights_are_left_out_and_say_so(run, tmp_path):
    monitor, trainer = Stopper(), Weightless("both")
    result = run(trainer, seeds=[0], monitor=monitor)
    rows = [row for table in result.tables for row in table.rows]
    gone = "the weights are at sea."
    assert [row.missing for row in rows] == ["", gone, "", gone]
    assert [bool(row.cells) for row in rows] == [True, False, True, False]
    assert monitor.notes.count("   left out: the weights are at sea.") == 1
    assert trainer.inner.calls == [("fixed", 0), ("alone", 0)]
    assert not list((tmp_path / "out" / "both").rglob("system"))
    value = json.loads(json.dumps(result.to_json()))["tables"][0]["rows"]
    assert [one["missing"] for one in value] == [None, "the weights are at sea."]
    # They are asked for again, and once they are there the rows are like any other.
    assert run(trainer, seeds=[0]).tables == result.tables
    assert (trainer.asked, trainer.inner.calls) == (2, [("fixed", 0), ("alone", 0)])
    whole = run(Trainer(), seeds=[0])
    assert not any(table.missing for table in whole.tables)
    assert all(row.cells for table in whole.tables for row in table.rows)
    # What has been measured stays, wherever the weights are now.
    assert run(trainer, seeds=[0]) == whole


def test_rows_that_were_not_asked_for_miss_nothing(run):
    result = run(Weightless("both"), rows={("table-1", "fixed")})
    assert not any(table.missing for table in result.tables)


def test_what_is_missing_takes_no_time(run):
    monitor = Stopper()
    run(Weightless("both"), seeds=[0], monitor=monitor)
    begun = [note for note in monitor.notes if " of 3: " in note]
    assert begun[-1] == "3 of 3: alone, seed 0; about 1 min left"


def test_without_data_to_train_on(paints, pictures, tmp_path):
    """What training data make no difference to is kept whatever they are."""
    made = []

    def make(seed, folder, monitor):
        made.append(folder)
        return System("plain", WholePicture(), Tinted([1.0, 1.0, 1.0]))

    plain = PaperRow("a", "A", {}, Training("plain", {}, make, seeded=False, trained=False))
    tables = (PaperTable("t", "T", (plain,), metrics=("map7",)),)

    def go(data):
        return reproduce("toy", tables, paints, data, out=tmp_path / "out", note="Plain.")

    first = go([])
    assert (first.data, first.seeds, first.note) == (("paints",), (), "Plain.")
    assert first.tables[0].rows[0].cells == go([pictures]).tables[0].rows[0].cells
    assert len(made) == 1
    pictures.name = "others"
    assert go([pictures]).data == ("paints", "others")
    assert len(made) == 1


def test_the_time_left_follows_from_what_was_done_here():
    now = [100.0]
    left = TimeLeft([2.0, 2.0, 4.0], clock=lambda: now[0])
    assert (left.seconds, left.text) == (None, "")
    now[0] = 110.0
    left.advance(0.5)  # one unit in ten seconds
    assert left.seconds == pytest.approx(70)
    left.finish()  # the other half had been done by another process
    assert left.seconds == pytest.approx(60)
    now[0] = 130.0
    left.finish()  # told nothing on the way: three units in thirty seconds
    assert left.seconds == pytest.approx(40)
    left.skip()  # it was not there
    assert left.seconds == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 min"), (60, "1 min"), (61, "2 min"), (3600, "1 h 0 min"), (90_000, "25 h 0 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
