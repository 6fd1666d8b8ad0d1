"""What the catalogue team's part of the service answers with, described for OpenAPI."""

from typing import Any, Literal

from pydantic import Field

from snapshelf.service.answers import Answer

__all__ = [
    "AnnotationResult",
    "DuplicatesAnswer",
    "IndexResult",
    "LatestAnswer",
    "ListAnswer",
    "PassAnswer",
    "WorkAnswer",
    "WorkState",
]


class ListedProduct(Answer):
    """A product of a page of the shelf."""

    id: str = Field(examples=["SKU-0042"])
    title: str = Field(examples=["Canvas sneaker, red"])
    category: str | None = Field(examples=["Apparel > Shoes"])
    brand: str | None = Field(examples=["Acme"])
    price: str | None = Field(examples=["49.90 EUR"])
    url: str | None = Field(examples=["https://shop.example/SKU-0042"])
    image: str = Field(description="Its first picture, as the feed names it.")
    picture: str = Field(
        description="Where this service shows that picture.",
        examples=["/v1/products/SKU-0042/images/0"],
    )
    pictures: int = Field(ge=1, description="How many pictures it has.")


class ListAnswer(Answer):
    """Some products of the shelf, in the order of their IDs."""

    products: list[ListedProduct]
    next: str | None = Field(
        description="Give it as `after` for those that follow; null if none do.",
        examples=["U0tVLTAwNDI"],
    )
    total: int | None = Field(
        description="Products that pass the filter; null where words were looked for."
    )


class PassAnswer(Answer):
    """A pass for pictures."""

    pass_: str = Field(alias="pass", description="Give it as `pass` with a picture's address.")
    seconds: int = Field(gt=0, description="How long it holds.", examples=[5400])


class LikeWhich(Answer):
    """The product that another is most like."""

    id: str
    image: str


class DuplicateProduct(Answer):
    """A product that looks like another of its group."""

    product: ListedProduct
    similarity: float
    like: LikeWhich
    same_picture: bool | None = Field(
        description="Whether the two pictures are copies of one; null where that was not asked."
    )


class GroupAnswer(Answer):
    """Products that look the same."""

    similarity: float = Field(description="Of the two that are most alike.")
    products: list[DuplicateProduct]


class DuplicatesAnswer(Answer):
    """The products that look the same, the most alike first."""

    least: float
    compared: int = Field(description="Products compared.")
    groups: list[GroupAnswer]
    left_out: int = Field(ge=0, description="Groups beyond those that are given.")


class AnnotationResult(Answer):
    """What became of the pictures."""

    pictures: int
    items: int
    skipped: int = Field(description="Pictures that could not be read; their lines say why.")
    lines: str = Field(
        description="Where the JSON Lines are.", examples=["/v1/annotations/Xb2.jsonl"]
    )


class ReasonCount(Answer):
    """How often something was skipped for a reason."""

    field: str
    reason: str
    count: int


class RowProblem(Answer):
    """Something of a feed that was skipped."""

    line: int = Field(description="Of the feed, from 1; 0 where there are no lines.")
    field: str
    reason: str
    product_id: str
    fatal: bool = Field(description="Whether the whole product was skipped.")


class UpdateCounts(Answer):
    """What an update of the shelf did."""

    read: int
    changed: int
    unchanged: int
    removed: int
    skipped: int
    parts_skipped: int
    pictures_embedded: int
    pictures_reused: int
    stopped: str = Field(description='Why the feed could not be read to its end, "" if it was.')
    not_removed: str = Field(description='Why nothing was removed, "" where that was right.')
    seconds: float


class IndexResult(Answer):
    """What a feed did to the shelf, and what of it was skipped."""

    feed: str
    format: str
    report: UpdateCounts
    reasons: list[ReasonCount]
    problems: list[RowProblem] = Field(description="The first hundred.")
    problem_count: int
    problem_files: dict[str, str] = Field(
        description="Where all of them are, by format.",
        examples=[{"csv": "/v1/index/Xb2/problems.csv", "jsonl": "/v1/index/Xb2/problems.jsonl"}],
    )


class WorkState(Answer):
    """Work under way, or done."""

    id: str = Field(examples=["kq3J0mRkq3J0mRkq3J0mR0aB"])
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    url: str = Field(description="Where to ask again.", examples=["/v1/annotations/kq3J0mR"])
    so_far: dict[str, Any] = Field(description="What there is to tell before it is done.")
    result: AnnotationResult | IndexResult | DuplicatesAnswer | None
    error: dict[str, Any] | None = Field(description="A problem, where it failed.")


class WorkAnswer(Answer):
    """Work that was begun."""

    job: WorkState


class LatestAnswer(Answer):
    """The work that was begun last."""

    job: WorkState | None = Field(description="Null if there was none in the last hour.")
