"""Decoding: every mode and format against values worked out independently."""

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from snapshelf.errors import PictureError
from snapshelf.media import RGB, Limits, decode_picture
from snapshelf.media.colour import convert_profile

QUADRANTS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "grey": (90, 90, 90)}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def heic(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, **options)
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(size: tuple[int, int], bits: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *chunks,
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def textured(width: int = 96, height: int = 64) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    channels = (columns * 255 // (width - 1), rows * 255 // (height - 1), (rows * columns) % 256)
    noise = np.random.default_rng(0).integers(-9, 9, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(channels, -1) + noise, 0, 255).astype(np.uint8))


def quadrants() -> Image.Image:
    """Red and green above blue and grey, 48 wide and 32 high."""
    image = Image.new("RGB", (48, 32))
    for index, colour in enumerate(QUADRANTS.values()):
        left, top = 24 * (index % 2), 16 * (index // 2)
        image.paste(colour, (left, top, left + 24, top + 16))
    return image


def corners(picture: RGB) -> list[str]:
    """The nearest colour's name in each corner, clockwise from the top left."""
    names, values = list(QUADRANTS), np.array(list(QUADRANTS.values()))
    height, width, _ = picture.shape
    places = [(4, 4), (4, width - 5), (height - 5, width - 5), (height - 5, 4)]
    return [names[np.abs(values - picture[place].astype(int)).sum(1).argmin()] for place in places]


FILES: dict[str, bytes] = {
    "jpeg": saved(textured(), "JPEG", quality=90),
    "progressive jpeg": saved(textured(), "JPEG", quality=90, progressive=True),
    "grey jpeg": saved(textured().convert("L"), "JPEG"),
    "png": saved(textured(), "PNG"),
    "palette png": saved(textured().quantize(64), "PNG"),
    "gif": saved(textured(), "GIF"),
    "interlaced gif": saved(textured(), "GIF", interlace=1),
    "webp": saved(textured(), "WEBP", quality=90),
    "lossless webp": saved(textured(), "WEBP", lossless=True),
    "webp with alpha": saved(textured().convert("RGBA"), "WEBP"),
    "heic": heic(textured(), quality=90),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_picture_that_was_saved(name: str) -> None:
    picture = decode_picture(FILES[name])
    assert picture.shape == (64, 96, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.flags.writeable
    wanted = np.asarray(textured().convert("L").convert("RGB") if "grey" in name else textured())
    tolerance = {"png": 0, "lossless webp": 0}.get(name, 30)
    assert np.abs(picture.astype(int) - wanted).mean() <= tolerance


def test_a_large_picture_is_copied_whole() -> None:
    image = textured(1300, 1100)
    np.testing.assert_array_equal(decode_picture(saved(image, "PNG")), np.asarray(image))


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_is_never_half_a_picture(name: str) -> None:
    data = FILES[name]
    whole = decode_picture(data)
    ends = {*range(16, len(data), max(1, len(data) // 60)), *range(len(data) - 30, len(data))}
    refused = 0  # short of the trailer, which some formats do without
    for end in sorted(ends):
        if len(data) - end < 24:
            with contextlib.suppress(PictureError):
                np.testing.assert_array_equal(decode_picture(data[:end]), whole)
        else:
            refused += 1
            with pytest.raises(PictureError, match="ends early"):
                decode_picture(data[:end])
    assert refused >= 55


@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (1, ["red", "green", "grey", "blue"]),
        (2, ["green", "red", "blue", "grey"]),
        (3, ["grey", "blue", "red", "green"]),
        (4, ["blue", "grey", "green", "red"]),
        (5, ["red", "blue", "grey", "green"]),
        (6, ["blue", "red", "green", "grey"]),
        (7, ["grey", "green", "red", "blue"]),
        (8, ["green", "grey", "blue", "red"]),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation_turns_the_picture_upright(
    kind: str, orientation: int, wanted: list[str]
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description, so that the tag is not the first one"
    exif[0x0112] = orientation
    picture = decode_picture(saved(quadrants(), kind, exif=exif))
    assert picture.shape == ((32, 48, 3) if orientation < 5 else (48, 32, 3))
    assert corners(picture) == wanted


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_heic_is_turned_once_by_its_own_rotation(orientation: int) -> None:
    """Phones write both a rotation box and an EXIF orientation; only the box counts."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    as_stored = quadrants()
    file = pillow_heif.from_bytes("RGB", as_stored.size, as_stored.tobytes())
    file[0].info["exif"] = exif.tobytes()
    stream = io.BytesIO()
    file.save(stream, quality=95)
    assert b"irot" in stream.getvalue()
    wanted = decode_picture(saved(as_stored, "PNG", exif=exif))
    picture = decode_picture(stream.getvalue())
    assert picture.shape == wanted.shape
    assert corners(picture) == corners(wanted)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\0" * 30,
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x06\0\0\0",
        b"Exif\0\0XX*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0",
    ],
)
def test_a_broken_exif_block_changes_nothing_and_warns_of_nothing(exif: bytes) -> None:
    plain = saved(quadrants(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = decode_picture(plain[:2] + segment + plain[2:])
    np.testing.assert_array_equal(picture, decode_picture(plain))
    assert not caught


def test_alpha_is_composited_on_white() -> None:
    image = Image.new("RGBA", (3, 1))
    image.putdata([(255, 0, 0, 255), (255, 0, 0, 51), (10, 20, 30, 0)])
    assert decode_picture(saved(image, "PNG"))[0].tolist() == [
        [255, 0, 0],
        [255, 204, 204],
        [255, 255, 255],
    ]


def test_grey_with_alpha() -> None:
    image = Image.new("LA", (2, 1))
    image.putdata([(0, 102), (200, 255)])
    assert decode_picture(saved(image, "PNG"))[0].tolist() == [[153] * 3, [200] * 3]


def test_palette_with_transparency() -> None:
    rows = b"\0" + bytes([0, 1, 2])
    palette = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0, 0, 0, 255]))
    data = png((3, 1), 8, 3, rows, palette, chunk(b"tRNS", bytes([255, 0, 51])))
    assert decode_picture(data)[0].tolist() == [[255, 0, 0], [255, 255, 255], [204, 204, 255]]


def test_gif_transparency_and_only_the_first_frame() -> None:
    first, second = Image.new("P", (2, 1)), Image.new("P", (2, 1), 2)
    for frame in (first, second):
        frame.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    first.putpixel((1, 0), 1)
    data = saved(
        first, "GIF", save_all=True, append_images=[second], transparency=1, optimize=False
    )
    assert decode_picture(data)[0].tolist() == [[255, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize(
    ("bits", "row", "key", "wanted"),
    [
        (1, b"\x50", None, [0, 255, 0, 255]),
        (2, b"\x1b", None, [0, 85, 170, 255]),
        (2, b"\x1b", 1, [0, 255, 170, 255]),
        (4, b"\x18\x9f", 8, [17, 255, 153, 255]),
        (8, bytes([0, 7, 128, 255]), 7, [0, 255, 128, 255]),
        (16, struct.pack(">4H", 0, 511, 0x8000, 65535), None, [0, 1, 128, 255]),
        (16, struct.pack(">4H", 0, 511, 510, 65535), 511, [0, 255, 1, 255]),
    ],
)
def test_grey_of_every_depth(bits: int, row: bytes, key: int | None, wanted: list[int]) -> None:
    chunks = () if key is None else (chunk(b"tRNS", struct.pack(">H", key)),)
    picture = decode_picture(png((4, 1), bits, 0, b"\0" + row, *chunks))
    assert picture[0].tolist() == [[value] * 3 for value in wanted]


def test_16_bit_colour_keeps_the_high_byte() -> None:
    row = struct.pack(">6H", 0x1234, 0xFFFF, 0x00FF, 0x8000, 0x7FFF, 0x0100)
    assert decode_picture(png((2, 1), 16, 2, b"\0" + row))[0].tolist() == [
        [0x12, 0xFF, 0x00],
        [0x80, 0x7F, 0x01],
    ]


def test_16_bit_colour_with_a_transparent_colour() -> None:
    row = struct.pack(">6H", 0x1234, 0x2345, 0x3456, 0x8000, 0x7FFF, 0x0100)
    key = chunk(b"tRNS", struct.pack(">3H", 0x1234, 0x2345, 0x3456))
    assert decode_picture(png((2, 1), 16, 2, b"\0" + row, key))[0].tolist() == [
        [255, 255, 255],
        [0x80, 0x7F, 0x01],
    ]


def test_a_heic_of_a_general_brand() -> None:
    """Some writers name the container first, and HEVC only among the compatible brands."""
    data = FILES["heic"]
    assert data[8:12] == b"heic"
    assert b"heic" in data[16:40]
    general = data[:8] + b"mif1" + data[12:]
    np.testing.assert_array_equal(decode_picture(general), decode_picture(data))


def test_a_heic_that_lies_about_its_size_is_refused() -> None:
    data = FILES["heic"]
    at = data.index(b"ispe") + 8
    assert struct.unpack(">II", data[at : at + 8]) == (96, 64)
    with pytest.raises(PictureError, match="HEIC file is damaged"):
        decode_picture(data[:at] + struct.pack(">II", 16, 16) + data[at + 8 :])


def test_16_bit_grey_heic() -> None:
    values = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None], 64, axis=0)
    stream = io.BytesIO()
    pillow_heif.from_bytes("I;16", (64, 64), values.tobytes()).save(stream, quality=-1)
    picture = decode_picture(stream.getvalue())
    assert np.abs(picture.astype(int) - (values >> 8)[..., None]).max() <= 4


@pytest.mark.parametrize(
    "cmyk", [(0, 0, 0, 0), (255, 0, 0, 0), (0, 200, 30, 0), (20, 40, 60, 128), (0, 0, 0, 255)]
)
def test_cmyk_jpeg_against_the_formula(cmyk: tuple[int, int, int, int]) -> None:
    data = saved(Image.new("CMYK", (16, 16), cmyk), "JPEG", quality=100)
    wanted = [(255 - ink) * (255 - cmyk[3]) / 255 for ink in cmyk[:3]]
    np.testing.assert_allclose(decode_picture(data)[8, 8], wanted, atol=3)


def test_ycck_jpeg_is_cmyk_too() -> None:
    """Marking the planes as YCCK makes libjpeg read them as inverted YCbCr plus K."""
    planes = (120, 90, 170, 40)
    stored = saved(Image.new("CMYK", (16, 16), planes), "JPEG", quality=100)
    at = stored.index(b"Adobe") + 11
    picture = decode_picture(stored[:at] + b"\x02" + stored[at + 1 :])
    luma, blue, red, key = (255 - plane for plane in planes)
    decoded = (
        luma + 1.402 * (red - 128),
        luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
        luma + 1.772 * (blue - 128),
    )
    wanted = [np.clip(255 - value, 0, 255) * key / 255 for value in decoded]
    np.testing.assert_allclose(picture[8, 8], wanted, atol=4)


def wide_gamut_profile() -> bytes:
    """A matrix profile with Adobe RGB's primaries (adapted to D50) and gamma 2.2."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + fixed(*values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    name = b"wide\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78 + b"\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", offset + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    header = struct.pack(">I", offset + len(body)) + b"\0\0\0\0\x02\x10\0\0mntrRGB XYZ "
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def to_srgb(colour: tuple[int, int, int]) -> np.ndarray:
    """Adobe RGB primaries and gamma 2.2 to sRGB, by the published matrices (D50)."""
    to_xyz = np.array(
        [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
    )
    from_xyz = np.array(
        [
            [3.1338561, -1.6168667, -0.4906146],
            [-0.9787684, 1.9161415, 0.0334540],
            [0.0719453, -0.2289914, 1.4052427],
        ]
    )
    linear = np.clip(from_xyz @ to_xyz @ (np.array(colour) / 255) ** 2.2, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded * 255


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIC"])
@pytest.mark.parametrize("colour", [(200, 100, 50), (90, 160, 90), (30, 60, 120), (255, 255, 255)])
def test_a_wide_gamut_profile_is_converted(kind: str, colour: tuple[int, int, int]) -> None:
    image = Image.new("RGB", (64, 64), colour)
    profile = wide_gamut_profile()
    if kind == "HEIC":
        image.info["icc_profile"] = profile
        data = heic(image, quality=-1, chroma=444)
    else:
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(image, kind, icc_profile=profile, **options)
    got = decode_picture(data)[8, 8]
    np.testing.assert_allclose(got, to_srgb(colour), atol=4)
    if colour != (255, 255, 255):
        assert np.abs(got.astype(int) - colour).max() > 4, "the profile must change something"


def test_a_profile_applies_to_the_colours_below_alpha() -> None:
    image = Image.new("RGBA", (4, 4), (200, 100, 50, 128))
    got = decode_picture(saved(image, "PNG", icc_profile=wide_gamut_profile()))[0, 0]
    wanted = to_srgb((200, 100, 50)) * 128 / 255 + 127
    np.testing.assert_allclose(got, wanted, atol=4)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    "profile",
    [
        srgb_profile(),
        b"not a profile",
        wide_gamut_profile()[:200],
        wide_gamut_profile().replace(b"mntrRGB ", b"mntrCMYK"),
        wide_gamut_profile().replace(b"mntrRGB ", b"mntrGRAY"),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        b"\0" * 5_000_000,
    ],
    ids=["sRGB", "junk", "cut", "for CMYK", "for grey", "LAB", "huge"],
)
def test_a_profile_with_nothing_to_say_is_ignored(profile: bytes) -> None:
    image = textured()
    assert convert_profile(image, profile) is None
    data = saved(image, "WEBP", lossless=True, icc_profile=profile)
    np.testing.assert_array_equal(decode_picture(data), np.asarray(image))


def test_threads_decode_side_by_side() -> None:
    names = [*FILES] * 6
    with ThreadPoolExecutor(6) as pool:
        pictures = list(pool.map(lambda name: decode_picture(FILES[name]), names))
    for name, picture in zip(names, pictures, strict=True):
        np.testing.assert_array_equal(picture, decode_picture(FILES[name]))


def test_pillow_keeps_its_settings_and_nothing_warns() -> None:
    before = (Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN), Image.Image.load)
    large = saved(Image.new("1", (9_500, 9_500)), "PNG")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert decode_picture(large).shape == (9_500, 9_500, 3)
        for data in FILES.values():
            decode_picture(data)
    assert not caught, "90 million pixels are beyond Pillow's own bound, and within ours"
    assert (Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN), Image.Image.load) == before


def gif_with_frame(screen: tuple[int, int], frame: tuple[int, int], disposal: int = 0) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", *screen, 0x80, 0, 0)
        + bytes(6)
        + b"\x21\xf9\x04"
        + bytes([disposal << 2, 0, 0, 0, 0])
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, *frame, 0)
        + b"\x02\x02\x44\x01\x00\x3b"
    )


WEBP_HUGE = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10)
WEBP_HUGE += bytes(4) + b"\xff\xff\x00\xff\xff\x00"
HUGE_TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
HUGE_ICC = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(50_000_000), 9))
GREY_DOT = (1, 1), 8, 0, b"\0\0"
FTYP = b"\0\0\0\x18ftyp"

BAD: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "empty"),
    ("one byte", b"\xff", "unknown format (first bytes ff)"),
    ("tiff", saved(textured(), "TIFF"), "the file is TIFF, expected one of JPEG, PNG"),
    ("big-endian tiff", b"MM\0*" + bytes(50), "the file is TIFF"),
    ("bigtiff", b"II+\0" + bytes(50), "the file is TIFF"),
    ("bmp", saved(textured(), "BMP"), "the file is BMP"),
    ("ico", saved(textured(), "ICO", sizes=[(16, 16)]), "the file is ICO"),
    ("pdf", saved(textured(), "PDF"), "the file is PDF"),
    ("eps", saved(textured(), "EPS"), "the file is PostScript"),
    ("photoshop", b"8BPS\0\1" + bytes(50), "the file is Photoshop"),
    ("jpeg 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "the file is JPEG 2000"),
    ("jpeg xl", b"\xff\x0a" + bytes(50), "the file is JPEG XL"),
    ("avif", FTYP + b"avif\0\0\0\0avifmif1" + bytes(50), "the file is AVIF"),
    ("avif as mif1", FTYP + b"mif1\0\0\0\0avifmiaf" + bytes(50), "brand b'mif1'"),
    ("mp4", FTYP + b"isom\0\0\0\0avc1mp41" + bytes(50), "brand b'isom'"),
    ("svg", b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "the file is SVG"),
    ("plain svg", b"\xef\xbb\xbf  <svg onload='x'/>", "the file is SVG"),
    ("xml", b"<?xml version='1.0'?><feed/>", "the file is XML"),
    ("html", b"\n<!DOCTYPE html><title>Not found</title>", "the file is an HTML page"),
    ("zip", b"PK\3\4" + bytes(50), "the file is ZIP"),
    ("gzip", b"\x1f\x8b\x08" + bytes(50), "the file is gzip"),
    ("wave", b"RIFF\0\0\0\0WAVEfmt ", "RIFF without a WebP"),
    ("portable pixmap", saved(textured(), "PPM"), "unknown format (first bytes 50 36"),
    ("picture behind text", b"x" + FILES["jpeg"], "unknown format"),
    ("jpeg magic only", b"\xff\xd8\xff", "JPEG file ends early"),
    ("jpeg of junk", b"\xff\xd8\xff\xe0" + b"junk" * 50, "JPEG file"),
    ("png magic only", b"\x89PNG\r\n\x1a\n", "PNG file"),
    ("png without header", b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", bytes(30)), "IHDR chunk"),
    ("png with bad crc", FILES["png"][:29] + b"\0\0\0\0" + FILES["png"][33:], "PNG file is dam"),
    ("png text bomb", png(*GREY_DOT, HUGE_TEXT), "PNG file is damaged"),
    ("png profile bomb", png(*GREY_DOT, HUGE_ICC), "PNG file is damaged"),
    ("png bomb", png((60_000, 60_000), 8, 2, b""), "60000 x 60000 pixels (3,600,000,000)"),
    ("png of no width", png((0, 5), 8, 2, b""), "0 x 5 pixels, each side must have at least 1"),
    ("png cut in data", png((50, 50), 8, 2, b"\0" * 40), "PNG file ends early"),
    ("gif magic only", b"GIF89a", "GIF file ends early"),
    ("gif without frame", b"GIF89a" + struct.pack("<HHBBB", 5, 5, 0, 0, 0) + b";", "one frame"),
    ("gif bomb", gif_with_frame((60_000, 60_000), (1, 1)), "60000 x 60000 pixels"),
    ("gif frame bomb", gif_with_frame((1, 1), (60_000, 60_000)), "60000 x 60000 pixels"),
    ("gif disposal bomb", gif_with_frame((1, 1), (60_000, 60_000), 2), "60000 x 60000 pixels"),
    ("gif near the bound", gif_with_frame((9_700, 9_700), (1, 1)), "at most 89,478,485"),
    ("webp magic only", b"RIFF\0\0\0\0WEBP", "WebP file"),
    ("webp of junk", b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8 " + bytes(32), "0 x 0 pixels"),
    ("webp bomb", WEBP_HUGE, "65536 x 65536 pixels"),
    ("heic of junk", FTYP + b"heic\0\0\0\0mif1heic" + b"junk" * 50, "HEIC file"),
]


@pytest.mark.parametrize(("data", "message"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_what_is_refused_and_why(data: bytes, message: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode_picture(data)
    assert message in str(caught.value)


def test_only_the_named_decoder_sees_the_bytes() -> None:
    """A GIF without a frame is a broken GIF, whatever follows."""
    with pytest.raises(PictureError, match="GIF file is damaged"):
        decode_picture(b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b";" + FILES["png"])
    with pytest.raises(PictureError, match="JPEG file"):
        decode_picture(b"\xff\xd8\xff\xfe" + FILES["gif"])


def test_many_scans_are_refused() -> None:
    data = FILES["progressive jpeg"]
    with pytest.raises(PictureError, match=r"1,0\d\d scans, at most 500"):
        decode_picture(data[:-2] + b"\xff\xda" * 1_000 + data[-2:])


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_bytes=100), "bytes, at most 100 are accepted"),
        (Limits(max_pixels=96 * 64 - 1), r"96 x 64 pixels \(6,144\), at most 6,143"),
        (Limits(min_side=65), "96 x 64 pixels, each side must have at least 65"),
    ],
)
@pytest.mark.parametrize("name", FILES)
def test_limits(name: str, limits: Limits, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        decode_picture(FILES[name], limits)


@pytest.mark.parametrize("name", FILES)
def test_limits_are_inclusive(name: str) -> None:
    data = FILES[name]
    limits = Limits(max_bytes=len(data), max_pixels=96 * 64, min_side=64)
    assert decode_picture(data, limits).shape == (64, 96, 3)


@pytest.mark.parametrize("field", ["max_bytes", "max_pixels", "min_side"])
def test_limits_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must be at least 1, got 0"):
        Limits(**{field: 0})


def test_only_bytes_are_decoded() -> None:
    with pytest.raises(TypeError, match="data must be bytes, got str"):
        decode_picture("picture.jpg")  # type: ignore[arg-type]


def check_decodes_or_refuses(data: bytes) -> None:
    with contextlib.suppress(PictureError):
        picture = decode_picture(data, Limits(max_pixels=1_000_000))
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert picture.dtype == np.uint8


MAGICS: list[Callable[[bytes], bytes]] = [
    lambda tail: b"\xff\xd8\xff" + tail,
    lambda tail: b"\x89PNG\r\n\x1a\n" + tail,
    lambda tail: b"GIF89a" + tail,
    lambda tail: b"RIFF" + tail[:4].ljust(4, b"\0") + b"WEBPVP8 " + tail[4:],
    lambda tail: FTYP + b"heic\0\0\0\0mif1heic" + tail,
    lambda tail: tail,
]


@settings(max_examples=200, deadline=None)
@given(magic=st.sampled_from(MAGICS), tail=st.binary(max_size=300))
def test_arbitrary_bytes(magic: Callable[[bytes], bytes], tail: bytes) -> None:
    check_decodes_or_refuses(magic(tail))


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.floats(0.5, 1),
)
def test_mutated_files(name: str, changes: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(FILES[name])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    check_decodes_or_refuses(bytes(data[: max(1, int(cut * len(data)))]))
