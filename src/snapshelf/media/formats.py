"""Which picture format bytes are in, told by their first bytes alone."""

from enum import StrEnum

from snapshelf.errors import PictureError

__all__ = ["PictureFormat", "detect_format"]


class PictureFormat(StrEnum):
    """The formats that are decoded; everything else is refused."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    GIF = "GIF"
    HEIC = "HEIC"


_HEVC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")

_REFUSED = (
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"\0\0\1\0", "ICO"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"PK\3\4", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM video"),
    (b"RIFF", "RIFF without a WebP picture"),
)


def detect_format(data: bytes) -> PictureFormat:
    """Tell the format of a picture from its first bytes.

    A file's name and its declared media type play no part.

    Args:
        data: The file's bytes; its first 64 are looked at, and more of them only to name a
            text format in the error.

    Returns:
        The one format whose decoder may see the bytes.

    Raises:
        PictureError: If the format is none of `PictureFormat`; the message names what was
            seen and what is accepted.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return PictureFormat.WEBP
    if data.startswith((b"GIF87a", b"GIF89a")):
        return PictureFormat.GIF
    if data[4:8] == b"ftyp" and _is_hevc(data):
        return PictureFormat.HEIC
    if not data:
        raise PictureError("the file is empty, expected a picture")
    raise PictureError(
        f"the file is {_name(data)}, expected one of {', '.join(PictureFormat)}; "
        f"save it in one of these formats"
    )


def _is_hevc(data: bytes) -> bool:
    """Whether an ISO media file says that it is an HEVC-coded still picture."""
    major = data[8:12]
    if major not in (b"mif1", b"msf1"):
        return major in _HEVC_BRANDS
    end = min(int.from_bytes(data[:4], "big"), len(data), 64)
    return any(data[at : at + 4] in _HEVC_BRANDS for at in range(16, end, 4))


def _name(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "AVIF" if brand in (b"avif", b"avis") else f"ISO media of brand {brand!r}"
    for magic, name in _REFUSED:
        if data.startswith(magic):
            return name
    text = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if text.startswith(b"<") and b"<svg" in text:
        return "SVG"
    if text.startswith(b"<?xml"):
        return "XML"
    return f"of an unknown format (first bytes {data[:8].hex(' ')})"
