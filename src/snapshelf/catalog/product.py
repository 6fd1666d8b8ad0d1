"""What a shop sells: `Product`, its price and its availability."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

__all__ = ["Availability", "Price", "Product"]


class Availability(StrEnum):
    """Whether a product can be bought, in the words of the Google Merchant Center feed."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money.

    Attributes:
        amount: Not negative, in major units (19.99 is nineteen euros and 99 cents).
        currency: ISO 4217 code in capitals, or "" where the feed does not say.
    """

    amount: Decimal
    currency: str = ""

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of a shop, as its feed tells it.

    Attributes:
        id: The shop's own identifier, never empty, unique in a catalogue.
        title: Plain text, "" where the feed has none; the same for the other texts.
        description: Plain text.
        category: Path from the widest to the narrowest category, such as
            ``("Apparel", "Shoes", "Boots")``.
        brand: Plain text.
        price: None where the feed has none.
        availability: None where the feed does not say.
        url: The product's page.
        images: Paths relative to the feed's folder, or http(s) URLs; the first is the main
            picture. Never empty.
        attributes: Everything else the feed says, by the feed's own column name.
    """

    id: str
    title: str = ""
    description: str = ""
    category: tuple[str, ...] = ()
    brand: str = ""
    price: Price | None = None
    availability: Availability | None = None
    url: str = ""
    images: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
