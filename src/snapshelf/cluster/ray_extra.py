"""One message for every module that needs the extra `cluster` where it is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from snapshelf.errors import ClusterError

__all__ = ["ray_extra"]


@contextmanager
def ray_extra() -> Iterator[None]:
    """Wrap the imports of Ray.

    Raises:
        ClusterError: If it is missing; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "ray":
            raise
        raise ClusterError(
            "ray is missing: this needs the extra `cluster`: pip install 'snapshelf[cluster]'"
        ) from error
