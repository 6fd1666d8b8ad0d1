"""Some of many things."""

import numpy as np

from snapshelf.media.spread import spread


def test_few_things_of_many_are_kept_at_even_distances():
    for most in (1, 2, 5, 32):
        for total in (0, 1, most, 2 * most - 1, 2 * most, 500):
            kept = list(spread(iter(range(total)), most))
            assert min(total, most) <= len(kept) < 2 * most
            assert len(set(np.diff(kept).tolist())) <= 1
            assert not kept or (kept[0] == 0 and total - kept[-1] <= max(total // most, 1) * 2)
