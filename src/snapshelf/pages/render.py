"""Templates to HTML. Every value is escaped, and a name that a template lacks is an error."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["data_uri", "render"]


def render(template: str, context: Mapping[str, object]) -> str:
    """Render one of the package's templates.

    Args:
        template: File name below ``pages/templates``.
        context: The values that the template names; text is escaped.

    Returns:
        The page.

    Raises:
        jinja2.UndefinedError: If the template names a value that `context` lacks.
    """
    return _environment().get_template(template).render(context)


def data_uri(picture: bytes, kind: str = "jpeg") -> str:
    """Put a picture into a URI, so that a page needs no other file.

    Args:
        picture: The file's bytes.
        kind: ``jpeg`` or ``png``, whichever it is.

    Returns:
        A ``data:`` URI.

    Example:
        >>> data_uri(bytes([255, 216, 255]))
        'data:image/jpeg;base64,/9j/'
    """
    return f"data:image/{kind};base64,{b64encode(picture).decode('ascii')}"


@cache
def _environment() -> Environment:
    # Autoescaping is not left to file names: it is on for whatever is rendered here.
    return Environment(
        loader=PackageLoader("snapshelf.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
