"""Where Studio2Shop's query network and match begin: where their articles' features already are.

Few photos cannot teach dense layers that start from random numbers what the articles' own features
tell apart. So a photo's features begin as what the articles' system makes of photos, and the
non-linear match as a distance; training goes on from there. The paper tells nothing of how its
layers begin. That photos lie apart from title pictures, whatever they show, is taken out: each side
is centred by its own mean, as by a whitening with a mean for each domain.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.attribute_network import AttributeNetwork
from snapshelf.features.backbones import feature_map
from snapshelf.features.encoder import Encoder
from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.whitening import WhitenedEncoder
from snapshelf.matching.studio_matcher import StudioMatcher
from snapshelf.training.training_error import TrainingError

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = [
    "centre_dots",
    "copy_fashion_dna",
    "mean_features",
    "pooled_map",
    "start_as_distance",
    "start_by_regression",
]

RIDGES = tuple(10.0**power for power in range(-4, 5))
"""Among which cross-validation chooses, as shares of the mean variance of what is read."""

FloatArray = NDArray[np.float32]


def copy_fashion_dna(network: QueryNetwork, articles: Encoder) -> bool:
    """Let a query network begin as the FashionDNA that gives the articles' features.

    The backbone and the layer *fDNA* are copied into the backbone and the first dense layer, and
    the PCA into the others: ``relu(y) - relu(-y) = y`` brings its coordinates through the second
    layer's ReLU. Dense units that are left over begin at random and count for nothing at first.
    Of FashionDNA's features only the L2 norm of *fDNA* is missing.

    Args:
        network: Changed in place, if it can be.
        articles: The articles' encoder.

    Returns:
        Whether it was: `articles` is FashionDNA with the same backbone and grid, and the dense
        layers are long enough.
    """
    if not isinstance(articles, WhitenedEncoder):
        return False
    inner = articles.encoder
    if not isinstance(inner, NetworkEncoder) or not isinstance(inner.network, AttributeNetwork):
        return False
    dna = inner.network
    grid = (dna.grid, dna.grid) if isinstance(dna.grid, int) else tuple(dna.grid)
    first, second, last = _dense(network)
    projection = torch.from_numpy(articles.whitening.projection.T.copy())
    own, theirs = network.backbone.state_dict(), dna.backbone.state_dict()
    same = own.keys() == theirs.keys() and all(own[k].shape == theirs[k].shape for k in own)
    if not same or grid != network.grid or network.batch_norm != dna.batch_norm:
        return False
    if first.out_features < max(dna.dimension, 2 * len(projection)):
        return False
    network.backbone.load_state_dict(theirs)
    with torch.no_grad():
        first.weight[: dna.dimension] = dna.first.weight
        first.bias[: dna.dimension] = dna.first.bias
        _write_signed(second, projection, torch.zeros(len(projection)))
        _join_signs(last, torch.eye(len(projection)))
    return True


def start_by_regression(network: QueryNetwork, pooled: FloatArray, wanted: FloatArray) -> None:
    """Let a query network begin as a linear map of its backbone's pooled features.

    A ridge regression, its strength chosen by leaving one photo out at a time. Where the dense
    layers are too short for both signs of every coordinate, the axes along which the photos differ
    most are brought through.

    Args:
        network: Its dense layers are changed in place.
        pooled: (Q, C) float32, what `pooled_map` gives of photos, Q >= 2.
        wanted: (Q, D) float32, the features that they should have.

    Raises:
        TrainingError: If there are fewer than two photos.
    """
    from sklearn.linear_model import RidgeCV

    if len(pooled) < 2:
        raise TrainingError(
            f"features need at least 2 photos to begin from, got {len(pooled)}: give more photos, "
            "or start = 'random'"
        )
    first, second, last = _dense(network)
    variance = float(pooled.var(0).mean()) * len(pooled)
    ridge = RidgeCV(alphas=[share * max(variance, 1e-12) for share in RIDGES])
    ridge.fit(pooled.astype(np.float64), wanted.astype(np.float64))
    weight = np.reshape(ridge.coef_, (wanted.shape[1], -1))
    axes = _leading_axes((pooled - pooled.mean(0)) @ weight.T, first.out_features // 2)
    count = len(axes)
    cells = network.grid[0] * network.grid[1]
    # The map is flattened channel by channel, so each channel's cells follow one another.
    spread = np.repeat(axes @ weight, cells, axis=1) / cells
    with torch.no_grad():
        _write_signed(first, torch.from_numpy(spread).float(), torch.zeros(count))
        _pass(second, 2 * count)
        _join_signs(last, torch.from_numpy(axes.T.copy()).float())
        # An optimiser's steps are as long for small weights as for large ones, and those spread
        # over all cells are small: what goes through a ReLU can be scaled and scaled back.
        size = float(first.weight[: 2 * count].square().mean().sqrt())
        scale = _usual_size(first) / max(size, 1e-9)
        first.weight[: 2 * count] *= scale
        last.weight /= scale
        last.bias.copy_(torch.from_numpy(np.reshape(ridge.intercept_, -1)).float())


def start_as_distance(
    matcher: StudioMatcher, photos: FloatArray, features: FloatArray, share: float
) -> None:
    """Let the non-linear match begin as an L1 distance between features centred on their own side.

    The first layer's units are ``relu(q_k - a_k)`` and ``relu(a_k - q_k)`` of as many coordinates
    as there are pairs of units, the second layer leaves them, and the output falls with their
    sum. The log-odds of pairs at random have a deviation of 1 around those of `share`.

    Args:
        matcher: Changed in place.
        photos: (Q, D) float32, features of photos, Q >= 1.
        features: (N, D) float32, features of articles, N >= 1.
        share: In (0, 1), of right pairs among those that are trained on.
    """
    pairs = min(matcher.first.out_features // 2, matcher.dimension)
    queries, articles = torch.from_numpy(photos), torch.from_numpy(features)
    means = torch.cat([queries.mean(0), articles.mean(0)])
    variances = torch.cat([queries.var(0, correction=0), articles.var(0, correction=0)])
    norm = matcher.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        norm.running_mean.copy_(means)
        norm.running_var.copy_(variances)
        deviation = (variances + norm.eps).sqrt()
        lengths = [
            (side - side.mean(0)).norm(dim=1).mean().clamp(min=1e-6) for side in (queries, articles)
        ]
        side = torch.eye(matcher.dimension)[:pairs]
        compared = torch.cat([side / lengths[0], -side / lengths[1]], dim=1) * deviation
        matcher.first.weight[: 2 * pairs] = torch.cat([compared, -compared])
        matcher.first.bias[: 2 * pairs] = 0
        _pass(matcher.second, 2 * pairs)
        # Units that are left over begin at random, and count for nothing at first.
        matcher.output.weight.zero_()
        matcher.output.weight[0, : 2 * pairs] = -1
        matcher.output.bias.zero_()
        training = matcher.training
        odds = matcher.eval()(
            queries[:256], _drawn(articles)[None].expand(len(queries[:256]), -1, -1)
        )
        matcher.train(training)
        scale = 1 / float(odds.std().clamp(min=1e-6))
        matcher.output.weight.mul_(scale)
        matcher.output.bias.fill_(float(np.log(share / (1 - share))) - scale * float(odds.mean()))


def centre_dots(network: QueryNetwork, photos: FloatArray, features: FloatArray | None) -> None:
    """Take the photos' mean out of what a query network gives, and give it a length.

    Args:
        network: Its last layer is changed in place.
        photos: (Q, D) float32, what it gives of photos now, Q >= 1.
        features: (N, D) float32, of articles: the dot products with photos then have a deviation
            of 1. None for features of mean length 1, where a match compares them.
    """
    mean = photos.mean(0)
    centred = photos - mean
    if features is None:
        spread = float(np.linalg.norm(centred, axis=1).mean())
    else:
        spread = float((centred[:256] @ _drawn(torch.from_numpy(features)).numpy().T).std())
    scale = 1 / max(spread, 1e-6)
    last = _dense(network)[2]
    with torch.no_grad():
        last.bias.sub_(torch.from_numpy(mean)).mul_(scale)
        last.weight.mul_(scale)


def mean_features(features: FloatArray, right: Sequence[Sequence[int]]) -> FloatArray:
    """Give for each photo the mean of its articles' features.

    Args:
        features: (N, D) float32, of articles.
        right: For each of Q photos the rows of its articles, at least one.

    Returns:
        (Q, D) float32.
    """
    return np.stack([features[list(rows)].mean(0) for rows in right])


def pooled_map(network: QueryNetwork, inputs: Tensor) -> Tensor:
    """Give a backbone's last map, averaged over all places.

    Args:
        network: Its backbone is run.
        inputs: (B, 3, H, W) float, normalised.

    Returns:
        (B, C) float.
    """
    return feature_map(network.backbone, inputs).mean((2, 3))


def _dense(network: QueryNetwork) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    first, second, last = (each for each in network.layers if isinstance(each, nn.Linear))
    return first, second, last


def _usual_size(layer: nn.Linear) -> float:
    """Give the root mean square of the weights that a layer has by default."""
    return float((3 * layer.in_features) ** -0.5)


def _write_signed(layer: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Write ``y`` and ``-y`` into a layer's first units."""
    length, read = weight.shape
    signed = torch.cat([weight, -weight])
    layer.weight[: 2 * length] = 0
    layer.weight[: 2 * length, :read] = signed
    layer.bias[: 2 * length] = torch.cat([bias, -bias])


def _join_signs(layer: nn.Linear, weight: Tensor) -> None:
    """Let a layer read ``relu(y) - relu(-y) = y``, and give ``weight y``."""
    length = weight.shape[1]
    layer.weight.zero_()
    layer.bias.zero_()
    layer.weight[:, : 2 * length] = torch.cat([weight, -weight], dim=1)


def _pass(layer: nn.Linear, count: int) -> None:
    """Let a layer's first units give what comes in at their places."""
    layer.weight[:count] = 0
    layer.weight[:count, :count] = torch.eye(count)
    layer.bias[:count] = 0


def _leading_axes(centred: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Give (K, D) orthonormal axes: all D if that many are allowed, else the longest."""
    length = centred.shape[1]
    if length <= most:
        return np.eye(length)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(vectors[:, ::-1][:, :most].T)


def _drawn(articles: Tensor) -> Tensor:
    """Give 256 articles at most, from all over the rows."""
    return articles[:: max(1, len(articles) // 256)][:256]
