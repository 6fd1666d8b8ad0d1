"""Which containers clips are read from, and what else a file may be."""

__all__ = ["CONTAINERS", "DAMAGED", "begins_like_clip", "name_of_other"]

CONTAINERS = (
    "mov",
    "matroska",
    "avi",
    "gif",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "ogg",
    "flv",
    "asf",
    "rm",
    "mxf",
    "nut",
    "ivf",
    "obu",
    "h264",
    "hevc",
    "vvc",
    "m4v",
    "h263",
    "vc1",
    "dirac",
    "mjpeg",
    "yuv4mpegpipe",
    "dv",
    "wtv",
    "apng",
    "av1",
    "mjpeg_2000",
    "mp3",
    "wav",
    "flac",
    "aac",
)
"""FFmpeg's names of the containers that are read.

Each holds all of its streams in itself. What names other files or addresses to read (HLS, DASH,
concatenations, SDP, image sequences) is left out, and so are still pictures and devices. Those of
sound alone are there for a better error.
"""

_CLIPS = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"GIF8"),
    (8, b"AVI "),
    (0, b"OggS"),
    (0, b"FLV"),
    (0, b"\0\0\1\xba"),
    (0, b"\x30\x26\xb2\x75"),
)

_STILLS = (b"avif", b"avis", b"mif1", b"msf1", b"jxl ", b"jp2 ", b"crx ")
"""Brands of ISO media files that hold still pictures."""

_OTHERS = (
    (b"#EXTM3U", "an HLS playlist, which names other files"),
    (b"ffconcat", "a concatenation list, which names other files"),
    (b"v=0", "an SDP session, which names addresses"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
)


DAMAGED = "a damaged clip, or one cut short, of which nothing can be read"


def begins_like_clip(head: bytes) -> bool:
    r"""Tell whether a file that is no picture of ours begins like a clip.

    Args:
        head: The file's first bytes; 512 are enough.

    Returns:
        Whether the most common containers begin like that; others may still be clips.

    Example:
        >>> begins_like_clip(b"\x1aE\xdf\xa3"), begins_like_clip(b"%PDF-1.7")
        (True, False)
    """
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILLS
    for at, packet in ((0, 188), (4, 192)):  # a transport stream, without or with times
        if head[at::packet][:3] == b"GGG":
            return True
    return any(head[at : at + len(magic)] == magic for at, magic in _CLIPS)


def name_of_other(head: bytes) -> str:
    r"""Name a file that is no clip, for an error.

    Args:
        head: The file's first bytes; 1,024 are enough.

    Returns:
        What it seems to be, to be read after "the file is".

    Example:
        >>> name_of_other(b"#EXTM3U\n")
        'an HLS playlist, which names other files'
    """
    if any(head[at : at + len(magic)] == magic for at, magic in _CLIPS):
        return DAMAGED
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP picture"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, name in _OTHERS:
        if text.startswith(magic):
            return name
    if b"<MPD" in text:
        return "a DASH manifest, which names other files"
    if text[:1] == b"<":
        return "HTML or XML"
    return f"of an unknown format (first bytes {head[:8].hex(' ')})"
