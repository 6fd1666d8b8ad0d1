"""What has to be done with the pictures of a catalogue before a shelf can hold them."""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar

from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import EmbeddedPicture, embed_pictures
from snapshelf.features.product_encoder import ProductParts
from snapshelf.media.content import content_hash
from snapshelf.media.decode import decode_picture
from snapshelf.media.limits import Limits
from snapshelf.media.picture import RGB
from snapshelf.media.source import PictureSource
from snapshelf.systems.system import System

__all__ = ["PictureWork", "ProductPicture"]


class ProductPicture(Protocol):
    """A picture of a product, as a feed names it."""

    @property
    def image(self) -> str:
        """A path relative to the feed's folder, or a URL."""
        ...

    @property
    def product_id(self) -> str:
        """Whose picture it is."""
        ...


P = TypeVar("P", bound=ProductPicture)


class PictureWork:
    """Reads, decodes, locates, describes and embeds pictures; any number of threads may use it.

    Args:
        system: Of the shelf.
        source: Reads the pictures.
        limits: Bounds of a picture.
    """

    def __init__(self, system: System, source: PictureSource, limits: Limits) -> None:
        self._system = system
        self._source = source
        self._limits = limits
        self._products: ProductParts[ProductPicture] | None = ProductParts.of(
            system.encoder, system.reranker, _product_of
        )

    def read(self, picture: ProductPicture) -> tuple[bytes, str]:
        """Read a picture.

        Args:
            picture: Which.

        Returns:
            Its bytes, and the hex digest of what decides its embedding.

        Raises:
            PictureError: If it cannot be read, or its product's own features are missing.
        """
        data = self._source.read(picture.image)
        return data, content_hash(data + self._own_features(picture))

    def embed(
        self,
        pictures: Iterable[P],
        take: Callable[[P], bytes | None],
        *,
        batch_size: int,
        workers: int | None = None,
    ) -> Generator[EmbeddedPicture[P], None, None]:
        """Embed pictures, in their order; see `embed_pictures`.

        Args:
            pictures: Drawn lazily.
            take: Gives a picture's bytes, None where it is not to be embedded; called once for
                each, in worker threads.
            batch_size: Regions embedded at once.
            workers: Number of worker threads; None for one for each processor.
        """

        def decode(picture: P) -> RGB | None:
            data = take(picture)
            return None if data is None else decode_picture(data, self._limits)

        return embed_pictures(
            pictures,
            decode,
            locator=self._system.locator,
            encoder=self._system.encoder,
            domain=Domain.SHOP,
            describe=self._describe(),
            products=self._products,
            batch_size=batch_size,
            workers=workers,
        )

    def _own_features(self, picture: ProductPicture) -> bytes:
        """Give what else than the picture decides its embedding: the product's own features.

        Two products of one picture would share an embedding without it.
        """
        if self._products is None or self._products.encoder is None:
            return b""
        return self._products.encoder.prepare_product(picture.product_id).tobytes()

    def _describe(self) -> Callable[[RGB], bytes] | None:
        """Give what describes an item for re-ranking, if anything."""
        reranker = self._system.reranker
        if reranker is None:
            return None
        return lambda part: reranker.describe(part, Domain.SHOP)


def _product_of(picture: ProductPicture) -> str:
    return picture.product_id
