"""Networks of the rows of Video2Shop's tables, trained on a bench's features and then kept."""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.kept_ranks import digest_of
from snapshelf.features.network_weights import write_network_weights
from snapshelf.features.step_features import unit_scale
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.video_feature_folder import VIDEO_FILE
from snapshelf.features.weights import load_safetensors
from snapshelf.matching.fusion_tree import FusionTree
from snapshelf.matching.similarity_folder import load_similarity, save_similarity
from snapshelf.matching.similarity_network import SimilarityNetwork
from snapshelf.systems.asymnet_bench import AsymNetBench
from snapshelf.training.asymnet_product_start import UNITS, side_axes, start_similarity
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.asymnet_training import learn_networks, new_parts, start_as_product
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.single_steps import SingleSteps
from snapshelf.training.trajectory_batches import FeatureSource
from snapshelf.training.trajectory_draws import TrajectoryDraws

with torch_extra():
    import torch
    from torch import nn

__all__ = ["HeadLearning", "epoch_checkpoint", "twice"]

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadLearning:
    """What a row's networks learn from, and how.

    Attributes:
        bench: Of the features.
        settings: The recipe, with the row's own changes.
        folder: Keeps networks, each by all that decides it.
        monitor: Hears how it goes, and can ask to stop.
    """

    bench: AsymNetBench
    settings: AsymNetSettings
    folder: Path
    monitor: Monitor

    def place(self, what: str) -> Path:
        """Give the folder of a network, by all that decides it.

        Whether epochs are kept beside it changes no weight.
        """
        values = settings_to_dict(dataclasses.replace(self.settings, keep_checkpoints=0))
        values |= {"what": what, "of": self.bench.base.encoder.fingerprint}
        values["data"] = self.bench.training_set.digest
        if (drift := self.bench.drift) is not None:
            values["drift"] = [drift.share, drift.to.name]
        place = self.folder / f"{what}-seed-{self.settings.seed}-{digest_of(values)}"
        place.mkdir(parents=True, exist_ok=True)
        return place

    def draws(self, clips: int | None = None) -> TrajectoryDraws:
        """Give what is compared in each step, of the first so many clips or of all."""
        own, settings = self.bench.training_set, self.settings
        narrowed = settings.within_category or settings.category is not None
        return TrajectoryDraws(
            own.owners[:clips],
            own.shown,
            batch=settings.batch,
            positives=settings.positives,
            categories=own.categories if narrowed else None,
            category=settings.category,
            seed=settings.seed,
        )

    def networks(self) -> tuple[nn.Module, SimilarityNetwork, Path]:
        """Train AsymNet's video and similarity networks, or load those that are kept.

        Returns:
            Both, and the folder that keeps them, with the checkpoints of as many epochs as the
            settings say, see `epoch_checkpoint`.

        Raises:
            Exception: As trainings.
        """
        place = self.place("asymnet")
        # A training that was begun without keeping its epochs lacks the first of them, and so is
        # done once more.
        while not self._is_kept(place):
            self._train(place)
        parts = new_parts(self.settings, self.bench.base.encoder.dimension)
        _load(place, parts.video, parts.similarity)
        return parts.video.eval(), parts.similarity.eval(), place

    def _is_kept(self, place: Path) -> bool:
        """Whether the networks are there, with those of the epochs that are wanted."""
        epochs, kept = self.settings.epochs, self.settings.keep_checkpoints
        return (place / "done").is_file() and all(
            epoch_checkpoint(place, epoch).is_file()
            for epoch in range(max(epochs - kept, 0) + 1, epochs + 1)
        )

    def _train(self, place: Path) -> None:
        """Train AsymNet's networks, from the last checkpoint if there is one, and keep them."""
        settings = self.settings
        parts = new_parts(settings, self.bench.base.encoder.dimension)
        trajectories, pictures = self.bench.trained_on(self.monitor)
        kept = _first_clips(self.bench, settings.clips)
        source = FeatureSource(
            torch.from_numpy(unit_scale(trajectories[:kept])),
            torch.from_numpy(unit_scale(pictures)),
        )
        draws = self.draws(kept)
        if settings.start is not None:
            _load(Path(settings.start), parts.video, parts.similarity)
        elif settings.product_start:
            start_as_product(
                parts, source.trajectories.numpy(), source.pictures.numpy(), draws, settings
            )
        learn_networks(parts.video, parts.similarity, source, draws, settings, place, self.monitor)
        _keep(place, parts.video, parts.similarity)

    def similarity(
        self, what: str, trajectories: FloatArray, pictures: FloatArray
    ) -> SimilarityNetwork:
        """Train the similarity network alone, or load the one that is kept.

        Args:
            what: Names it among the networks that are kept.
            trajectories: Features that no LSTM has changed, ``(N, T, D)``; T may be 1.
            pictures: Likewise, ``(P, D)``.

        Raises:
            Exception: As trainings.
        """
        many = trajectories.shape[1]
        # A tree has two steps at least; of equal ones either is their mean.
        steps = trajectories if many > 1 else twice(trajectories)
        settings = dataclasses.replace(
            self.settings, fusion="none", tree="2" if many == 1 else self.settings.tree
        )
        own = dataclasses.replace(self, settings=settings)
        torch.manual_seed(settings.seed)
        length = pictures.shape[1]
        network = SimilarityNetwork(
            length, length, hidden=settings.hidden, tree=FusionTree.from_text(settings.tree)
        )
        place = own.place(what)
        if not (place / "done").is_file():
            source = FeatureSource(torch.from_numpy(steps), torch.from_numpy(pictures))
            draws = own.draws(len(steps))
            if settings.product_start:
                axes = side_axes(trajectories, pictures, settings.hidden // UNITS or 1)
                rows = draws.draw(0, 0)
                read = torch.from_numpy(axes.axes)
                start_similarity(
                    network,
                    axes,
                    source.trajectories[torch.from_numpy(rows.trajectories)].mean(1),
                    source.pictures[torch.from_numpy(rows.pictures)],
                    torch.from_numpy(rows.right),
                    (read, -read @ torch.from_numpy(axes.street)),
                )
            learn_networks(SingleSteps(), network, source, draws, settings, place, self.monitor)
            _keep(place, None, network)
        _load(place, None, network)
        return network.eval()


def epoch_checkpoint(place: Path, epoch: int) -> Path:
    """Give the checkpoint of an epoch, from 1, in the folder of a network."""
    return place / "checkpoints" / f"epoch-{epoch:04d}.ckpt"


def twice(one: FloatArray) -> FloatArray:
    """Repeat the only step: ``(N, 1, D)`` to ``(N, 2, D)``."""
    return np.repeat(one, 2, axis=1)


def _first_clips(bench: AsymNetBench, clips: int) -> int:
    """Count the clips of a training set that begin it and are no more than so many of a product."""
    seen: dict[int, int] = {}
    for number, owner in enumerate(bench.training_set.owners):
        seen[owner] = seen.get(owner, 0) + 1
        if seen[owner] > clips:
            return number
    return len(bench.training_set.owners)


def _keep(place: Path, video: nn.Module | None, similarity: SimilarityNetwork) -> None:
    if video is not None:
        write_network_weights(place / VIDEO_FILE, video)
    save_similarity(place, similarity.fold())
    (place / "checkpoints" / "last.ckpt").unlink(missing_ok=True)
    if not any((place / "checkpoints").glob("*.ckpt")):
        shutil.rmtree(place / "checkpoints", ignore_errors=True)
    (place / "done").touch()


def _load(place: Path, video: nn.Module | None, similarity: SimilarityNetwork) -> None:
    if video is not None:
        video.load_state_dict(load_safetensors(place / VIDEO_FILE))
    kept = SimilarityNetwork.unfold(load_similarity(place))
    similarity.load_state_dict(kept.state_dict())
