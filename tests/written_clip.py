"""Clips made for tests."""

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from numpy.typing import NDArray

Pictures = Iterable[NDArray[np.uint8]]


def written_clip(
    pictures: Pictures,
    *,
    kind: str = "mp4",
    codec: str = "libx264",
    rate: Fraction | int = 10,
    ticks: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode pictures, (H, W, 3) RGB or (H, W, 4) RGBA; ``ticks`` are their times in 1 / rate s."""
    fine = {"libx264": {"qp": "0" if pixels == "yuv444p" else "10", "preset": "ultrafast"}}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "clip"
        with av.open(str(file), "w", format=kind, options=options or {}) as container:
            stream = container.add_stream(codec, rate=rate, options=fine.get(codec, {}))
            stream.pix_fmt = pixels
            for index, picture in enumerate(pictures):
                if not index:
                    stream.height, stream.width = picture.shape[:2]
                    if aspect is not None:
                        stream.codec_context.sample_aspect_ratio = aspect
                layout = "rgba" if picture.shape[2] == 4 else "rgb24"
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=layout)
                frame.pts = index if ticks is None else ticks[index]
                frame.time_base = 1 / Fraction(rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return file.read_bytes()


def sound_only() -> bytes:
    """A file with a second of silence."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="matroska") as container:
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for start in range(0, 8000, 1000):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1000), np.int16), format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = 8000, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return stream.getvalue()
