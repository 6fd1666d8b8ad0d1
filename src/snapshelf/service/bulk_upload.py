"""Forms with many files, or a large one: in files without a name, which go with the process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from snapshelf.service.problems import ProblemError
from snapshelf.service.validation import invalid, refused

__all__ = ["Uploaded", "Uploads"]

M = TypeVar("M", bound=BaseModel)

MOST_FIELDS = 20
MOST_FIELD_BYTES = 16 * 1024
MOST_NAME = 300


class _Parser(MultiPartParser):
    """A parser whose files outlive it, whatever becomes of the request."""

    def close(self) -> None:
        """Let go of what was read, also of a part that did not come to its end."""
        for file in self._files_to_close_on_error:
            file.close()


@dataclass(frozen=True, slots=True, eq=False)
class Uploaded:
    """A form.

    Attributes:
        files: Names as the client gave them, printable and at most 300 letters, with the files.
        fields: The rest.
        parser: Holds the files open.
    """

    files: tuple[tuple[str, BinaryIO], ...]
    fields: Mapping[str, str]
    parser: _Parser

    def options(self, model: type[M]) -> M:
        """Read the fields.

        Raises:
            ProblemError: If they are not what the model expects.
        """
        try:
            return model.model_validate(dict(self.fields))
        except ValidationError as error:
            found = list(error.errors(include_input=False, include_url=False))
            raise invalid(found, at="body", known=model.model_fields) from None

    def close(self) -> None:
        """Let go of the files."""
        self.parser.close()


class Uploads:
    """Reads forms; for the event loop's thread only.

    Args:
        most_at_once: Forms that may arrive at a time; more are refused, since each takes disk.
    """

    def __init__(self, most_at_once: int) -> None:
        self._most = most_at_once
        self._arriving = 0

    @asynccontextmanager
    async def read(
        self, request: Request, *, field: str, most_files: int
    ) -> AsyncIterator[Uploaded]:
        """Read a form, and let go of its files if what follows fails.

        Args:
            request: Its body is bounded already.
            field: Name of the files' field.
            most_files: How many there may be.

        Yields:
            The form; to be closed by who takes it over.

        Raises:
            ProblemError: If it is not understood, has no files, or too many forms arrive.
        """
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "multipart/form-data":
            raise ProblemError(
                "wrong-type",
                f"got {media[:60] or 'no content type'!r}; send the files as multipart/form-data, "
                f"each in a field {field!r}",
            )
        if self._arriving >= self._most:
            raise ProblemError("busy", "other files are arriving; try again", retry_after_s=5)
        parser = _Parser(
            request.headers,
            request.stream(),
            max_files=most_files,
            max_fields=MOST_FIELDS,
            max_part_size=MOST_FIELD_BYTES,
        )
        self._arriving += 1
        try:
            yield await self._parsed(parser, field)
        except BaseException:
            parser.close()
            raise
        finally:
            self._arriving -= 1

    async def _parsed(self, parser: _Parser, field: str) -> Uploaded:
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise ProblemError(
                "not-understood", f"the form is not understood: {error.message}"
            ) from None
        files: list[tuple[str, BinaryIO]] = []
        fields: dict[str, str] = {}
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if name != field:
                    raise refused(
                        f"body.{name[:60]}", f"is no field for files; name each {field!r}"
                    )
                files.append((_shown(value.filename or ""), value.file))
            elif name in fields:
                raise refused(f"body.{name[:60]}", "is given twice; give it once")
            else:
                fields[name] = value
        if not files:
            raise refused(f"body.{field}", "is missing; put each file into a field of this name")
        return Uploaded(tuple(files), fields, parser)


def _shown(name: str) -> str:
    """A file's name, fit to be shown."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:MOST_NAME])
