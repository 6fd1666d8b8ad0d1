"""`AsymNetModule`: the steps of AsymNet's training, as Lightning runs them.

Cheng, Wu, Liu, Hua: Video2Shop, Sections 4.3 and 5.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

from snapshelf.features.image_feature_network import ImageFeatureNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.step_features import features_of
from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.expert_fusion import leaf_shares, log_gates, node_features
from snapshelf.matching.fusion_posteriors import Posteriors, fusion_gradients, fusion_posteriors
from snapshelf.matching.similarity_network import Leaves, SimilarityNetwork
from snapshelf.matching.step_fusion import average_odds, drawn_odds, largest_odds
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.losses import match_cross_entropy, step_match
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.optimising import make_optimizer
from snapshelf.training.trajectory_batches import TrajectoryBatch

with torch_extra():
    import lightning
    import torch
    from torch import Tensor, nn

__all__ = ["AsymNetModule", "Seen"]


class Seen(NamedTuple):
    """What a batch gave, without a way back.

    Attributes:
        states: (n, T, H) or, one pair at a time, (2 S n, T, H): hidden states.
        features: (n, 2 S, D) or (2 S n, 1, D), of the pictures.
        right: (n, 2 S) or (2 S n, 1) bool.
        odds: (n, 2 S) float, of the global similarity as it is fused here.
        loss: () float, what was minimised.
    """

    states: Tensor
    features: Tensor
    right: Tensor
    odds: Tensor
    loss: Tensor


class AsymNetModule(lightning.LightningModule):
    """Image and video features and the similarity network, learning which pictures clips show.

    Algorithm 1, in the order as printed: hidden states and picture features are computed once, the
    single similarity network learns from every step of every pair (Eq. 5), and after that the
    fusion nodes, with the similarities as they are then (Eq. 7-8, 10-11).

    Eq. 12 divides what 2 S pairs send back to a trajectory by 2 S. That is the gradient of a loss
    that is a mean over the pairs, which this one is, and so the *approximate* training has the
    gradient of the plain one, in which every pair goes through all networks by itself: nothing is
    approximate but for the dropout, which is drawn once for all pairs.

    Args:
        image: To be trained; None where the batches hold features.
        video: To be trained; a `VideoFeatureNetwork`, or what stands in its place.
        similarity: To be trained.
        preprocessing: Its mean and standard deviation, applied on the device; None for features.
        settings: The recipe.
        steps_per_epoch: Batches of an epoch, for the learning rate's schedule.

    Raises:
        ValueError: If one of the image network and the preprocessing is missing.
    """

    def __init__(
        self,
        image: ImageFeatureNetwork | None,
        video: nn.Module,
        similarity: SimilarityNetwork,
        preprocessing: Preprocessing | None,
        settings: AsymNetSettings,
        *,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        if (image is None) != (preprocessing is None):
            raise ValueError("image and preprocessing must be given together, got one of them")
        self.automatic_optimization = False
        self.image = None if image is None else image.to(memory_format=torch.channels_last).train()
        self.video, self.similarity = video.train(), similarity.train()
        self.normalise = None if preprocessing is None else Normaliser(preprocessing)
        self.settings = settings
        # Posteriors say how the fusion nodes learn, and no optimiser.
        self.similarity.gates.requires_grad_(settings.fusion == "back-propagation")
        self._steps_per_epoch = steps_per_epoch

    def features(self, pictures: Tensor) -> Tensor:
        """Give the image network's features of pictures, or features as they are.

        Args:
            pictures: (B, M, 3, H, W) uint8, RGB, [0, 255], or (B, M, D) float.

        Returns:
            (B, M, D) float, of the network at the scale of `features_of`.
        """
        if self.image is None or self.normalise is None:
            return pictures
        found = features_of(self.image(self.normalise(pictures.flatten(0, 1))))
        return found.reshape(*pictures.shape[:2], found.shape[1])

    def accumulate(self, batch: TrajectoryBatch, backward: Callable[[Tensor], object]) -> Seen:
        """Add up the gradients of a batch.

        Args:
            batch: Of trajectories.
            backward: Sends a loss back.
        """
        parts = list(_single_pairs(batch)) if self.settings.pairs == "plain" else [batch]
        seen = []
        for part in parts:
            states = self.video(self.features(part.steps).float())
            features = self.features(part.pictures).float()
            leaves = self.similarity.leaves(states, features)
            loss, odds = self._loss(leaves, part.right)
            backward(loss / len(parts))
            kept = (states, features, part.right, odds.reshape(-1), loss[None])
            seen.append([each.detach() for each in kept])
        states, features, right, odds, losses = map(torch.cat, zip(*seen, strict=True))
        loss = losses.mean()
        if self.settings.regularisation:
            weights = self.similarity.single_parameters()
            size = torch.stack([each.square().sum() for each in weights]).sum()
            penalty = self.settings.regularisation * size
            backward(penalty)
            loss += penalty.detach()
        return Seen(states, features, right, odds.reshape(batch.right.shape), loss)

    @torch.no_grad()
    def learn_fusion(self, seen: Seen) -> Tensor:
        """Let the fusion nodes learn from posteriors, with everything else as it is now.

        Args:
            seen: What a batch gave.

        Returns:
            () float, the mean of Eq. 9 before.
        """
        tree, gates = self.similarity.tree, self.similarity.gates
        leaves = self.similarity.leaves(seen.states, seen.features)
        inputs, priors, (nodes, likelihood) = self._posteriors(leaves, seen.right)
        gradient = fusion_gradients(inputs, priors, nodes, tree) / seen.right.numel()
        gates.add_(gradient, alpha=self.settings.fusion_rate)
        return likelihood.mean()

    def training_step(self, batch: TrajectoryBatch, batch_idx: int) -> None:  # noqa: ARG002
        """Learn from a batch.

        Args:
            batch: Of trajectories.
            batch_idx: Makes no difference.
        """
        settings = self.settings
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        optimizer.zero_grad()
        seen = self.accumulate(batch, self.manual_backward)
        self.clip_gradients(optimizer, settings.gradient_clip, "norm")
        optimizer.step()
        schedule.step()
        if settings.fusion in ("posterior", "mixture"):
            self.learn_fusion(seen)
        fused = match_cross_entropy(seen.odds, batch.right).mean() / batch.right.shape[1]
        best = seen.odds.argmax(1, keepdim=True)
        first = batch.right.gather(1, best).float().mean()
        self.log_dict(
            {"loss": seen.loss, "fused": fused, "first": first},
            on_step=False,
            on_epoch=True,
            batch_size=len(best),
        )

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        settings = self.settings
        backbone = [] if self.image is None else list(self.image.backbone.parameters())
        own = {id(each) for each in backbone}
        video = list(self.video.parameters())
        own |= {id(each) for each in video}
        heads = [each for each in self.parameters() if each.requires_grad and id(each) not in own]
        rate = settings.learning_rate * settings.head_rate
        groups: list[dict[str, Any]] = [{"params": heads, "lr": rate}]
        if video:
            groups.append({"params": video, "lr": rate * settings.video_rate})
        if backbone:
            groups.insert(0, {"params": backbone})
        return make_optimizer(
            groups, settings, epochs=settings.epochs, steps_per_epoch=self._steps_per_epoch
        )

    def _loss(self, leaves: Leaves, right: Tensor) -> tuple[Tensor, Tensor]:
        """Give a loss, a mean over the pairs, and the log-odds of each pair."""
        fusion = self.settings.fusion
        if fusion in ("posterior", "mixture", "none"):
            weights = self._answering(leaves, right).flatten(0, 1) if fusion == "mixture" else None
            loss = step_match(leaves.odds.flatten(0, 1), right.flatten(), weights).mean()
            with torch.no_grad():
                is_tree = fusion != "none"
                odds = self.similarity.fuse(leaves) if is_tree else average_odds(leaves.odds)
            return loss, odds
        if fusion == "key-volume":
            learned, odds = drawn_odds(leaves.odds), largest_odds(leaves.odds)
        else:
            learned = odds = self.similarity.fuse(leaves)
        return match_cross_entropy(learned, right).mean() / right.shape[1], odds

    def _posteriors(
        self, leaves: Leaves, right: Tensor
    ) -> tuple[list[Tensor], list[Tensor], Posteriors]:
        """Give x, log g and h of the fusion nodes, with everything as it is now."""
        tree, gates = self.similarity.tree, self.similarity.gates
        inputs = node_features(leaves.hidden.to(gates.dtype), tree)
        priors = log_gates(inputs, gates, tree)
        return inputs, priors, fusion_posteriors(leaves.odds.to(gates.dtype), priors, right, tree)

    @torch.no_grad()
    def _answering(self, leaves: Leaves, right: Tensor) -> Tensor:
        """Give how much each step of a right pair has to do with the answer, 1 in the mean.

        The posteriors along a step's way to the root, as an expert of a mixture is weighted
        (Jordan and Jacobs, 1994). Of a wrong pair every step is wrong, so that all count alike.
        """
        _, _, (nodes, _) = self._posteriors(leaves, right)
        shares = leaf_shares([each.log() for each in nodes], self.similarity.tree)
        weights = shares.to(leaves.odds.dtype) * leaves.odds.shape[-1]
        return torch.where(right.unsqueeze(-1), weights, torch.ones_like(weights))


def _single_pairs(batch: TrajectoryBatch) -> Iterator[TrajectoryBatch]:
    """Take a batch apart into its pairs."""
    trajectories, pictures = batch.right.shape
    for place, order in product(range(trajectories), range(pictures)):
        own, one = slice(place, place + 1), slice(order, order + 1)
        yield TrajectoryBatch(batch.steps[own], batch.pictures[own, one], batch.right[own, one])
