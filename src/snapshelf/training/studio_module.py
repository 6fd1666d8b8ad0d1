"""`StudioModule`: Studio2Shop's losses and optimiser, as Lightning runs them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.studio_matcher import StudioMatcher
from snapshelf.training.losses import match_cross_entropy, sigmoid_triplets
from snapshelf.training.match_batches import MatchBatch
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.optimising import make_optimizer
from snapshelf.training.studio_settings import StudioSettings

with torch_extra():
    import lightning
    import torch
    from torch import Tensor, nn

__all__ = ["StudioModule"]


class StudioModule(lightning.LightningModule):
    """The query network and the matcher, learning which articles photos show.

    Lasserre, Rasch, Vollgraf: Studio2Shop, Section 4.1: the loss goes back to all layers of the
    query network and not to the articles' features. Summed over a photo's articles as printed, and
    averaged over the photos, so that the learning rate means the same for batches of any size.

    Args:
        network: To be trained; None where photos come as features that stay as they are.
        matcher: To be trained; None for the dot product.
        features: (N, D) float32, of all articles; they stay as they are.
        preprocessing: Its mean and standard deviation, applied on the device; None without a
            network.
        settings: The recipe.
        steps_per_epoch: Batches of an epoch, for the learning rate's schedule.
        offset: Log-odds of dot products of 0, where it begins: it is learned with the
            cross-entropy, and searches, whose order it leaves as it is, do without.

    Raises:
        ValueError: If there is nothing to train, or the features are of another length than the
            network's or the matcher's, or not finite.
    """

    features: Tensor

    def __init__(
        self,
        network: QueryNetwork | None,
        matcher: StudioMatcher | None,
        features: NDArray[np.float32],
        preprocessing: Preprocessing | None,
        settings: StudioSettings,
        *,
        steps_per_epoch: int,
        offset: float = 0.0,
    ) -> None:
        super().__init__()
        lengths = {part.dimension for part in (network, matcher) if part is not None}
        if features.ndim != 2 or lengths != {features.shape[1]}:
            wanted = " and ".join(map(str, sorted(lengths))) or "none"
            raise ValueError(
                f"features must be (N, {wanted}), as long as those of the network and the matcher "
                f"that are trained, got {features.shape}"
            )
        if not np.isfinite(features).all():
            raise ValueError("features must be finite, got NaN or infinity")
        self.network = network and network.to(memory_format=torch.channels_last).train()
        self.matcher = matcher
        self.settings = settings
        self.normalise = None if preprocessing is None else Normaliser(preprocessing)
        self._steps_per_epoch = steps_per_epoch
        # Dot products of features that are centred say nothing of how rare right articles are.
        has_offset = matcher is None and settings.loss == "cross-entropy"
        self.offset = nn.Parameter(torch.tensor(float(offset))) if has_offset else None
        self.register_buffer("features", torch.from_numpy(features), persistent=False)

    def odds(self, pictures: Tensor, articles: Tensor) -> Tensor:
        """Match photos with articles of their own.

        Args:
            pictures: (B, 3, H, W) uint8, RGB, [0, 255]; (B, D) float32, features, without a
                network.
            articles: (B, M) int64, rows of the articles.

        Returns:
            (B, M) float32, log-odds: the matcher's, or the dot product of the features and the
            offset.
        """
        own = pictures if self.network is None else self.network(self._inputs(pictures)).float()
        shown = self.features[articles]
        if self.matcher is None:
            dots = torch.einsum("bd,bmd->bm", own, shown)
            return dots if self.offset is None else dots + self.offset
        odds: Tensor = self.matcher(own, shown).float()
        return odds

    def training_step(self, batch: MatchBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the loss of a batch.

        Args:
            batch: Of photos.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        odds = self.odds(batch.pictures, batch.articles)
        is_ranking = self.settings.loss == "ranking"
        loss = (sigmoid_triplets if is_ranking else match_cross_entropy)(odds, batch.right).mean()
        with torch.no_grad():
            best = odds.argmax(1, keepdim=True)
            first = batch.right.gather(1, best).float().mean()
        self.log_dict(
            {"loss": loss.detach(), "first": first},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(odds),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        settings = self.settings
        begun: list[nn.Parameter] = []
        heads = [] if self.matcher is None else list(self.matcher.parameters())
        heads += [] if self.offset is None else [self.offset]
        if self.network is not None:
            begun = list(self.network.backbone.parameters())
            *dense, features = self.network.layers
            heads += features.parameters()
            # Begun at the articles' features, dense layers have as much to forget as a backbone.
            has_begun = settings.start == "articles"
            for layer in dense:
                (begun if has_begun else heads).extend(layer.parameters())
        groups: list[dict[str, Any]] = [
            {"params": heads, "lr": settings.learning_rate * settings.head_rate}
        ]
        if begun:
            groups.insert(0, {"params": begun})
        return make_optimizer(
            groups, settings, epochs=settings.epochs, steps_per_epoch=self._steps_per_epoch
        )

    def _inputs(self, pictures: Tensor) -> Tensor:
        assert self.normalise is not None
        inputs: Tensor = self.normalise(pictures)
        return inputs
