"""Features of the frames of clips, computed once and kept in a folder."""

import hashlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.clip import Clip
from snapshelf.datasets.clips.spread_frames import shown_steps
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.whole_file import write_whole

__all__ = ["ClipFeatures"]

BLOCK = 32
"""Clips in a file: so much is lost at most where the work is cut off."""


class ClipFeatures:
    """Embeddings of trajectories, each clip's made once; on disk in float16.

    Args:
        encoder: Gives them.
        folder: Of the files; made when there is something to keep.
        steps: Of a trajectory, at least 1; clips of other lengths are brought to it by
            `shown_steps`.
    """

    def __init__(self, encoder: Encoder, folder: Path, steps: int) -> None:
        self._encoder, self._folder, self._steps = encoder, folder, steps

    def __call__(self, name: str, clips: Sequence[Clip], monitor: Monitor) -> NDArray[np.float32]:
        """Give the embeddings of clips' steps.

        What is kept is known by the encoder, the IDs of the clips, and what the first frame of the
        first of each block shows.

        Args:
            name: Of the step, for the monitor.
            clips: N of them.
            monitor: Hears how it goes, and can ask to stop.

        Returns:
            (N, T, D) float32, each row of unit length, as precise as float16.

        Raises:
            DatasetError: If a picture or video cannot be read.
            TrainingStopped: If the monitor asked to stop. What was done is kept.
        """
        found = np.empty((len(clips), self._steps, self._encoder.dimension), np.float32)
        for start in range(0, len(clips), BLOCK):
            block = clips[start : start + BLOCK]

            def tell(done: int, first: int = start) -> None:
                monitor.step(name, first + done, len(clips))
                if monitor.should_stop():
                    raise TrainingStopped

            found[start : start + BLOCK] = self._block(block, tell)
        return found

    def _block(self, clips: Sequence[Clip], tell: Callable[[int], None]) -> NDArray[np.float16]:
        file = self._folder / f"clips-{self._digest(clips)}.npy"
        if file.is_file():
            kept: NDArray[np.float16] = np.load(file, allow_pickle=False)
            tell(len(clips))
            return kept
        rows = []
        for done, clip in enumerate(clips, 1):
            steps = shown_steps(clip, self._steps)
            inputs = np.stack([self._encoder.prepare(each, Domain.STREET) for each in steps])
            rows.append(self._encoder.encode(inputs, Domain.STREET).astype(np.float16))
            tell(done)
        made = np.stack(rows)
        self._folder.mkdir(parents=True, exist_ok=True)
        stream = BytesIO()
        np.save(stream, made)
        write_whole(file, stream.getvalue())
        return made

    def _digest(self, clips: Sequence[Clip]) -> str:
        seen = hashlib.blake2b(digest_size=12)
        for text in (self._encoder.fingerprint, str(self._steps), *(each.id for each in clips)):
            seen.update(f"{len(text)} {text}".encode())
        first = next(iter(clips[0].frames()), None)
        if first is not None:
            seen.update(np.ascontiguousarray(first.picture).tobytes())
        return seen.hexdigest()
