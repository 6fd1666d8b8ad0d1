"""`RenderedClips`: clips of photos, each rendered when it is looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

from snapshelf.datasets.clips.clip import Clip, ClipFrame
from snapshelf.datasets.clips.plan import clip_generator
from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.clips.rendering import ReadPhoto, render_clip
from snapshelf.datasets.photo_file import read_photo
from snapshelf.datasets.training_item import PicturePart

__all__ = ["Filming", "RenderedClips"]


@dataclass(frozen=True, slots=True)
class Filming:
    """How a data set's clips are rendered.

    Attributes:
        settings: What they are like.
        seed: At least 0; another one gives other clips of the same photos.
        read: Gives a photo; one that remembers photos saves their decoding.
    """

    settings: RenderSettings = field(default_factory=RenderSettings)
    seed: int = 0
    read: ReadPhoto = read_photo

    def __post_init__(self) -> None:
        """Refuse a seed below 0.

        Raises:
            ValueError: Says what was expected and what came.
        """
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")


@dataclass(frozen=True, slots=True)
class _Take:
    """Renders one clip, in any process that it is handed to."""

    photos: tuple[PicturePart, ...]
    products: frozenset[str]
    number: int
    filming: Filming

    def __call__(self) -> Iterator[ClipFrame]:
        rng = clip_generator(self.filming.seed, self.products, self.number)
        return render_clip(self.photos, self.number, rng, self.filming.settings, self.filming.read)


class RenderedClips(Sequence[Clip]):
    """The clips of the photos that show the same products, numbered from 0.

    Everything in a clip follows from the seed, the products' IDs, its number and the photos.

    Args:
        products: IDs of the products, at least one; they are part of a clip's ID.
        category: Of all clips.
        photos: At least one, each with the part of it that shows the product.
        count: How many clips there are, at least 0. Clip N begins with photo N, counted round.
        filming: How they are rendered.

    Raises:
        ValueError: If there is no product or no photo, or `count` is negative.
    """

    def __init__(
        self,
        products: frozenset[str],
        category: str,
        photos: Sequence[PicturePart],
        count: int,
        filming: Filming,
    ) -> None:
        if not products or not photos or count < 0:
            raise ValueError(
                "expected products, photos and a count of at least 0, got "
                f"{len(products)} products, {len(photos)} photos and a count of {count}"
            )
        self._products = products
        self._category = category
        self._photos = tuple(photos)
        self._count = count
        self._filming = filming

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Clip: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Clip, ...]: ...

    def __getitem__(self, place: int | slice) -> Clip | tuple[Clip, ...]:
        """Give a clip by its number, or some.

        Raises:
            IndexError: If there is no such clip.
        """
        if isinstance(place, slice):
            return tuple(self[number] for number in range(*place.indices(self._count)))
        number = place + self._count if place < 0 else place
        if not 0 <= number < self._count:
            raise IndexError(f"there are {self._count} clips, got number {place}")
        take = _Take(self._photos, self._products, number, self._filming)
        name = "+".join(sorted(map(_escaped, self._products)))
        return Clip(f"{name}#{number}", self._products, self._category, take)


def _escaped(name: str) -> str:
    """Keep the IDs in a clip's ID apart."""
    return name.replace("%", "%25").replace("+", "%2B").replace("#", "%23")
