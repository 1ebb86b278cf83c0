"""Names in a picture do not lie over one another."""

import random
from itertools import combinations, pairwise

from lt_lightning.figures.labels import apart


def test_labels_that_are_apart_stay():
    boxes = [(0.0, 0.0, 10.0), (11.0, 0.0, 10.0), (0.0, 5.0, 10.0)]
    assert apart(boxes, 5.0) == [0.0, 0.0, 5.0]


def test_two_that_overlap_move_by_half_each():
    assert apart([(0.0, 0.0, 10.0), (4.0, 1.0, 10.0)], 5.0) == [-2.0, 3.0]


def test_equal_ones_come_apart():
    found = sorted(apart([(0.0, 0.0, 10.0)] * 3, 2.0))
    assert all(b - a >= 2 - 1e-6 for a, b in pairwise(found))


def test_twelve_names_anywhere_do_not_overlap():
    draw = random.Random(0)
    boxes = [(draw.uniform(0, 300), draw.uniform(0, 300), draw.uniform(20, 80)) for _ in range(12)]
    places = apart(boxes, 13.0)
    for a, b in combinations(range(12), 2):
        beside = abs(boxes[a][0] - boxes[b][0]) >= (boxes[a][2] + boxes[b][2]) / 2
        assert beside or abs(places[a] - places[b]) >= 13 - 1e-6
