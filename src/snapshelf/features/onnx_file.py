"""Reading an ONNX file within bounds: one whole file, whose weights lie in it and nowhere else.

ONNX lets a tensor name another file that holds its values, by a path. A model that comes from
anywhere must not make this machine read what its author names, so such files are refused. The
check walks the file's protocol buffer and needs nothing but Python.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from snapshelf.errors import ModelError

__all__ = ["MOST_BYTES", "read_onnx_file"]

MOST_BYTES = 2**31 - 1
"""The largest protocol buffer there is."""

MOST_NESTED = 64
"""Messages within messages; real graphs need about ten."""

# The messages of onnx.proto that lead to tensors: field number to the message it holds.
MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse tensor",
        23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
GRAPH = 7
EXTERNAL_DATA, DATA_LOCATION = 13, 14

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class _BrokenError(Exception):
    """The bytes are no protocol buffer."""


def read_onnx_file(file: Path) -> bytes:
    """Read an ONNX file that stands alone.

    Args:
        file: The file.

    Returns:
        All of its bytes; not yet known to be a graph that makes sense.

    Raises:
        ModelError: If it cannot be read, is too large, is no ONNX file, or has a tensor whose
            values lie in another file.
    """
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise ModelError(f"{file} has {size:,} bytes, expected at most {MOST_BYTES:,}")
        data = file.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(f"the model {file} cannot be read: {reason}") from error
    try:
        fields = {number for number, _, _ in _fields(data, 0, len(data))}
        is_alone = not _reaches_out(data, 0, len(data), "model", 0)
    except _BrokenError as error:
        raise ModelError(
            f"{file} is no ONNX file: {error}. Copy or download it again, or export the model anew"
        ) from error
    if GRAPH not in fields:
        raise ModelError(f"{file} is no ONNX file: it holds no graph; export the model anew")
    if not is_alone:
        raise ModelError(
            f"{file} keeps weights in another file, which is refused; "
            "save the model as a single file, without external data"
        )
    return data


def _reaches_out(data: bytes, start: int, end: int, message: str, depth: int) -> bool:
    """Tell whether a tensor within a message keeps its values elsewhere."""
    if depth > MOST_NESTED:
        raise _BrokenError(f"its messages are nested more than {MOST_NESTED} deep")
    inner = MESSAGES[message]
    for number, first, last in _fields(data, start, end):
        if message == "tensor" and number in (EXTERNAL_DATA, DATA_LOCATION):
            # The location is given as 0, "in this file", by careful writers.
            if number == EXTERNAL_DATA or any(data[first:last]):
                return True
        elif number in inner and _reaches_out(data, first, last, inner[number], depth + 1):
            return True
    return False


def _fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each field of a message, and where its value begins and ends."""
    at = start
    while at < end:
        key, first = _varint(data, at, end)
        wire = key & 7
        if wire == VARINT:
            _, at = _varint(data, first, end)
        elif wire == BYTES:
            length, first = _varint(data, first, end)
            at = first + length
        elif wire in (FIXED32, FIXED64):
            at = first + (8 if wire == FIXED64 else 4)
        else:
            raise _BrokenError(f"byte {start} begins no field")
        if at > end:
            raise _BrokenError("it breaks off")
        yield key >> 3, first, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of up to ten bytes; gives it and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise _BrokenError("it breaks off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _BrokenError("a number in it has no end")
