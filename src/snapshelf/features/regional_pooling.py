"""Regional pooling: maxima over a grid of square regions, normalised and summed.

Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval, eq. 3 to 5, on the grid
of Tolias, Sicre, Jegou: Particular Object Retrieval with Integral Max-Pooling of CNN Activations
(2016), section 3.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["GridScale", "r_mac", "ra_mac", "region_grid"]

ALONG = range(2, 8)
"""How many regions of the coarsest scale may lie along the longer side."""


@dataclass(frozen=True, slots=True)
class GridScale:
    """The regions of one scale, spread evenly over the map.

    Region i of n along a side of length s begins at ``floor(i * (s - side) / (n - 1))``, the only
    one of n = 1 at 0.

    Attributes:
        side: Of each square region, in places of the map, at least 1.
        rows: Regions from top to bottom, at least 1.
        columns: Regions from left to right, at least 1.
    """

    side: int
    rows: int
    columns: int


def region_grid(
    height: int, width: int, *, scales: int = 3, overlap: float = 0.4
) -> tuple[GridScale, ...]:
    """Lay the grid of R-MAC over a map.

    At scale l the regions have the side ``floor(2 * min(height, width) / (l + 1))``, at least 1,
    and there are l of them along the shorter side. Along the longer side there are l + m - 1,
    where m of 2 to 7 makes neighbours of the first scale overlap as nearly as possible by the
    wanted part; of two that are equally near, the fewer. A square map has m = 1.

    Regions may coincide where a map has fewer places than a scale has regions; each counts. On a
    map more than seven times as long as wide, places may lie between the regions.

    Args:
        height: Of the map, at least 1.
        width: Of the map, at least 1.
        scales: How many, at least 1.
        overlap: Wanted, as a part of a region's side, in [0, 1).

    Returns:
        The scales from the coarsest to the finest.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> for scale in region_grid(24, 32):
        ...     print(scale)
        GridScale(side=24, rows=1, columns=2)
        GridScale(side=16, rows=2, columns=3)
        GridScale(side=12, rows=3, columns=4)
    """
    if height < 1 or width < 1:
        raise ValueError(f"height and width must be at least 1, got {height} and {width}")
    if scales < 1:
        raise ValueError(f"scales must be at least 1, got {scales}")
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap must be in [0, 1), got {overlap}")
    short, long = min(height, width), max(height, width)
    extra = 0 if short == long else _along(short, long, overlap) - 1
    down, across = (extra, 0) if height > width else (0, extra)
    return tuple(
        GridScale(max(1, 2 * short // (level + 1)), level + down, level + across)
        for level in range(1, scales + 1)
    )


def r_mac(features: Tensor, *, scales: int = 3, overlap: float = 0.4, eps: float = 1e-6) -> Tensor:
    """Sum the L2-normalised maxima of regions (R-MAC), eq. 3.

    ``sum over regions k of R_k / |R_k|``, where R_k holds each channel's largest activation in
    region k. The equation divides by ``norm(R)``; it is read as each region's own norm, since
    the text normalises them one by one. The sum is not normalised again.

    Args:
        features: (B, C, H, W) float, H and W at least 1.
        scales: Of the grid, see `region_grid`.
        overlap: Of the grid.
        eps: Above 0. A region whose norm is smaller is divided by it instead, so that a region
            of zeros adds zeros, and gradients stay finite.

    Returns:
        (B, C) float, of a norm of at most the number of regions; zeros where the map is all zeros.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        The 14 regions of a square map with the same activations everywhere:

        >>> features = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1).expand(1, 2, 7, 7)
        >>> [round(value, 3) for value in r_mac(features)[0].tolist()]
        [8.4, 11.2]
    """
    grid = region_grid(*features.shape[2:], scales=scales, overlap=overlap)
    return _region_vectors(features, grid, eps).sum(2)


def ra_mac(features: Tensor, *, scales: int = 3, overlap: float = 0.4, eps: float = 1e-6) -> Tensor:
    """Sum the L2-normalised maxima of regions, each times its attention (RA-MAC), eq. 4 and 5.

    A place attends where its activations, summed over the channels, exceed (strictly) the mean of
    these sums over the map, eq. 4. A region's attention is the part of its places that do. Where
    no region has any, as on a map that is the same everywhere, eq. 5 would give a zero vector,
    which cannot be normalised: all regions then count fully, as in `r_mac`.

    The sums are compared in float32 at least, whatever the type of the features. No gradient
    flows through the comparison. Sums that differ by no more than rounding say nothing: the
    tokens of a transformer right after a layer norm with equal scales are such.

    Args:
        features: (B, C, H, W) float, H and W at least 1.
        scales: Of the grid, see `region_grid`.
        overlap: Of the grid.
        eps: Above 0; see `r_mac`.

    Returns:
        (B, C) float, of a norm of at most the number of regions; zeros where the map is all zeros.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        One place of four attends: it is a quarter of the first region, and one of four at each
        finer scale, where the others do not count:

        >>> features = torch.tensor([[[[5.0, 1.0], [1.0, 1.0]]]])
        >>> ra_mac(features, scales=1).item(), ra_mac(features, scales=2).item()
        (0.25, 1.25)
    """
    grid = region_grid(*features.shape[2:], scales=scales, overlap=overlap)
    exact = torch.promote_types(features.dtype, torch.float32)
    sums = features.detach().sum(1, keepdim=True, dtype=exact)
    attends = (sums > sums.mean((2, 3), keepdim=True)).to(exact)
    attention = _over_regions(attends, grid, torch.nn.functional.avg_pool2d)
    attention = torch.where(attention.amax(2, keepdim=True) > 0, attention, 1.0)
    vectors = _region_vectors(features, grid, eps)
    return (attention.to(vectors.dtype) * vectors).sum(2)


def _along(short: int, long: int, overlap: float) -> int:
    """Choose how many regions of the shorter side's length lie along the longer side."""

    def miss(count: int) -> float:
        # Rounded, so that rounding does not choose between two that are equally near.
        return round(abs(1 - (long - short) / (count - 1) / short - overlap), 9)

    return min(ALONG, key=miss)


def _region_vectors(features: Tensor, grid: Sequence[GridScale], eps: float) -> Tensor:
    """Give the L2-normalised maxima of each region, (B, C, K)."""
    if eps <= 0:
        raise ValueError(f"eps must be above 0, got {eps}")
    # Maxima over squares are ten times as fast on a processor where channels lie together.
    together = features.contiguous(memory_format=torch.channels_last)
    maxima = _over_regions(together, grid, torch.max_pool2d)
    return torch.nn.functional.normalize(maxima, dim=1, eps=eps)


def _over_regions(
    maps: Tensor, grid: Sequence[GridScale], pool: Callable[[Tensor, int, int], Tensor]
) -> Tensor:
    """Pool (B, C, H, W) over each of K regions, (B, C, K)."""
    regions = []
    for scale in grid:
        everywhere = pool(maps, scale.side, 1)
        rows = _starts(everywhere.shape[2], scale.rows, maps.device)
        columns = _starts(everywhere.shape[3], scale.columns, maps.device)
        regions.append(everywhere.index_select(2, rows).index_select(3, columns).flatten(2))
    return torch.cat(regions, 2)


def _starts(positions: int, count: int, device: torch.device) -> Tensor:
    """Spread regions evenly over the positions that they can begin at, (count,) int64.

    Reckoned where the map is: copying them to a GPU would make it wait.
    """
    return torch.arange(count, device=device) * (positions - 1) // max(count - 1, 1)
