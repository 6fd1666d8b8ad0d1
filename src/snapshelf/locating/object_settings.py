"""How the objectness network is trained."""

from dataclasses import dataclass

__all__ = ["ObjectSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSettings:
    """Settings of `train_objectness`.

    The paper has 16 positive and 26 negative crops of each picture, with the two bounds below.

    Attributes:
        above: In (0, 1): a box whose IoU with an object is larger is a positive example.
        below: In (0, 1), at most `above`: one whose IoU with every object is smaller is negative.
        moved: Positive examples to make of each object, by moving the sides of its box.
        negatives: Negative examples of a picture at most.
        trade_off: C of the logistic regression, over the sum of all examples; features have a
            standard deviation of 1 there.
        seed: Of what is drawn.
    """

    above: float = 0.8
    below: float = 0.2
    moved: int = 2
    negatives: int = 26
    trade_off: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that train nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not 0 < self.below <= self.above < 1:
            raise ValueError(
                f"below and above must be in (0, 1), below not larger, got {self.below} "
                f"and {self.above}"
            )
        for name, least in (("moved", 0), ("negatives", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not self.trade_off > 0:
            raise ValueError(f"trade_off must be positive, got {self.trade_off}")
