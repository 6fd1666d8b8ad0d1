"""From a file's bytes to an RGB picture, with nothing hostile let through."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image, ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from snapshelf.errors import PictureError
from snapshelf.media.flatten import flatten
from snapshelf.media.formats import PictureFormat, detect_format
from snapshelf.media.header import gif_size, png_size, webp_size
from snapshelf.media.limits import Limits
from snapshelf.media.orientation import TRANSPOSE, exif_orientation
from snapshelf.media.picture import RGB

__all__ = ["decode_picture"]

_MAX_SCANS = 500
_SMALL_BYTES = 1 << 20
_STRIP_BYTES = 1 << 18
_GREY_SCALE = {2: 85, 4: 17}
_CUT_SHORT = (
    "cannot load this image",
    "cannot read full",
    "end of file",
    "insufficient input",
    "no more images",
    "not identified by this driver",
    "too small",
    "truncated",
)


def decode_picture(data: bytes, limits: Limits = Limits()) -> RGB:  # noqa: B008
    """Decode a JPEG, PNG, WebP, GIF (its first frame) or HEIC picture.

    The format is told by the first bytes alone, and only that format's decoder sees the rest.
    The bounds are checked before anything is decoded. The picture comes out upright (EXIF
    orientation), in sRGB (ICC profile), and on white where it is transparent; a 16-bit picture
    keeps the high byte of each value. Nothing global is changed: any number of threads may
    decode at the same time, and Pillow's settings stay as the program has them. A GIF is
    also bound by Pillow's own `Image.MAX_IMAGE_PIXELS`.

    Args:
        data: The whole file.
        limits: Bounds on bytes, pixels and the shortest side.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255], C-contiguous; a new array that may be written to.

    Raises:
        PictureError: If the picture is in another format, beyond a bound, damaged, or ends
            early; it is never returned in part.
        TypeError: If `data` is not bytes.
    """
    if not isinstance(data, bytes):
        raise TypeError(f"data must be bytes, got {type(data).__name__}")
    if len(data) > limits.max_bytes:
        raise PictureError(
            f"the file has {len(data):,} bytes, at most {limits.max_bytes:,} are accepted; "
            f"make it smaller"
        )
    kind = detect_format(data)
    try:
        return _to_array(_upright(_load(data, kind, limits)))
    except PictureError:
        raise
    # A decoder fed with hostile bytes may raise anything, MemoryError included.
    except Exception as error:
        if _ends_early(error, data, kind):
            raise PictureError(
                f"the {kind} file ends early, after {len(data):,} bytes; get it again"
            ) from error
        raise PictureError(
            f"the {kind} file is damaged ({error}); save it again as JPEG or PNG"
        ) from error


class _Jpeg(JpegImageFile):
    """A JPEG whose EXIF block is not parsed for a resolution that nobody asks for.

    Pillow's EXIF reader takes a while and warns about broken blocks.
    """

    def _read_dpi_from_exif(self) -> None:
        pass


def _load(data: bytes, kind: PictureFormat, limits: Limits) -> Image.Image:
    """Check a picture's size by its header, then decode it as stored.

    The decoders of Pillow are called by their classes: `Image.open` would bring a bound of its
    own, and a warning that cannot be silenced for one thread alone.
    """
    if kind is PictureFormat.HEIC:
        from snapshelf.media.heif import heif_size, load_heif, open_heif

        file = open_heif(data)
        _check_size(heif_size(file), limits.max_pixels, limits)
        return load_heif(file)

    image: ImageFile.ImageFile
    stream = BytesIO(data)
    match kind:
        case PictureFormat.JPEG:
            image = _Jpeg(stream)
            _check_size(image.size, limits.max_pixels, limits)
            _check_scans(image, data)
        case PictureFormat.PNG:
            _check_size(png_size(data), limits.max_pixels, limits)
            image = PngImageFile(stream)
        case PictureFormat.WEBP:
            _check_size(webp_size(data), limits.max_pixels, limits)
            image = WebPImageFile(stream)
        case PictureFormat.GIF:
            bound = min(limits.max_pixels, Image.MAX_IMAGE_PIXELS or limits.max_pixels)
            _check_size(gif_size(data), bound, limits)
            image = GifImageFile(stream)
    image.load()
    if kind is PictureFormat.PNG:
        _scale_png_transparency(image, bits=data[24])
    return image


def _check_size(size: tuple[int, int], max_pixels: int, limits: Limits) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            f"the picture is {width} x {height} pixels ({width * height:,}), at most "
            f"{max_pixels:,} are accepted; make it smaller"
        )
    if min(width, height) < limits.min_side:
        raise PictureError(
            f"the picture is {width} x {height} pixels, each side must have at least "
            f"{limits.min_side}; use a larger picture"
        )


def _check_scans(image: Image.Image, data: bytes) -> None:
    """Refuse a progressive JPEG of very many scans.

    Each scan goes over the whole picture at the cost of a few bytes in the file, so a small
    file could keep a decoder busy for hours. Encoders write about ten.
    """
    if "progressive" in image.info:
        scans = data.count(b"\xff\xda")
        if scans > _MAX_SCANS:
            raise PictureError(
                f"the JPEG has {scans:,} scans, at most {_MAX_SCANS} are accepted; save it again"
            )


def _scale_png_transparency(image: Image.Image, *, bits: int) -> None:
    """Bring the transparent colour to the scale that Pillow brought the pixels to."""
    key = image.info.get("transparency")
    if image.mode == "L" and isinstance(key, int):
        image.info["transparency"] = key * _GREY_SCALE.get(bits, 1)
    elif image.mode == "RGB" and isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in key)


def _upright(image: Image.Image) -> Image.Image:
    exif = image.info.get("exif")
    turn = TRANSPOSE.get(exif_orientation(exif)) if isinstance(exif, bytes) else None
    flat = flatten(image)
    return flat if turn is None else flat.transpose(turn)


def _to_array(image: Image.Image) -> RGB:
    """Copy a picture's pixels, a large one strip by strip: four times faster than at once."""
    width, height = image.size
    if 3 * width * height <= _SMALL_BYTES:
        return np.array(image)
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_BYTES // (3 * width))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _ends_early(error: Exception, data: bytes, kind: PictureFormat) -> bool:
    """Whether a decoder failed because bytes are missing at the end."""
    if kind is PictureFormat.WEBP:
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    out_of_bytes = EOFError | IndexError | struct.error
    if isinstance(error, out_of_bytes) or isinstance(error.__cause__, out_of_bytes):
        return True
    text = str(error).lower()
    return any(words in text for words in _CUT_SHORT)
