"""What the service answers with, described for OpenAPI."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "BatchAnswer",
    "DetectAnswer",
    "EventAnswer",
    "FacetsAnswer",
    "Health",
    "JobAnswer",
    "JobStarted",
    "ProductAnswer",
    "SearchAnswer",
    "ShelfAnswer",
    "SimilarAnswer",
]


class Answer(BaseModel):
    """Answers hold what they tell of and nothing else."""

    model_config = ConfigDict(extra="forbid")


class ShownProduct(Answer):
    """A product as a match shows it; what is not known is null."""

    id: str = Field(examples=["SKU-0042"])
    title: str = Field(examples=["Canvas sneaker, red"])
    category: str | None = Field(examples=["Apparel > Shoes"])
    brand: str | None = Field(examples=["Acme"])
    price: str | None = Field(examples=["49.90 EUR"])
    url: str | None = Field(examples=["https://shop.example/SKU-0042"])
    image: str = Field(description="The picture that is meant, as the feed names it.")


class ShownMatch(Answer):
    """A product found for an item."""

    rank: int = Field(ge=1)
    product: ShownProduct
    similarity: float = Field(description="Larger is better; never rises from rank to rank.")
    confidence: float = Field(
        ge=0, le=1, description="Probability that it is the product; of an item at most 1 in all."
    )
    evidence: dict[str, Any] = Field(description="Why, where the system can tell.")
    picture: str | None = Field(None, description="Where this service shows the picture meant.")
    region: tuple[float, float, float, float] | None = Field(
        None, description="The part of it that matched: x0, y0, x1, y1 in its pixels."
    )


class SeenAttribute(Answer):
    """What an item looks like."""

    name: str = Field(examples=["colour"])
    value: str = Field(examples=["red"])
    probability: float = Field(ge=0, le=1)


class BestView(Answer):
    """The frame of a clip that shows an item best."""

    seconds: float
    box: tuple[float, float, float, float]


class ShownItem(Answer):
    """An item of the picture or clip; the last four fields are there for a clip only."""

    box: tuple[float, float, float, float] = Field(
        description="x0, y0, x1, y1 in pixels of the upright picture, or of the best frame."
    )
    label: str = Field(description='What it is taken for, "" where that is not known.')
    attributes: list[SeenAttribute] | None = Field(
        None, description="What it looks like, of a system that predicts attributes."
    )
    frames: tuple[int, int] | None = Field(None, description="First and last frame, from 0.")
    seconds: tuple[float, float] | None = Field(None, description="First and last second.")
    spans: list[tuple[float, float]] | None = Field(
        None, description="First and last second of each appearance."
    )
    best: BestView | None = Field(None, description="The frame that shows it best.")


class ShownCategory(Answer):
    """The best matches of one category."""

    category: str | None
    matches: list[ShownMatch]


class FoundItem(Answer):
    """An item and its matches, best first."""

    item: ShownItem
    matches: list[ShownMatch]
    in_catalogue: bool = Field(description="Whether the best match is confident enough.")
    by_category: list[ShownCategory] | None = Field(None, description="Where it was asked for.")


class ClipRead(Answer):
    """What was read of a clip."""

    seconds: float = Field(description="When the last frame that was looked at is shown.")
    frames: int = Field(description="Frames looked at.")
    warnings: list[str] = Field(description="What was wrong with it, or left out.")


class SearchAnswer(Answer):
    """What was found in a picture or a clip."""

    items: list[FoundItem]
    size: tuple[int, int] = Field(description="Width and height of the upright picture.")
    seconds: dict[str, float] = Field(
        description="Of each stage: decode, locate, encode, search, rerank; or cache.",
        examples=[{"decode": 0.004, "locate": 0.01, "encode": 0.012, "search": 0.001}],
    )
    cached: Literal["exact", "near"] | None = Field(
        description="Whether it was kept from the same request, or from a copy of the picture."
    )
    request_id: str = Field(description="To be named in events and questions.")
    clip: ClipRead | None = Field(None, description="For a clip.")


class ShownJob(Answer):
    """A job that was begun, and where it is."""

    id: str = Field(examples=["9f2c1e5a7b3d4068ac1d2e3f4a5b6c7d"])
    status: Literal["queued"]
    url: str = Field(examples=["/v1/jobs/9f2c1e5a7b3d4068ac1d2e3f4a5b6c7d"])
    events: str = Field(examples=["/v1/jobs/9f2c1e5a7b3d4068ac1d2e3f4a5b6c7d/events"])


class JobStarted(Answer):
    """A clip was taken in."""

    job: ShownJob
    request_id: str


class ShownProblem(Answer):
    """Why a job has failed, as an error's body would tell it."""

    type: str = Field(examples=["urn:snapshelf:problem:clip-refused"])
    title: str
    status: int
    detail: str
    request_id: str


class JobAnswer(Answer):
    """A clip's search: how far it is, and what it has found."""

    id: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1, description="Share of the work that is done.")
    error: ShownProblem | None = Field(description="Of a job that has failed.")
    result: SearchAnswer | None = Field(description="Of a job that is done.")


class DetectedItem(ShownItem):
    """An item that was located."""

    confidence: float = Field(ge=0, le=1)


class DetectAnswer(Answer):
    """Where the items of a picture are."""

    items: list[DetectedItem]
    size: tuple[int, int]
    seconds: dict[str, float]
    request_id: str


class ProductPicture(Answer):
    """A picture of a product."""

    source: str = Field(description="As the feed names it.")
    href: str = Field(description="Where this service shows it.")


class ProductAnswer(Answer):
    """A product with all that the shelf holds of it."""

    id: str
    title: str
    description: str
    category: str | None
    brand: str | None
    price: str | None
    availability: str | None
    url: str | None
    images: list[ProductPicture]
    attributes: dict[str, str]


class SimilarMatch(Answer):
    """A product that looks like another."""

    rank: int = Field(ge=1)
    product: ShownProduct
    similarity: float
    picture: str = Field(description="Where this service shows the picture meant.")


class SimilarAnswer(Answer):
    """The products that look most like one."""

    matches: list[SimilarMatch]


class ChangedProduct(Answer):
    """What became of one product of a change."""

    id: str = Field(description='"" in a batch where it was no text.', examples=["SKU-0042"])
    status: Literal["created", "stored", "deleted", "not_found", "refused", "failed"]
    problems: list[str] = Field(description="Why nothing came of it, or what was left out of it.")


class BatchAnswer(Answer):
    """What became of each product, in the order of the request: those to store, then to delete."""

    items: list[ChangedProduct]


class ShelfCounts(Answer):
    """How much a shelf holds."""

    products: int
    pictures: int
    embeddings: int


class ShelfRun(Answer):
    """The latest change by a feed or by this service."""

    feed: str
    started: str
    finished: str | None = Field(description="Null while it runs, or if it was interrupted.")


class ShelfAnswer(Answer):
    """The shelf that is served."""

    system: str
    fingerprint: str
    version: str = Field(description="Another one after every change.")
    counts: ShelfCounts
    last_run: ShelfRun | None


class EventAnswer(Answer):
    """An event that was kept."""

    kept: Literal[True]


class ShownFacetCategory(Answer):
    """A category and those in it."""

    category: str = Field(examples=["Apparel > Shoes"])
    products: int = Field(description="In it and in categories below it.")
    example: str = Field(description="ID of a product in it.")


class ShownFacetBrand(Answer):
    """A brand."""

    brand: str
    products: int


class ShownFacetPrice(Answer):
    """The prices in one currency."""

    currency: str = Field(examples=["EUR"], description='"" where the feed does not say.')
    products: int
    least: float
    most: float


class FacetsAnswer(Answer):
    """What the products can be told apart by."""

    products: int
    categories: list[ShownFacetCategory] = Field(description="By name, each before those below it.")
    brands: list[ShownFacetBrand] = Field(description="Largest first.")
    prices: list[ShownFacetPrice] = Field(description="Largest currency first.")


class Health(Answer):
    """Whether the service is well."""

    status: Literal["ok"]
