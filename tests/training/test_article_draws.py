"""The articles that a photo is compared with: right ones, others without replacement, anew."""

import collections

import numpy as np
import pytest

from snapshelf.training.article_draws import ArticleDraws

CANDIDATES = [2, 3, 5, 8, 9, 11, 12, 20]
RIGHT = [[3], [2, 20], [5, 8, 9]]


def test_all_right_ones_and_others_each_once():
    draws = ArticleDraws(RIGHT, CANDIDATES, articles=5, seed=1)
    assert draws.articles == 5
    rows, truth = draws.draw(0, 0, [0, 1, 2, 1])
    assert rows.shape == truth.shape == (4, 5)
    for photo, row, known in zip([0, 1, 2, 1], rows, truth, strict=True):
        assert len(set(row.tolist())) == 5
        assert set(row.tolist()) <= set(CANDIDATES)
        assert sorted(row[known].tolist()) == RIGHT[photo]
        assert not set(row[~known].tolist()) & set(RIGHT[photo])
    assert rows[1].tolist() != rows[3].tolist()


def test_each_other_article_is_as_likely():
    draws = ArticleDraws([[3, 9]], CANDIDATES, articles=4)
    seen = collections.Counter()
    for batch in range(600):
        rows, truth = draws.draw(0, batch, [0] * 5)
        seen.update(rows[~truth].tolist())
    # Two of six are drawn 3,000 times: each about 1,000 times, give or take 26.
    assert set(seen) == set(CANDIDATES) - {3, 9}
    assert max(abs(count - 1000) for count in seen.values()) < 130


def test_drawn_anew_and_the_same_again():
    draws = ArticleDraws(RIGHT, range(1000 - 1), articles=50, seed=3)
    rows, _ = draws.draw(1, 2, [0, 1])
    np.testing.assert_array_equal(rows, draws.draw(1, 2, [0, 1])[0])
    again = ArticleDraws(RIGHT, range(1000 - 1), articles=50, seed=3)
    np.testing.assert_array_equal(rows, again.draw(1, 2, [0, 1])[0])
    for epoch, batch, other in ((0, 2, draws), (1, 3, draws)):
        assert not np.array_equal(rows, other.draw(epoch, batch, [0, 1])[0])
    other = ArticleDraws(RIGHT, range(1000 - 1), articles=50, seed=4)
    assert not np.array_equal(rows, other.draw(1, 2, [0, 1])[0])


def test_one_right_article_for_the_ranking_loss():
    draws = ArticleDraws(RIGHT, CANDIDATES, articles=5, most_right=1)
    chosen = set()
    for batch in range(40):
        rows, truth = draws.draw(0, batch, [2])
        assert truth.sum() == 1
        chosen.update(rows[truth].tolist())
        # Another right article is no wrong one.
        assert not set(rows[~truth].tolist()) & {5, 8, 9}
    assert chosen == {5, 8, 9}


def test_few_articles_and_many_right_ones():
    # With one right of each, five others are left beside the photo that has three.
    assert ArticleDraws(RIGHT, CANDIDATES, articles=50, most_right=1).articles == 6
    everything = ArticleDraws(RIGHT, CANDIDATES, articles=50)
    assert everything.articles == 8
    rows, truth = everything.draw(0, 0, [2])
    assert sorted(rows[0].tolist()) == CANDIDATES
    assert truth.sum() == 3
    rows, truth = ArticleDraws(RIGHT, CANDIDATES, articles=2).draw(0, 0, [2])
    assert truth.tolist() == [[True, True]]
    rows, truth = ArticleDraws([[7]], [7], articles=50).draw(0, 0, [0])
    assert (rows.tolist(), truth.tolist()) == ([[7]], [[True]])


@pytest.mark.parametrize(
    ("right", "numbers", "message"),
    [
        ([[]], {}, "photo 0 must be at least one of the candidates, got"),
        ([[3], [4]], {}, r"photo 1 must be at least one of the candidates, got \[4\]"),
        ([[3]], {"articles": 1}, "articles must be at least 2"),
        ([[3]], {"most_right": 0}, "most_right at least 1"),
    ],
)
def test_what_cannot_be_drawn(right, numbers, message):
    with pytest.raises(ValueError, match=message):
        ArticleDraws(right, CANDIDATES, **{"articles": 5} | numbers)
