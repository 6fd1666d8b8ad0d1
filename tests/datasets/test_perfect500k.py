"""Perfect-500K, on small folders in its layout."""

import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets import open_dataset, open_training_data
from snapshelf.errors import DatasetError
from snapshelf.evaluation import evaluate
from snapshelf.features.encoder import Domain
from snapshelf.locating import WholePicture
from snapshelf.systems.system import System

ANSWERS = "Validation Image ID,Training Image ID"
GALLERY = [
    'ID,Image URL,Title',
    'n0000003,https://shop.example/c.jpg,"Lipstick, ""rose"""',
    'n0000001,https://shop.example/a.PNG,Cream',
    'n0000002,https://shop.example/b.jpg,"Mascara\n(two lines)"',
    'n0000009,https://shop.example/dead.jpg,Soap',
    'n0000004,https://shop.example/d.jpg,',
]  # fmt: skip
PICTURES = [
    "PF-500K/n0000001.PNG",
    "PF-500K/n0000002.jpg",
    "PF-500K/n0000003.jpg",
    "PF-500K/n0000004.jpeg",
]


@pytest.fixture
def folder(write, listed):
    listed("training_public.csv", *GALLERY)
    listed("val_2019.csv", ANSWERS, "v000101,n0000002", "v000102,n0000001,n0000009,n0000004")
    return write(*PICTURES, "val_2019/v000101.jpg", "val_2019/v000102.png")


def test_as_published(folder):
    data = open_dataset(f"perfect500k:{folder}")
    assert (data.name, data.root, data.splits) == ("perfect500k", folder, ("test",))
    # In the list's order; the picture that is not there is left out.
    assert [(product.id, product.images) for product in data.products()] == [
        ("n0000003", ("PF-500K/n0000003.jpg",)),
        ("n0000001", ("PF-500K/n0000001.PNG",)),
        ("n0000002", ("PF-500K/n0000002.jpg",)),
        ("n0000004", ("PF-500K/n0000004.jpeg",)),
    ]
    one, several = data.queries("test")
    assert (one.picture, one.products) == (
        folder / "val_2019/v000101.jpg",
        frozenset({"n0000002"}),
    )
    assert (several.picture, several.products) == (
        folder / "val_2019/v000102.png",
        frozenset({"n0000001", "n0000004"}),
    )
    assert (one.category, one.box) == ("beauty", None)
    assert data.missing == 1
    assert not data.is_seen("n0000003")


def test_the_gallery_is_a_sequence(folder):
    gallery = open_dataset(f"perfect500k:{folder}").products()
    assert (len(gallery), gallery[-1].id) == (4, "n0000004")
    assert [product.id for product in gallery[1:3]] == ["n0000001", "n0000002"]
    assert gallery[0] in gallery
    with pytest.raises(IndexError):
        gallery[4]


def test_the_list_of_2018_and_a_folder_for_each_class(write, listed):
    listed("metadata_public.csv", "ID,URL", "n0001_0003632,http://a", "n0002_0000001,http://b")
    listed("val.csv", ANSWERS, "v000001,n0002_0000001,n0001_0003632")
    root = write(
        "PF-500K/0001_180889/n0001_0003632.jpg",
        "PF-500K/0002_112119/n0002_0000001.jpg",
        "PF-500K/0002_112119/deeper/n0002_0000002.jpg",
        "val/v000001.jpg",
    )
    data = open_dataset(f"perfect500k:{root}")
    assert [product.images for product in data.products()] == [
        ("PF-500K/0001_180889/n0001_0003632.jpg",),
        ("PF-500K/0002_112119/n0002_0000001.jpg",),
    ]
    (query,) = data.queries("test")
    assert query.products == {"n0001_0003632", "n0002_0000001"}


@pytest.mark.parametrize("pictures", ["perfect500", "data", "train"])
def test_the_download_of_2020_and_other_names_of_the_folder(folder, pictures):
    answers = folder / "Challenge_validation_set_2020"
    answers.mkdir()
    (folder / "val_2019.csv").rename(answers / "val_2020.csv")
    (folder / "val_2019").rename(answers / "val_2020")
    (folder / "PF-500K").rename(folder / pictures)
    data = open_dataset(f"perfect500k:{folder}")
    assert data.products()[0].images == (f"{pictures}/n0000003.jpg",)
    assert data.queries("test")[0].picture == answers / "val_2020/v000101.jpg"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lists_of_any_system_with_blanks_and_without_a_header(folder, listed, end, mark):
    listed("training_public.csv", "n0000003", " n0000002 ", "", "n0000001,,", end=end, mark=mark)
    listed(
        "val_2019.csv", "v000101, n0000002,n0000002,", "", "v000102,n0000001", end=end, mark=mark
    )
    data = open_dataset(f"perfect500k:{folder}")
    assert [product.id for product in data.products()] == ["n0000003", "n0000002", "n0000001"]
    assert [query.products for query in data.queries("test")] == [{"n0000002"}, {"n0000001"}]


def test_titles_may_be_in_any_encoding(folder):
    (folder / "training_public.csv").write_bytes(
        b"ID,Title,URL\nn0000002,cr\xe8me \x80,http://a\nn0000001,\xa4\xa4\xff,http://b\n"
    )
    assert len(open_dataset(f"perfect500k:{folder}").products()) == 2


def test_very_large_ids_stay_what_they_are(folder, listed, write):
    large = "n" + "9" * 60
    listed("training_public.csv", "ID", large, "n0000001", "n00000001")
    listed("val_2019.csv", ANSWERS, f"v{'8' * 60},{large},n00000001")
    write(f"PF-500K/{large}.jpg", "PF-500K/n00000001.jpg", f"val_2019/v{'8' * 60}.jpg")
    data = open_dataset(f"perfect500k:{folder}")
    assert [product.id for product in data.products()] == [large, "n0000001", "n00000001"]
    assert data.queries("test")[0].products == {large, "n00000001"}


def test_missing_pictures_are_counted_and_their_queries_left_out(folder, listed):
    (folder / "PF-500K/n0000002.jpg").write_bytes(b"")  # a download that failed
    (folder / "PF-500K/n0000003.jpg").unlink()
    (folder / "PF-500K/n0000003.jpg").symlink_to("nowhere.jpg")
    listed(
        "val_2019.csv",
        ANSWERS,
        "v000101,n0000002,n0000009",
        "v000102,n0000001,n0000002,n0000077,n0000077",  # one is not in the gallery's list
    )
    data = open_dataset(f"perfect500k:{folder}")
    assert [product.id for product in data.products()] == ["n0000001", "n0000004"]
    (query,) = data.queries("test")
    assert query.picture.name == "v000102.png"
    assert query.products == {"n0000001"}
    assert data.missing == 4  # 2, 3, 9 and 77
    with pytest.raises(ValueError, match="'n0000002' is no product of the data set perfect500k"):
        data.is_seen("n0000002")


def test_of_two_pictures_of_an_id_one_is_taken(folder, write):
    write("PF-500K/n0000003.gif", "PF-500K/n0000003.webp", "PF-500K/a/n0000003.jpg")
    (folder / "PF-500K/n0000002.gif").mkdir()
    gallery = open_dataset(f"perfect500k:{folder}").products()
    assert gallery[0].images == ("PF-500K/n0000003.gif",)
    assert gallery[2].images == ("PF-500K/n0000002.jpg",)


BAD_LISTS = [
    ("training_public.csv", (), r"training_public.csv lists no picture, expected some"),
    ("training_public.csv", ("ID,URL",), r"training_public.csv lists no picture, expected some"),
    ("training_public.csv", ("ID", "n0000001", "n0000001"), r"csv:3: n0000001 is listed twice"),
    ("training_public.csv", ("ID", "n0000008", "n0000008"), r"csv:3: n0000008 is listed twice"),
    ("training_public.csv", ("ID", "n0000001", "soap"), r"csv:3: expected an image ID .* 'soap'"),
    ("training_public.csv", ("ID", ",http://a"), r"csv:2: expected an image ID .* got ''"),
    ("training_public.csv", ("http://a,n1",), r"csv:1: expected an image ID .* got 'http://a'"),
    ("training_public.csv", ("ID", "../n0000001"), r"csv:2: expected an image ID .* '../n0000001'"),
    ("training_public.csv", ("ID", "/etc/passwd"), r"csv:2: expected an image ID .* '/etc/passwd'"),
    ("training_public.csv", ("ID", "n1\0"), r"csv:2: expected an image ID"),
    ("training_public.csv", ("ID", "n\u0663"), r"csv:2: expected an image ID"),
    ("training_public.csv", ("ID", "n" + "1" * 64), r"csv:2: expected an image ID .* 'n1{39}'"),
    ("training_public.csv", ("ID", f'n1,"{"x" * 140_000}'), r"training_public.csv:\d: is no CSV"),
    ("val_2019.csv", (), r"val_2019.csv lists no query, expected some"),
    ("val_2019.csv", (ANSWERS,), r"val_2019.csv lists no query, expected some"),
    ("val_2019.csv", (ANSWERS, "v000101"), r"csv:2: expected the IDs of a query and of its right"),
    ("val_2019.csv", (ANSWERS, "v000101, ,"), r"csv:2: expected the IDs of .* got 'v000101'"),
    ("val_2019.csv", (ANSWERS, "v000101 n0000001"), r"csv:2: expected an image ID such as"),
    ("val_2019.csv", (ANSWERS, "v000101,n1,../n2"), r"csv:2: expected an image ID .* got '../n2'"),
    ("val_2019.csv", (ANSWERS, "../v000101,n1"), r"csv:2: expected an image ID .* '../v000101'"),
    ("val_2019.csv", ("../v000101,n1",), r"csv:1: expected an image ID .* '../v000101'"),
    (
        "val_2019.csv",
        (ANSWERS, "v000101,n0000001", "", "v000101,n0000002"),
        r"val_2019.csv:4: v000101 is listed twice, expected once",
    ),
    (
        "val_2019.csv",
        (ANSWERS, "v000101,n0000001", "v000103,n0000002"),
        r"val_2019.csv:3: there is no picture .*val_2019/v000103.jpg; get the whole data set again",
    ),
    (
        "val_2019.csv",
        (ANSWERS, "v000101,n0001_0003632"),
        r"PF-500K holds no right picture of any query of .*val_2019.csv: .* of the same year",
    ),
]


@pytest.mark.parametrize(("name", "lines", "message"), BAD_LISTS)
def test_damaged_lists_are_named(folder, listed, name, lines, message):
    path = listed(name, *lines)
    if not lines:
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"perfect500k:{folder}")


def test_lists_and_folders_that_are_missing_or_there_twice(folder, write, listed):
    listed("val_2020.csv", ANSWERS, "v000101,n0000001")
    with pytest.raises(DatasetError, match=r"val_2019.csv and val_2020.csv, expected one of them"):
        open_dataset(f"perfect500k:{folder}")
    (folder / "val_2020.csv").unlink()
    (folder / "val_2019").rename(folder / "photos")
    with pytest.raises(
        DatasetError, match=r"val_2019 cannot be read .*: expected the Perfect-500K"
    ):
        open_dataset(f"perfect500k:{folder}")
    (folder / "val_2019.csv").unlink()
    with pytest.raises(DatasetError, match=r"val_2019.csv \(or val_2020.csv, .*\) is missing: exp"):
        open_dataset(f"perfect500k:{folder}")
    (folder / "PF-500K").rename(folder / "pictures")
    with pytest.raises(DatasetError, match=r"csv \(or .*\) is missing: expected the Perfect-500K"):
        open_dataset(f"perfect500k:{folder}")
    listed("val_2019.csv", ANSWERS, "v000101,n0000001")
    with pytest.raises(DatasetError, match=r"PF-500K cannot be read .*: expected the Perfect-500K"):
        open_dataset(f"perfect500k:{folder}")
    (folder / "PF-500K").mkdir()
    with pytest.raises(DatasetError, match=r"PF-500K holds none of the pictures that .*csv lists:"):
        open_dataset(f"perfect500k:{folder}")
    (folder / "training_public.csv").rename(folder / "list.csv")
    with pytest.raises(DatasetError, match=r"training_public.csv \(or metadata_public.csv\) is mi"):
        open_dataset(f"perfect500k:{folder}")


def test_a_list_that_cannot_be_opened_is_named(folder, monkeypatch):
    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(DatasetError, match=r"training_public.csv cannot be read \(.*Permission"):
        open_dataset(f"perfect500k:{folder}")


def test_callers_mistakes_and_training(folder):
    data = open_dataset(f"perfect500k:{folder}")
    with pytest.raises(ValueError, match="split must be test, the only one, got 'val'"):
        data.queries("val")
    with pytest.raises(ValueError, match="'v000101' is no product of the data set perfect500k"):
        data.is_seen("v000101")
    with pytest.raises(DatasetError, match="the data set perfect500k has no training pictures"):
        open_training_data(f"perfect500k:{folder}")


class MeanColour:
    """Embeds a picture as the direction of its mean colour from grey."""

    dimension = 3
    fingerprint = "mean-colour"

    def prepare(self, picture, domain):
        return np.asarray(Image.fromarray(picture).resize((1, 1), Image.Resampling.BOX))

    def encode(self, inputs, domain):
        assert isinstance(domain, Domain)
        colours = inputs.reshape(len(inputs), 3).astype(np.float32) - 127.5
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


def test_evaluation_is_the_challenges(tmp_path, listed):
    """mAP@7 over pictures, with the right pictures that are there, against a slow count."""
    rng = np.random.default_rng(7)
    (tmp_path / "PF-500K").mkdir()
    (tmp_path / "val_2019").mkdir()

    def paint(name, middle):
        colour = np.clip(middle + rng.normal(0, 50, 3), 0, 255).astype(np.uint8)
        Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(tmp_path / name)
        return (colour.astype(float) - 127.5) / np.linalg.norm(colour - 127.5)

    gallery, answers, shots = {}, [ANSWERS], []
    for number in range(6):
        middle, right = rng.uniform(0, 255, 3), []
        for _ in range(1 + number % 3):
            image_id = f"n{len(gallery):07}"
            gallery[image_id] = paint(f"PF-500K/{image_id}.png", middle)
            right.append(image_id)
        shots.append((paint(f"val_2019/v{number:06}.png", middle), right))
        answers.append(",".join([f"v{number:06}", *right, f"n9{number:06}"]))
    expected, best = [], []
    for photo, right in shots:
        order = sorted(gallery, key=lambda image_id: -float(photo @ gallery[image_id]))
        ranks = sorted(order.index(image_id) + 1 for image_id in right)
        precisions = [seen / rank for seen, rank in enumerate(ranks, 1) if rank <= 7]
        expected.append(sum(precisions) / len(right))
        best.append(ranks[0])
    listed("training_public.csv", "ID,URL", *gallery, *(f"n9{number:06}" for number in range(6)))
    listed("val_2019.csv", *answers)

    data = open_dataset(f"perfect500k:{tmp_path}")
    system = System("mean-colour", WholePicture(), MeanColour())
    result = evaluate(system, data)

    assert (result.queries, result.gallery, data.missing) == (6, 12, 6)
    assert result.metrics["map7"] == pytest.approx(np.mean(expected))
    assert 0 < result.metrics["map7"] < 1
    assert [outcome.rank for outcome in result.outcomes] == best
    assert evaluate(system, data, products="unseen").metrics == result.metrics
    with pytest.raises(DatasetError, match="has no query of seen products"):
        evaluate(system, data, products="seen")
