"""The contact sheet as a function: what lies where, and that rows don't depend on each other."""

import numpy as np
import pytest
from augmentation_pictures import mug, photo

from snapshelf.training.augmentation import Backgrounds, DomainShift, shop_view, street_view
from snapshelf.training.augmentation.contact_sheet import contact_sheet, shop_views


def sheet(sources, *, views=3, size=30, seed=0):
    return contact_sheet(
        sources,
        views=views,
        size=size,
        seed=seed,
        settings=DomainShift(),
        backgrounds=Backgrounds(),
    )


def cell(drawn, row, column, size=30):
    y, x = row * (size + 2), column * (size + 2)
    return drawn[y : y + size, x : x + size]


def test_the_views_are_those_that_the_seed_and_the_row_give():
    drawn = sheet([mug(), photo()], seed=9)
    rng = np.random.default_rng([9, 1])
    for column in range(3):
        view = street_view(photo(), size=(30, 30), rng=rng)
        assert np.array_equal(cell(drawn, 1, 2 + column), view)
    for column in range(2):
        assert np.array_equal(
            cell(drawn, 1, 5 + column), shop_view(photo(), size=(30, 30), rng=rng)
        )


def test_a_row_does_not_depend_on_the_others():
    assert np.array_equal(sheet([mug(), photo()])[:30], sheet([mug(), mug()])[:30])


def test_a_matte_is_shown_in_grey_and_all_white_where_it_is_not_known():
    drawn = sheet([mug((60, 60)), photo((60, 60))])
    matte = cell(drawn, 0, 1)
    assert matte[0, 0].tolist() == [0, 0, 0]
    assert matte[15, 15].tolist() == [255, 255, 255]
    assert (cell(drawn, 1, 1) == 255).all()


@pytest.mark.parametrize(("views", "expected"), [(1, 1), (2, 1), (3, 2), (8, 4)])
def test_half_as_many_shop_views_rounded_up(views, expected):
    assert shop_views(views) == expected
    assert sheet([mug()], views=views, size=8).shape == (8, (2 + views + expected) * 10 - 2, 3)


@pytest.mark.parametrize("wrong", [{"sources": []}, {"views": 0}, {"size": 0}])
def test_nothing_to_draw_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        sheet(**{"sources": [mug()], **wrong})
