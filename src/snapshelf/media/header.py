"""The size that a picture's header declares, read without a decoder."""

from struct import unpack_from

__all__ = ["gif_size", "png_size", "webp_size"]


def png_size(data: bytes) -> tuple[int, int]:
    """Read a PNG's size from its IHDR chunk.

    Args:
        data: The whole file.

    Returns:
        Width and height, in pixels.

    Raises:
        ValueError: If the file does not begin with an IHDR chunk.
        struct.error: If the file ends early.
    """
    if data[12:16] != b"IHDR":
        raise ValueError("a PNG begins with an IHDR chunk, and this one does not")
    width, height = unpack_from(">II", data, 16)
    return width, height


def webp_size(data: bytes) -> tuple[int, int]:
    """Read a WebP's canvas size from its first chunk.

    Args:
        data: The whole file.

    Returns:
        Width and height, in pixels.

    Raises:
        ValueError: If the first chunk is none that a WebP begins with.
        struct.error: If the file ends early.
    """
    chunk = data[12:16]
    if chunk == b"VP8X":
        low_width, high_width, low_height, high_height = unpack_from("<HBHB", data, 24)
        return (high_width << 16 | low_width) + 1, (high_height << 16 | low_height) + 1
    if chunk == b"VP8L":
        (bits,) = unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError(f"a WebP begins with VP8, VP8L or VP8X, got {chunk!r}")


def gif_size(data: bytes) -> tuple[int, int]:
    """Read the size that a GIF's screen and first frame take together.

    Decoders grow the screen to a frame that reaches beyond it, so the screen alone bounds
    nothing.

    Args:
        data: The whole file.

    Returns:
        Width and height, in pixels.

    Raises:
        ValueError: If there is no frame.
        IndexError: If the file ends early.
        struct.error: If the file ends early.
    """
    width, height, flags = unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while data[at] != 0x2C:
        if data[at] == 0x3B:
            raise ValueError("a GIF holds at least one frame, and this one holds none")
        if data[at] == 0x21:
            at += 2
            while data[at]:
                at += data[at] + 1
        at += 1
    left, top, frame_width, frame_height = unpack_from("<HHHH", data, at + 1)
    return max(width, left + frame_width), max(height, top + frame_height)
