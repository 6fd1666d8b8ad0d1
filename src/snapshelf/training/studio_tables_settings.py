"""The settings of the tables of Studio2Shop: its recipe, and what else its rows are made of."""

from dataclasses import dataclass, fields

from snapshelf.training.studio_settings import StudioSettings

__all__ = ["StudioTablesSettings"]

OF_ROWS = ("articles", "architecture", "matching", "loss")
"""What the rows differ in, so that a recipe has nothing to say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioTablesSettings(StudioSettings):
    """The recipe of the row *Studio2Shop*, and what gives the features of the rows *fc14*.

    A recipe for ``train studio2shop`` is one for the tables too.

    Attributes:
        vectors: As of the recipe, for the row *128floats* alone; none to leave it out.
        fc14: Name or folder of the system whose embeddings are shortened by a PCA to `dimension`;
            the paper's is a layer of VGG16, ``torchvision/vgg16``.
    """

    fc14: str = "mobilenetv2"

    def __post_init__(self) -> None:
        """Refuse what is out of range, or what the rows differ in.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        # Without its parentheses `super` knows no class of slots.
        super(StudioTablesSettings, self).__post_init__()
        plain = StudioSettings()
        for name in OF_ROWS:
            if getattr(self, name) != getattr(plain, name):
                raise ValueError(
                    f"{name} must be left out for the tables, whose rows differ in it, got "
                    f"{getattr(self, name)!r}"
                )
        if self.devices > 1:
            raise ValueError(
                f"devices must be 1 for the tables, got {self.devices}: run some of the rows on "
                "each device, in folders of their own"
            )
        if not self.fc14:
            raise ValueError("fc14 must be the name or folder of a system, got ''")

    @property
    def recipe(self) -> StudioSettings:
        """The recipe alone, without the vectors, which are those of one row."""
        return StudioSettings(
            **{
                field.name: getattr(self, field.name)
                for field in fields(StudioSettings)
                if field.name != "vectors"
            }
        )
