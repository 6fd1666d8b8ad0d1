"""One message for every module that needs the extra `torch` where it is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from snapshelf.errors import ModelError

__all__ = ["torch_extra"]

_PACKAGES = frozenset(
    {
        "huggingface_hub",
        "kornia",
        "lightning",
        "onnx",
        "onnx_ir",
        "onnxscript",
        "scipy",
        "sklearn",
        "timm",
        "torch",
        "torchvision",
    }
)


@contextmanager
def torch_extra() -> Iterator[None]:
    """Wrap the imports of torch and of what builds on it.

    Raises:
        ModelError: If a package of the extra is missing; the message says how to install it.

    Example:
        >>> with torch_extra():
        ...     import json
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise ModelError(
            f"{error.name} is missing: this needs the extra `torch`: pip install 'snapshelf[torch]'"
        ) from error
