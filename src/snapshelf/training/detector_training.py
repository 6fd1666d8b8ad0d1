"""How a detector is trained."""

from dataclasses import dataclass

__all__ = ["DetectorTraining"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraining:
    """Settings of `train_detector`.

    Attributes:
        epochs: Times that every photo is seen.
        batch: Photos in a step.
        learning_rate: Of AdamW at its highest; it rises over the first epoch's steps, up to
            a hundred, and falls to nothing along a cosine.
        weight_decay: Of AdamW.
        mirrored: Whether photos are seen in a mirror half of the time.
        positive: In (0, 1]; a proposal is an object if their IoU is at least so large. None: 0.7
            for Fast R-CNN, as in the paper of `mtv`, and 0.5 for Faster R-CNN.
        negative: In (0, `positive`]; a proposal whose IoU with all objects is below is
            background, and what lies between is not learned from. None: as `positive`.
        frozen_stages: At least 0; so many of the backbone's first stages stay as they are, which
            is faster. Above 0 only for the MobileNet and EfficientNet family.
        seed: Of the photos' order, the mirror and the detector's first weights.
    """

    epochs: int = 8
    batch: int = 4
    learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    mirrored: bool = True
    positive: float | None = None
    negative: float | None = None
    frozen_stages: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that train nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"weight_decay must be at least 0, got {self.weight_decay}")
        for name in ("positive", "negative"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"{name} must be in (0, 1], or None, got {value}")
        for name in ("frozen_stages", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
