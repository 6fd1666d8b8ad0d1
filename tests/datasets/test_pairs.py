"""Tables of one's own: articles, and the photos that show them."""

import pytest

from snapshelf.datasets import Dataset, TrainingData, TrainingItem, open_dataset, open_training_data
from snapshelf.datasets.hashed_split import hashed_split
from snapshelf.errors import DatasetError

ARTICLES = (
    "article,split,picture,category,title,neckline,colour",
    "shirt-1,train,titles/1.jpg,Apparel > Shirts,A shirt,v-neck,warm/red",
    "shirt-2,test,titles/2.jpg,Apparel > Shirts,,crew,",
    "jeans-3,test,titles/3.jpg,Trousers,,,cold/blue",
    "jeans-4,val,titles/4.jpg,,,,",
    "jeans-5,train,titles/5.jpg,,,,",
)
PAIRS = (
    "photo,article",
    "photos/a.jpg,shirt-1",
    "photos/b.jpg,jeans-3",
    "photos/b.jpg,shirt-2",
    "photos/c.jpg,shirt-2",
    "photos/c.jpg,shirt-1",
    "photos/d.jpg,jeans-4",
    "photos/e.jpg,jeans-4",
    "photos/e.jpg,jeans-3",
    "photos/b.jpg,jeans-3",
)


@pytest.fixture
def folder(write, listed):
    listed("articles.csv", *ARTICLES)
    listed("pairs.csv", *PAIRS, end="\r\n", mark="\ufeff")
    return write(
        *(f"titles/{number}.jpg" for number in range(1, 6)),
        *(f"photos/{letter}.jpg" for letter in "abcde"),
    )


def photos_of(data, split):
    return {query.picture.name: query for query in data.queries(split)}


def test_training_articles_are_kept_out_of_the_retrieval_set(folder):
    data = open_dataset(f"pairs:{folder}")
    assert isinstance(data, Dataset)
    assert isinstance(data, TrainingData)
    assert (data.root, data.splits) == (folder, ("val", "test"))
    assert [product.id for product in data.products()] == ["shirt-2", "jeans-3", "jeans-4"]
    shirt = data.products()[0]
    assert (shirt.category, shirt.images) == (("Apparel", "Shirts"), ("titles/2.jpg",))
    seen = {name: data.is_seen(name) for name in ("shirt-1", "shirt-2", "jeans-4", "jeans-5")}
    assert seen == {"shirt-1": True, "shirt-2": False, "jeans-4": False, "jeans-5": True}
    with pytest.raises(ValueError, match="'x' is no product of the data set pairs"):
        data.is_seen("x")


def test_a_photo_with_a_training_article_is_no_query(folder):
    """Section 5.1; and one that shows articles of both held-back splits is of neither."""
    data = open_dataset(f"pairs:{folder}")
    test = photos_of(data, "test")
    assert test.keys() == {"b.jpg"}
    assert test["b.jpg"].products == frozenset({"shirt-2", "jeans-3"})
    assert (test["b.jpg"].category, test["b.jpg"].box) == ("Trousers", None)
    val = photos_of(data, "val")
    assert val.keys() == {"d.jpg"}
    assert val["d.jpg"].category == "articles"
    with pytest.raises(ValueError, match="split must be one of val, test, got 'train'"):
        data.queries("train")


def test_training_has_the_training_articles_and_no_test_photo(folder):
    shirt, jeans = open_training_data(f"pairs:{folder}").training_items()
    assert shirt == TrainingItem(
        "shirt-1",
        street=(folder / "photos/a.jpg", folder / "photos/c.jpg"),
        shop=(folder / "titles/1.jpg",),
        attributes={
            "category": ("Apparel", "Shirts"),
            "neckline": ("v-neck", "v-neck"),
            "colour": ("warm", "red"),
        },
    )
    assert jeans == TrainingItem("jeans-5", street=(), shop=(folder / "titles/5.jpg",))


def test_without_a_column_the_id_decides_the_split(folder, listed, write):
    names = [f"a{number}" for number in range(200)]
    write(*(f"titles/{name}.jpg" for name in names))
    listed("articles.csv", "picture,article", *(f"titles/{name}.jpg,{name}" for name in names))
    listed("pairs.csv", "article,photo", *(f"{name},photos/a.jpg" for name in names[:1]))
    data = open_dataset(f"pairs:{folder}")
    trained = {item.product_id for item in data.training_items()}
    kept = {product.id for product in data.products()}
    assert trained | kept == set(names)
    assert not trained & kept
    assert 120 < len(trained) < 160  # seven in ten
    assert all((hashed_split(name) == "train") == (name in trained) for name in names)
    listed("articles.csv", "picture,article", *(f"titles/{n}.jpg,{n}" for n in names[:100]))
    fewer = open_dataset(f"pairs:{folder}")
    assert {product.id for product in fewer.products()} == kept & set(names[:100])


def test_a_table_as_a_spreadsheet_writes_it(folder, listed):
    listed(
        "articles.csv",
        'article , picture,split,"the note"',
        "",
        '1,titles/1.jpg,test,"with a, comma',
        'and a line"',
        ",,,",
        "2, titles/2.jpg ,test,",
    )
    listed("pairs.csv", "photo,article", "/photos/a.jpg,1", "photos/./a.jpg,2")
    data = open_dataset(f"pairs:{folder}")
    assert [product.id for product in data.products()] == ["1", "2"]
    (query,) = data.queries("test")
    assert query.picture == folder / "photos/a.jpg"
    assert query.products == frozenset({"1", "2"})


HEAD = "article,picture,split"
BAD_ARTICLES = [
    ((), r"articles.csv:1: expected the columns article, picture, got an empty file"),
    ((HEAD,), r"articles.csv lists no article"),
    (("id,picture", "1,titles/1.jpg"), r":1: expected the columns article, picture and any other"),
    (("article,picture,a,a",), r"articles.csv:1: expected the columns .* each once"),
    (("article,picture,",), r"articles.csv:1: .*with a name, got \['article', 'picture', ''\]"),
    ((HEAD, "1,titles/1.jpg"), r"articles.csv:2: expected 3 fields, got 2"),
    ((HEAD, ",titles/1.jpg,test"), r":2: expected an ID in the column article"),
    ((HEAD, "1,titles/9.jpg,test"), r":2: there is no file .*titles/9.jpg; give a path relative"),
    ((HEAD, "1,,test"), r":2: there is no file"),
    ((HEAD, "1,../up.jpg,test"), r":2: the path '../up.jpg' leaves the data set's folder"),
    ((HEAD, "1,titles/../../up.jpg,test"), r":2: .* leaves the data set's folder"),
    ((HEAD, "1,titles/1.jpg,"), r":2: expected a split of train, val, test, got ''"),
    ((HEAD, "1,titles/1.jpg,Test"), r":2: expected a split of train, val, test, got 'Test'"),
    ((HEAD, *["1,titles/1.jpg,test"] * 2), r":3: article '1' is listed twice, expected once"),
    (("article,picture,category", "1,titles/1.jpg,A >"), r":2: expected a category such as"),
    (("article,picture,colour", "1,titles/1.jpg,/red"), r":2: expected 'group/value' or 'value'"),
    ((HEAD, '"1"x,titles/1.jpg,test'), r"articles.csv:2: is no CSV"),
    ((HEAD, f"{'1' * 140_000},titles/1.jpg,test"), r"articles.csv:2: is no CSV"),
    ((HEAD, "1,titles/\x00.jpg,test"), r":2: there is no file"),
]


@pytest.mark.parametrize(("lines", "message"), BAD_ARTICLES)
def test_damaged_articles_are_named(folder, listed, lines, message):
    (folder.parent / "up.jpg").write_bytes(b"outside")
    listed("articles.csv", *lines)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"pairs:{folder}")


BAD_PAIRS = [
    (("photo,article",), r"pairs.csv lists no pair"),
    (("photo,article,more",), r"pairs.csv:1: expected the columns photo, article, each once"),
    (("photo,article", "photos/a.jpg,nobody"), r"pairs.csv:2: there is no article 'nobody' in art"),
    (("photo,article", "photos/a.jpg,"), r"pairs.csv:2: there is no article '' in articles.csv"),
    (("photo,article", "photos/z.jpg,shirt-1"), r"pairs.csv:2: there is no file .*photos/z.jpg; g"),
    (("photo,article", "../up.jpg,shirt-1"), r"pairs.csv:2: .* leaves the data set's folder"),
    (("photo,article", ",shirt-1"), r"pairs.csv:2: there is no file"),
]


@pytest.mark.parametrize(("lines", "message"), BAD_PAIRS)
def test_damaged_pairs_are_named(folder, listed, lines, message):
    (folder.parent / "up.jpg").write_bytes(b"outside")
    listed("pairs.csv", *lines)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"pairs:{folder}")


@pytest.mark.parametrize("name", ["articles.csv", "pairs.csv"])
def test_missing_and_unreadable_tables_are_named(folder, name):
    (folder / name).write_bytes(b"photo,article\n\xff\xfe")
    with pytest.raises(DatasetError, match=rf"{name} cannot be read .*expected UTF-8 text"):
        open_dataset(f"pairs:{folder}")
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=rf"{name} is missing: expected a folder with articles"):
        open_dataset(f"pairs:{folder}")
