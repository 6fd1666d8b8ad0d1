"""Rows as columns: each value in its place, and none of a row that does not fit."""

import numpy as np
import pytest

from snapshelf.store.milvus.columns import columns_of

FIELDS = [
    {"name": "region", "type": 5},
    {"name": "vector", "type": 101},
    {"name": "tokens", "type": 22},
]


def row(number: int, vector: object) -> dict[str, object]:
    return {"vector": vector, "tokens": [number] * number, "region": number}


def test_columns_hold_the_rows_values_in_the_order_of_the_fields() -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    region, vector, tokens = columns_of([row(n, vectors[n]) for n in range(3)], FIELDS)
    assert (region["name"], region["type"], region["values"]) == ("region", 5, [0, 1, 2])
    assert (tokens["name"], tokens["values"]) == ("tokens", [[], [1], [2, 2]])
    assert (vector["name"], vector["type"]) == ("vector", 101)
    assert all(type(value) is float for each in vector["values"] for value in each)
    assert np.array_equal(np.array(vector["values"], np.float32), vectors)


def test_embeddings_may_be_lists() -> None:
    given = [[1.0, -0.5], [0.25, 0.0]]
    columns = columns_of([row(n, given[n]) for n in range(2)], FIELDS)
    assert columns[1]["values"] == given


@pytest.mark.parametrize("changed", [{"region": 1, "vector": []}, {**row(1, []), "more": 1}])
def test_a_row_of_other_fields_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a row has the fields \[.*\], its collection has"):
        columns_of([row(0, [1.0]), changed], FIELDS)
