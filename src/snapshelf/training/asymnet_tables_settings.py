"""The settings of the tables of Video2Shop: its recipe, and what else its rows are made of."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.ranges import at_least, below_one, one_of

__all__ = ["NARROWED", "AsymNetTablesSettings", "Narrowed"]

Narrowed = Literal["categories", "all", "none"]
NARROWED: tuple[str, ...] = get_args(Narrowed)
"""Which rows compare a clip with the products of its own category alone: those of Table 1 by
category, all (the paper's: "the experiments are performed within the category"), or none."""

OF_ROWS = ("fusion", "pairs", "levels", "tree", "start", "category")
"""What the rows differ in, so that a recipe has nothing to say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsymNetTablesSettings(AsymNetSettings):
    """The recipe of the row *AsymNet*, and of the rows that it is compared with.

    Attributes:
        components: Of the mixture of Fisher vectors, and centres of VLAD, at least 2; the paper's
            are 256.
        projected: What features are shortened to for both, by a PCA, at least 1.
        tree_epochs: Epochs of Fig. 4, at least 1.
        tuned_epochs: Epochs of each category's own model, which begins from the general one.
        plain_clips: Clips of each product in the comparison of plain and approximate training.
        plain_epochs: Its epochs.
        narrowed: One of `NARROWED`. By default overall rows look at the whole gallery, as a search
            does whose category nobody tells.
        drift: In [0, 1), the share of each trajectory's steps that shows something else, in
            training and in search; no part of the paper. Where all steps show the product, there
            is little to choose among them.
        drift_to: What that is: clips of things that are not sold, such as ``clips:NAME:DIR``,
            those of the split `test`. None where there is no drift.
        alexnet: Name or folder of the system of the row AL.
        deep_search: Name or folder of the system of the row DS: features that know attributes. None
            to leave it out.
    """

    components: int = 256
    projected: int = 32
    tree_epochs: int = 4
    tuned_epochs: int = 2
    plain_clips: int = 2
    plain_epochs: int = 1
    narrowed: Narrowed = "categories"
    drift: float = 0.0
    drift_to: str | None = None
    alexnet: str = "torchvision/alexnet"
    deep_search: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of range, or what the rows differ in.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        # Without its parentheses `super` knows no class of slots.
        super(AsymNetTablesSettings, self).__post_init__()
        plain = AsymNetSettings()
        for name in OF_ROWS:
            if getattr(self, name) != getattr(plain, name):
                raise ValueError(
                    f"{name} must be left out for the tables, whose rows differ in it, got "
                    f"{getattr(self, name)!r}"
                )
        if not self.frozen and self.features is None:
            raise ValueError("frozen must be true for the tables, whose rows share features")
        at_least(self, 2, "components")
        one_of(self, NARROWED, "narrowed")
        below_one(self, "drift")
        if bool(self.drift) is not bool(self.drift_to):
            raise ValueError(
                "drift and drift_to must be given both or neither, got "
                f"{self.drift} and {self.drift_to!r}"
            )
        at_least(self, 1, "projected", "tree_epochs", "tuned_epochs", "plain_clips", "plain_epochs")

    @property
    def recipe(self) -> AsymNetSettings:
        """The recipe alone."""
        return AsymNetSettings(
            **{field.name: getattr(self, field.name) for field in fields(AsymNetSettings)}
        )
