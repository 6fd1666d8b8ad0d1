"""`TwoNetworksModule`: a network for each side, with a ranking and an attribute loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.attribute_targets import AttributeTargets
from snapshelf.training.losses import match_cross_entropy, sigmoid_triplets
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.optimising import make_optimizer
from snapshelf.training.paired_photos import PairedBatch
from snapshelf.training.studio_settings import StudioSettings

with torch_extra():
    import lightning
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["TwoNetworksModule"]

LONGEST_BRANCH = 1024
"""Of the branches' first layers, as FashionDNA has."""


class TwoNetworksModule(lightning.LightningModule):
    """Both networks, learning to bring photos to their articles and to tell these' attributes.

    Lasserre, Rasch, Vollgraf: Studio2Shop, Sections 4.1 and 4.2, *all-in-two-nets*: "the right leg
    has the same architecture as the left leg, but no parameters are shared"; on top of each leg's
    features "sits, for each attribute, a sub-network ending with softmax activations", and a
    triplet ranking loss joins the two. How the losses are weighed is not printed: here the mean of
    both sides' attribute losses is added with a weight. The sub-networks have the two layers of
    FashionDNA's branches; they are not kept. Articles' features are brought to unit length, as a
    vector store holds them: the order by dot products is then that of a search.

    Args:
        street: Of photos, to be trained.
        shop: Of title pictures, to be trained.
        labels: (N, M) int64, the attribute labels of the training items, -1 for none.
        classes: For each of M attributes its number of classes.
        preprocessing: Its mean and standard deviation, applied on the device.
        settings: The recipe.
        steps_per_epoch: Batches of an epoch, for the learning rate's schedule.
    """

    def __init__(
        self,
        street: QueryNetwork,
        shop: QueryNetwork,
        *,
        labels: NDArray[np.int64],
        classes: Sequence[int],
        preprocessing: Preprocessing,
        settings: StudioSettings,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.street, self.shop = (
            network.to(memory_format=torch.channels_last).train() for network in (street, shop)
        )
        self.street_branches, self.shop_branches = (
            nn.ModuleList(_branch(network.dimension, count) for count in classes)
            for network in (street, shop)
        )
        self.targets = AttributeTargets(labels, [torch.ones(count) for count in classes])
        self.settings = settings
        self.normalise = Normaliser(preprocessing)
        self._steps_per_epoch = steps_per_epoch

    def training_step(self, batch: PairedBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the loss of a batch.

        Args:
            batch: Of photos with their articles.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        settings = self.settings
        photos = self.street(self.normalise(batch.photos)).float()
        titles = normalize(self.shop(self.normalise(batch.titles)).float())
        odds = torch.einsum("bd,bmd->bm", photos, titles[batch.articles])
        is_ranking = settings.loss == "ranking"
        match = (sigmoid_triplets if is_ranking else match_cross_entropy)(odds, batch.right).mean()
        attributes = (
            self._attribute_loss(self.street_branches, photos, batch.items)
            + self._attribute_loss(self.shop_branches, titles, batch.items)
        ) / 2
        loss = match + settings.attribute_weight * attributes
        self.log_dict(
            {"loss": loss.detach(), "match": match.detach()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(odds),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        settings = self.settings
        sides = (self.street, self.shop)
        heads = [
            *(each for side in sides for each in side.layers.parameters()),
            *self.street_branches.parameters(),
            *self.shop_branches.parameters(),
        ]
        groups: list[dict[str, Any]] = [
            {"params": [each for side in sides for each in side.backbone.parameters()]},
            {"params": heads, "lr": settings.learning_rate * settings.head_rate},
        ]
        return make_optimizer(
            groups, settings, epochs=settings.epochs, steps_per_epoch=self._steps_per_epoch
        )

    def _attribute_loss(self, branches: nn.ModuleList, features: Tensor, items: Tensor) -> Tensor:
        return self.targets.loss([branch(features) for branch in branches], items).mean()


def _branch(dimension: int, classes: int) -> nn.Sequential:
    length = min(2 * classes, LONGEST_BRANCH)
    return nn.Sequential(nn.Linear(dimension, length), nn.ReLU(), nn.Linear(length, classes))
