"""Colours and containers that are told from pictures and names."""

import colorsys

import numpy as np
import pytest

from snapshelf.catalog.product import Product
from snapshelf.datasets import open_training_data
from snapshelf.datasets.container import container
from snapshelf.datasets.derived_attributes import (
    COLOURS,
    TEMPERATURES,
    colour_names,
    dominant_colour,
)

# Web colours whose names nobody disputes.
KNOWN = {
    "black": [(0, 0, 0), (20, 20, 20)],
    "blue": [(0, 0, 255), (30, 60, 160), (70, 130, 180), (0, 0, 128)],
    "brown": [(139, 69, 19), (101, 67, 33), (160, 110, 60)],
    "green": [(0, 128, 0), (60, 179, 113), (124, 200, 40), (0, 255, 0)],
    "grey": [(128, 128, 128), (100, 102, 99), (169, 169, 169)],
    "orange": [(255, 140, 0), (240, 120, 20)],
    "pink": [(255, 105, 180), (255, 182, 193)],
    "purple": [(128, 0, 128), (148, 0, 211)],
    "red": [(220, 20, 20), (178, 34, 34), (255, 0, 0)],
    "white": [(255, 255, 255), (240, 240, 238)],
    "yellow": [(255, 225, 0), (240, 200, 40)],
}


def test_every_colour_is_known_to_the_test_and_has_a_group():
    assert tuple(KNOWN) == COLOURS
    assert TEMPERATURES.keys() == set(COLOURS)


@pytest.mark.parametrize("name", COLOURS)
def test_plain_colours_have_their_names(name):
    picture = np.array([KNOWN[name]], np.uint8)
    assert [COLOURS[number] for number in colour_names(picture)[0]] == [name] * len(KNOWN[name])


def test_hues_follow_each_other_around_the_circle():
    hues = [colorsys.hsv_to_rgb(hue / 360, 1, 1) for hue in range(360)]
    names = colour_names((np.array([hues]) * 255).round().astype(np.uint8))[0]
    turns = [
        COLOURS[number]
        for number, before in zip(names, np.roll(names, 1), strict=True)
        if number != before
    ]
    start = turns.index("orange")
    round_trip = turns[start:] + turns[:start]
    assert round_trip == ["orange", "yellow", "green", "blue", "purple", "pink", "red"]


@pytest.mark.parametrize("name", ["red", "green", "blue", "yellow", "black"])
def test_an_items_colour_is_told_from_its_white_ground(name):
    picture = np.full((120, 80, 3), 255, np.uint8)
    picture[40:80, 30:60] = KNOWN[name][0]  # a tenth of the picture
    assert dominant_colour(picture) == (TEMPERATURES[name], name)


def test_a_white_item_on_white_is_white_and_one_pixel_is_enough():
    picture = np.full((50, 50, 3), 255, np.uint8)
    assert dominant_colour(picture) == ("neutral", "white")
    assert dominant_colour(np.full((1, 1, 3), (0, 128, 0), np.uint8)) == ("cool", "green")


@pytest.mark.parametrize(
    ("product_id", "category", "value"),
    [
        ("Arla-Natural-Yoghurt", ("Packages", "Yoghurt"), ("package", "brick carton")),
        ("Valio-Vanilla-Yoghurt", ("Packages", "Yoghurt"), ("package", "gable-top carton")),
        ("Yoggi-Vanilla-Yoghurt", ("Packages", "Yoghurt"), ("package", "bottle")),
        ("Vine-Tomato", ("Vegetables", "Tomato"), ("loose", "bunch")),
        ("Beef-Tomato", ("Vegetables", "Tomato"), ("loose", "piece")),
        ("Bread", ("Bakery", "Bread"), None),
    ],
)
def test_containers_follow_the_first_rule_that_fits(product_id, category, value):
    assert container(Product(id=product_id, category=category)) == value


@pytest.mark.data
def test_real_studio_pictures_have_the_colours_that_people_see(data_dir):
    items = open_training_data(f"grocery:{data_dir / 'grocery'}").training_items()
    colours = {item.product_id: item.attributes["colour"][1] for item in items}
    seen = {
        "Arla-Natural-Yoghurt": "white",
        "Avocado": "brown",
        "Beef-Tomato": "red",
        "Carrots": "orange",
        "God-Morgon-Orange-Juice": "black",
        "Granny-Smith": "green",
        "Lemon": "yellow",
        "Orange": "orange",
        "Royal-Gala": "red",
        "Tropicana-Apple-Juice": "green",
        "Zucchini": "green",
    }
    assert {product_id: colours[product_id] for product_id in seen} == seen
