"""In-Shop's title pictures, on a small folder in its layout."""

import json

import pytest

from snapshelf.datasets import Dataset, TrainingData, TrainingItem, open_dataset, open_training_data
from snapshelf.errors import DatasetError

POLO, TEE, DRESS = (
    "img/MEN/Shirts_Polos/id_00000193",
    "img/WOMEN/Tees_Tanks/id_00000140",
    "img/WOMEN/Dresses/id_00000140",
)
ROWS = [
    f"{POLO}/06_1_front.jpg id_00000193 query",
    f"{POLO}/06_6_flat.jpg id_00000193 gallery",
    f"{POLO}/06_2_side.jpg id_00000193 gallery",
    f"{POLO}/08_6_flat.jpg id_00000193 query",
    f"{POLO}/08_7_additional.jpg id_00000193 query",
    f"{POLO}/05_1_front.jpg id_00000193 query",
    f"{TEE}/02_1_front.jpg id_00000140 train",
    f"{TEE}/02_6_flat.jpg id_00000140 train",
    f"{DRESS}/02_1_front.jpg id_00000140 train",
]
PARTITION, COLUMNS = "Eval/list_eval_partition.txt", "image_name item_id evaluation_status"
POLO_06, POLO_08 = "MEN/Shirts_Polos/id_00000193/06", "MEN/Shirts_Polos/id_00000193/08"
TEE_02 = "WOMEN/Tees_Tanks/id_00000140/02"


@pytest.fixture
def inshop(write, listed):
    listed(PARTITION, str(len(ROWS)), COLUMNS, *ROWS)
    return write(*(f"Img/{row.split()[0]}" for row in ROWS))


def describe(inshop, *entries):
    (inshop / "Anno").mkdir()
    (inshop / "Anno/list_description_inshop.json").write_text(json.dumps(entries), "utf-8")


def test_an_article_is_an_item_in_one_colour_with_a_title_picture(inshop):
    data = open_dataset(f"deepfashion-inshop-titles:{inshop}")
    assert isinstance(data, Dataset)
    assert (data.root, data.splits) == (inshop / "Img", ("test",))
    first, second = data.products()
    assert (first.id, second.id) == (POLO_06, POLO_08)
    assert first.images == (f"{POLO}/06_6_flat.jpg",)
    assert (first.title, first.category) == ("Shirts Polos", ("MEN", "Shirts_Polos"))


def test_the_photos_of_a_colour_are_queries_and_title_pictures_are_none(inshop):
    queries = open_dataset(f"deepfashion-inshop-titles:{inshop}").queries("test")
    assert [(query.picture.name, query.products) for query in queries] == [
        ("06_1_front.jpg", frozenset({POLO_06})),
        ("06_2_side.jpg", frozenset({POLO_06})),
        ("08_7_additional.jpg", frozenset({POLO_08})),
    ]
    assert {(query.category, query.box) for query in queries} == {("Shirts_Polos", None)}


def test_training_has_the_published_train_items(inshop):
    data = open_training_data(f"deepfashion-inshop-titles:{inshop}")
    assert isinstance(data, TrainingData)
    tee = inshop / "Img" / TEE
    # The dress of the same item ID and colour is in another folder: another article.
    assert data.training_items() == (
        TrainingItem(
            TEE_02,
            street=(tee / "02_1_front.jpg",),
            shop=(tee / "02_6_flat.jpg",),
            attributes={"kind": ("WOMEN", "Tees_Tanks")},
        ),
    )
    assert (data.is_seen(TEE_02), data.is_seen(POLO_06)) == (True, False)
    with pytest.raises(ValueError, match="is no product of the data set deepfashion-inshop-titles"):
        data.is_seen("id_00000193")


def test_the_whole_of_it_is_searched_and_not_trained_on(inshop):
    data = open_dataset(f"deepfashion-inshop-titles-all:{inshop}")
    assert [product.id for product in data.products()] == [POLO_06, POLO_08, TEE_02]
    assert len(data.queries("test")) == 4
    assert not data.is_seen(TEE_02)
    with pytest.raises(DatasetError, match="titles-all has no training pictures"):
        open_training_data(f"deepfashion-inshop-titles-all:{inshop}")


def test_a_colour_is_known_where_an_item_has_one_only(inshop):
    describe(
        inshop,
        {"item": "id_00000140", "color": "Black-white", "description": ["Soft.", "Wash cold."]},
        {"item": "id_00000193", "color": "Navy", "description": "A polo."},
    )
    data = open_dataset(f"deepfashion-inshop-titles:{inshop}")
    (tee,) = data.training_items()
    assert tee.attributes["colour"] == ("Black-white", "Black-white")
    assert data.products()[0].description == "A polo."
    first = ROWS[0].replace(" query", " train")
    rows = [row.replace("query", "train").replace("gallery", "train") for row in ROWS]
    (inshop / PARTITION).write_text("\n".join([str(len(rows)), COLUMNS, *rows]), "utf-8")
    polo = open_training_data(f"deepfashion-inshop-titles:{inshop}").training_items()[0]
    assert first in rows
    assert (polo.product_id, "colour" in polo.attributes) == (POLO_06, False)


BAD = [
    ((f"{POLO}/front.jpg id_1 train",), r"partition.txt:3: expected a name such as 01_1_front.jpg"),
    ((f"{POLO}/06__flat.jpg id_1 train",), r"partition.txt:3: expected a name such as 01_1_front"),
    ((ROWS[0],), r"none of the 1 items in a colour has a title picture, expected names such as"),
    ((ROWS[1], ROWS[1]), r"partition.txt:4: .*06_6_flat.jpg is listed twice"),
    ((ROWS[1], ROWS[2].replace("gallery", "train")), r"partition.txt:4: item id_00000193 is for"),
    ((ROWS[1].replace("06_6", "07_6"),), r"partition.txt:3: there is no file"),
    (("img/../../x/y/06_6_flat.jpg id_1 train",), r"partition.txt:3: .* leaves the data set's"),
    ((), r"partition.txt lists no picture"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "message"), BAD)
def test_damaged_lists_are_named(inshop, write, listed, rows, message):
    write(f"Img/{POLO}/front.jpg", f"Img/{POLO}/06__flat.jpg")
    listed(PARTITION, str(len(rows)), COLUMNS, *rows)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"deepfashion-inshop-titles:{inshop}")
