"""DeepFashion's Consumer-to-Shop and In-Shop benchmarks, on small folders in their layout."""

import json

import pytest

from snapshelf.datasets import Dataset, TrainingData, TrainingItem, open_dataset
from snapshelf.errors import DatasetError

SHIRT, SKIRT, COAT = "img/TOPS/T_Shirt/id_1", "img/SKIRTS/Skirt/id_2", "img/TOPS/Coat/id_3"
CONSUMER = [
    f"{SHIRT}/comsumer_01.jpg {SHIRT}/shop_01.jpg id_1 train",
    f"{SHIRT}/comsumer_02.jpg  {SHIRT}/shop_01.jpg  id_1  train",
    f"{SKIRT}/comsumer_01.jpg {SKIRT}/shop_01.jpg id_2 val",
    f"{COAT}/comsumer_01.jpg {COAT}/shop_01.jpg id_3 test",
    f"{COAT}/comsumer_01.jpg {COAT}/shop_02.jpg id_3 test",
]
PARTITION = "Eval/list_eval_partition.txt"
BOXES = "Anno/list_bbox_consumer2shop.txt"
COLUMNS = "image_pair_name_1 image_pair_name_2 item_id evaluation_status"


@pytest.fixture
def consumer(write, listed):
    listed(PARTITION, str(len(CONSUMER)), COLUMNS, *CONSUMER)
    return write(*(f"Img/{name}" for row in CONSUMER for name in row.split()[:2]))


def test_consumer_to_shop_as_published(consumer):
    data = open_dataset(f"deepfashion-consumer:{consumer}")
    assert isinstance(data, TrainingData)
    assert (data.root, data.splits) == (consumer / "Img", ("val", "test"))
    skirt, coat = data.products()
    assert (skirt.id, skirt.category) == ("id_2", ("SKIRTS", "Skirt"))
    assert coat.images == (f"{COAT}/shop_01.jpg", f"{COAT}/shop_02.jpg")
    (query,) = data.queries("test")  # one photo, although it is in two pairs
    assert query.picture == consumer / "Img" / COAT / "comsumer_01.jpg"
    assert (query.products, query.category, query.box) == (frozenset({"id_3"}), "Coat", None)
    (query,) = data.queries("val")
    assert query.products == frozenset({"id_2"})
    assert [data.is_seen(item) for item in ("id_1", "id_2", "id_3")] == [True, False, False]
    with pytest.raises(ValueError, match="split must be one of val, test, got 'train'"):
        data.queries("train")
    with pytest.raises(ValueError, match="'id_9' is no product of the data set"):
        data.is_seen("id_9")


def test_consumer_to_shop_trains_on_its_train_items(consumer):
    (item,) = open_dataset(f"deepfashion-consumer:{consumer}").training_items()
    shirt = consumer / "Img" / SHIRT
    assert item == TrainingItem(
        product_id="id_1",
        street=(shirt / "comsumer_01.jpg", shirt / "comsumer_02.jpg"),
        shop=(shirt / "shop_01.jpg",),
        attributes={"kind": ("TOPS", "T_Shirt")},
    )


def test_boxes_cut_queries_and_are_kept_for_training(consumer, listed):
    listed(
        BOXES,
        "3",
        "image_name clothes_type source_type x_1 y_1 x_2 y_2",
        f"{COAT}/comsumer_01.jpg 1 2 045 046 195 250",
        f"{SHIRT}/comsumer_02.jpg 1 2 0 0 10 20",
        f"{SHIRT}/shop_01.jpg 1 1 1 2 3 4",
    )
    data = open_dataset(f"deepfashion-consumer:{consumer}")
    assert data.queries("test")[0].box == (45.0, 46.0, 195.0, 250.0)
    assert data.queries("val")[0].box is None
    (item,) = data.training_items()
    assert item.boxes == {
        consumer / "Img" / SHIRT / "comsumer_02.jpg": (0.0, 0.0, 10.0, 20.0),
        consumer / "Img" / SHIRT / "shop_01.jpg": (1.0, 2.0, 3.0, 4.0),
    }


ATTRIBUTES = {
    "Anno/list_attr_type.txt": (
        "2",
        "attribute_type (Chinese)      attribute_type (English)",
        "衣长                          length of upper-body clothes",
        "领型                          type of collars",
    ),
    "Anno/list_attr_cloth.txt": (
        "4",
        "attribute_name (Chinese)  attribute_name (English)  attribute_type",
        "常规款（51-65cm）          Regular length (51-65cm)  1",
        "短款                       Short                     1  ",
        "圆领                       Crew neck                 2",
        "圆领子                     Crew neck                 2",
    ),
    "Anno/list_attr_items.txt": ("2", "item_id attribute_labels", "id_1 -1 1 1 1", "id_2 1 1 0 0"),
}


@pytest.fixture
def labelled(consumer, listed):
    for name, lines in ATTRIBUTES.items():
        listed(name, *lines)
    return consumer


def test_attribute_types_with_one_positive_name_are_attributes(labelled):
    (item,) = open_dataset(f"deepfashion-consumer:{labelled}").training_items()
    assert item.attributes == {
        "kind": ("TOPS", "T_Shirt"),
        "length of upper-body clothes": ("Short", "Short"),
        "type of collars": ("Crew neck", "Crew neck"),
    }


def test_an_attribute_with_two_positive_names_is_not_known(labelled, listed):
    listed("Anno/list_attr_items.txt", "1", "item_id attribute_labels", "id_1 1 1 0 -1")
    (item,) = open_dataset(f"deepfashion-consumer:{labelled}").training_items()
    assert item.attributes == {"kind": ("TOPS", "T_Shirt")}


BAD_ATTRIBUTES = [
    ("Anno/list_attr_items.txt", ("1", "x", "id_1 1 1 1"), r"items.txt:3: expected an item ID"),
    ("Anno/list_attr_items.txt", ("1", "x", "id_1 1 1 1 2"), r"labels of 1, 0 or -1"),
    ("Anno/list_attr_cloth.txt", ("1", "x", "短款 Short 3"), r"cloth.txt:3: .*in \[1, 2\]"),
    ("Anno/list_attr_cloth.txt", ("1", "x", "短款 1"), r"cloth.txt:3: expected an English name"),
    ("Anno/list_attr_type.txt", ("1", "x", "短款"), r"type.txt:3: expected a Chinese"),
    ("Anno/list_attr_type.txt", ("2", "x", "短款 a"), r"type.txt: expected 2 rows, .* got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "lines", "message"), BAD_ATTRIBUTES)
def test_damaged_attribute_lists_are_named(labelled, listed, name, lines, message):
    listed(name, *lines)
    data = open_dataset(f"deepfashion-consumer:{labelled}")
    with pytest.raises(DatasetError, match=message):
        data.training_items()


def test_attribute_labels_need_their_names(labelled):
    (labelled / "Anno/list_attr_type.txt").unlink()
    with pytest.raises(
        DatasetError, match=r"list_attr_type.txt is missing: expected DeepFashion's"
    ):
        open_dataset(f"deepfashion-consumer:{labelled}").training_items()


PAIR = CONSUMER[0]
BAD_PAIRS = [
    ((), r"partition.txt:1: expected the number of rows"),
    (("0", COLUMNS), r"partition.txt lists no pair"),
    (("5", COLUMNS, PAIR), r"expected 5 rows, as its first line says, got 1"),
    (("1", COLUMNS, PAIR.rpartition(" ")[0]), r"partition.txt:3: expected 'consumer photo, shop"),
    (("1", COLUMNS, PAIR.replace("train", "trial")), r"partition.txt:3: .*id_1 trial'"),
    (
        ("2", COLUMNS, PAIR, PAIR.replace("train", "test")),
        r"partition.txt:4: item id_1 is of the split test, and of train further up",
    ),
    (("1", COLUMNS, PAIR.replace("shop_01", "shop_09")), r"partition.txt:3: there is no file"),
    (("1", COLUMNS, PAIR.replace("img/TOPS", "img/../../TOPS")), r"leaves the data set's folder"),
    (("1", COLUMNS, "a.jpg img/b.jpg id_1 train"), r"partition.txt:3: .*folders such as img/TOPS"),
]


@pytest.mark.parametrize(("lines", "message"), BAD_PAIRS)
def test_damaged_pairs_are_named(consumer, listed, lines, message):
    listed(PARTITION, *lines)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"deepfashion-consumer:{consumer}")


def test_a_pair_that_is_listed_twice_counts_once(consumer, listed):
    listed(PARTITION, "2", COLUMNS, CONSUMER[3], CONSUMER[3], end="\r\n", mark="\ufeff")
    data = open_dataset(f"deepfashion-consumer:{consumer}")
    assert len(data.queries("test")) == 1
    assert data.products()[0].images == (f"{COAT}/shop_01.jpg",)


BAD_BOXES = [
    (f"{SHIRT}/shop_01.jpg 1 1 1 2 3", r"consumer2shop.txt:3: expected 7 columns, got 6"),
    (f"{SHIRT}/shop_01.jpg 1 1 1 2 3 -4", r":3: expected an edge in pixels .* got '-4'"),
    (f"{SHIRT}/shop_01.jpg 1 1 3 2 3 4", r":3: expected a box x1 y1 x2 y2 of some width"),
]


@pytest.mark.parametrize(("line", "message"), BAD_BOXES)
def test_damaged_boxes_are_named(consumer, listed, line, message):
    listed(BOXES, "1", "image_name ...", line)
    data = open_dataset(f"deepfashion-consumer:{consumer}")
    with pytest.raises(DatasetError, match=message):
        data.queries("test")


def test_missing_lists_and_pictures_unpacked_elsewhere(consumer):
    (consumer / "Img" / "img").rename(consumer / "img")
    assert open_dataset(f"deepfashion-consumer:{consumer}").root == consumer
    (consumer / PARTITION).unlink()
    with pytest.raises(
        DatasetError, match=r"list_eval_partition.txt is missing: expected DeepFash"
    ):
        open_dataset(f"deepfashion-consumer:{consumer}")


DRESS, TEE = "img/WOMEN/Dresses/id_00000002", "img/MEN/Tees_Tanks/id_00000007"
INSHOP = [
    f"{TEE}/01_1_front.jpg id_00000007 train",
    f"{TEE}/01_3_back.jpg id_00000007 train",
    f"{DRESS}/02_1_front.jpg id_00000002 query",
    f"{DRESS}/02_3_back.jpg id_00000002 gallery",
    f"{DRESS}/02_4_full.jpg id_00000002 gallery",
]
INSHOP_COLUMNS = "image_name item_id evaluation_status"


@pytest.fixture
def inshop(write, listed):
    listed(PARTITION, str(len(INSHOP)), INSHOP_COLUMNS, *INSHOP)
    return write(*(f"Img/{row.split()[0]}" for row in INSHOP))


def describe(inshop, value):
    (inshop / "Anno").mkdir(exist_ok=True)
    path = inshop / "Anno" / "list_description_inshop.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")


def test_in_shop_as_published(inshop):
    data = open_dataset(f"deepfashion-inshop:{inshop}")
    assert isinstance(data, Dataset)
    assert (data.root, data.splits) == (inshop / "Img", ("test",))
    (dress,) = data.products()
    assert (dress.id, dress.category) == ("id_00000002", ("WOMEN", "Dresses"))
    assert dress.images == (f"{DRESS}/02_3_back.jpg", f"{DRESS}/02_4_full.jpg")
    (query,) = data.queries("test")
    assert query.picture == inshop / "Img" / DRESS / "02_1_front.jpg"
    assert (query.products, query.category) == (frozenset({"id_00000002"}), "Dresses")
    assert data.is_seen("id_00000007")
    assert not data.is_seen("id_00000002")
    (item,) = data.training_items()
    assert item.street == ()
    assert item.shop == tuple(inshop / "Img" / TEE / n for n in ("01_1_front.jpg", "01_3_back.jpg"))
    assert item.attributes == {"kind": ("MEN", "Tees_Tanks")}
    with pytest.raises(ValueError, match="split must be test, the only one, got 'val'"):
        data.queries("val")
    with pytest.raises(ValueError, match="'id_9' is no product"):
        data.is_seen("id_9")


def test_in_shop_descriptions_and_boxes(inshop, listed):
    describe(
        inshop,
        [
            {"item": "id_00000007", "color": "Black-white", "description": ["Soft.", "Wash cold."]},
            {"item": "id_00000002", "description": "A dress."},
        ],
    )
    listed("Anno/list_bbox_inshop.txt", "1", "names", f"{TEE}/01_3_back.jpg 1 3 5 6 50 60")
    data = open_dataset(f"deepfashion-inshop:{inshop}")
    (item,) = data.training_items()
    assert item.attributes["colour"] == ("Black-white", "Black-white")
    assert item.boxes == {inshop / "Img" / TEE / "01_3_back.jpg": (5.0, 6.0, 50.0, 60.0)}
    assert data.products()[0].description == "A dress."


@pytest.mark.parametrize("text", ["{", "7", "[7]", '[{"color": "red"}]', "[" * 100_000])
def test_damaged_descriptions_are_named(inshop, text):
    describe(inshop, text)
    with pytest.raises(DatasetError, match=r"description_inshop.json: expected a JSON list of obj"):
        open_dataset(f"deepfashion-inshop:{inshop}").training_items()


ROW = INSHOP[0]
BAD_ROWS = [
    (("x", INSHOP_COLUMNS), r"partition.txt:1: expected the number of rows"),
    (("0", INSHOP_COLUMNS), r"partition.txt lists no picture"),
    (("2", INSHOP_COLUMNS, ROW, ROW), r"partition.txt:4: .*01_1_front.jpg is listed twice"),
    (("1", INSHOP_COLUMNS, ROW + " more"), r"partition.txt:3: expected 'picture, item ID, train"),
    (("1", INSHOP_COLUMNS, ROW.replace("train", "val")), r"partition.txt:3: expected 'picture"),
    (("1", INSHOP_COLUMNS, ROW.replace("01_1", "99")), r"partition.txt:3: there is no file"),
    (("1", INSHOP_COLUMNS, f"../{ROW}"), r"partition.txt:3: .* leaves the data set's folder"),
    (
        ("2", INSHOP_COLUMNS, ROW, INSHOP[2].replace(" id_00000002", " id_00000007")),
        r"partition.txt:4: item id_00000007 is for training and for testing",
    ),
]


@pytest.mark.parametrize(("lines", "message"), BAD_ROWS)
def test_damaged_in_shop_lists_are_named(inshop, listed, lines, message):
    listed(PARTITION, *lines)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"deepfashion-inshop:{inshop}")
