"""What finds the products and attributes that the options of ``snapshelf annotate`` ask for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapshelf.cli.console import EXIT_USAGE, fail

if TYPE_CHECKING:
    from snapshelf.annotation import AttributeFinder, ProductFinder
    from snapshelf.shelf import Shelf
    from snapshelf.systems import System

__all__ = ["AskedAttributes", "attribute_finder", "product_finder", "shelf_attribute_finder"]


@dataclass(frozen=True, slots=True)
class AskedAttributes:
    """The options about attributes, each None where it was not given.

    Attributes:
        names: Between commas.
        values: Of each attribute at most.
        least: Probability of a value.
    """

    names: str | None = None
    values: int | None = None
    least: float | None = None

    @property
    def given(self) -> str:
        """The first option that was given, "" for none."""
        options = {"--attributes": self.names, "--values": self.values, "--least": self.least}
        return next((name for name, value in options.items() if value is not None), "")


def attribute_finder(system: "System", asked: AskedAttributes) -> "AttributeFinder":
    """Give what finds attributes, of a system that was named for that.

    Raises:
        typer.Exit: If it knows none, or not those asked for, with the reason told.
    """
    from snapshelf.annotation import AttributeFinder

    if system.predictor is None:
        fail(
            f"the system {system.name} knows no attributes; `snapshelf train` makes systems that "
            "do, of data that has some: three-level, mtv and fashion-dna"
        )
    names = [name.strip() for name in asked.names.split(",")] if asked.names else []
    try:
        return AttributeFinder(
            system.predictor,
            attributes=names,
            values=1 if asked.values is None else asked.values,
            least=0.0 if asked.least is None else asked.least,
        )
    except ValueError as error:
        fail(f"--attributes: {error}", EXIT_USAGE)


def shelf_attribute_finder(
    system: "System", asked: AskedAttributes, suffix: str
) -> "AttributeFinder | None":
    """Give what finds attributes beside products; None where nothing is to.

    Args:
        system: The shelf's.
        asked: The options.
        suffix: Of the file to write; only JSON Lines have room for both.

    Raises:
        typer.Exit: If attributes were asked for and cannot be had, with the reason told.
    """
    if suffix == ".csv" or system.predictor is None:
        if asked.given:
            reason = (
                "beside products, attributes are written to .jsonl only"
                if suffix == ".csv"
                else f"the shelf's system {system.name} knows no attributes; leave it out"
            )
            fail(f"{asked.given}: {reason}", EXIT_USAGE)
        return None
    return attribute_finder(system, asked)


def product_finder(shelf: "Shelf", top: int | None, filter: str | None) -> "ProductFinder":  # noqa: A002 - the option's name
    """Give what finds products.

    Raises:
        FilterError: If the filter cannot be understood, or names an attribute that no product
            has.
    """
    from snapshelf.annotation import ProductFinder
    from snapshelf.store import parse_filter

    where = None if filter is None else parse_filter(filter)
    shelf.count(where)  # refuses a filter before the file to write is opened
    return ProductFinder(shelf, top=5 if top is None else top, where=where)
