"""A file on its way in: a picture's bytes stay in memory, a clip's go to disk as they come."""

from collections.abc import Callable

from snapshelf.errors import PictureError
from snapshelf.media.formats import PictureFormat, detect_format
from snapshelf.media.video_containers import begins_like_clip
from snapshelf.service.clip_folder import ClipFile

__all__ = ["Upload"]

HEAD = 512
"""Bytes that tell what a file is."""


class Upload:
    """Takes the bytes of a file, and tells by the first of them where to keep the rest.

    What is said of the file counts only where the bytes leave it open: a GIF is a clip if it is
    called one, and so is what is neither a picture nor one of the common containers of clips.

    Args:
        called_clip: Whether the client calls it a clip.
        on_clip: Called once if it is a clip; gives the file to write to. None where clips are not
            taken: then everything is a picture.
        on_picture: Called once if it is a picture.
    """

    def __init__(
        self,
        *,
        called_clip: bool,
        on_clip: Callable[[], ClipFile] | None,
        on_picture: Callable[[], None],
    ) -> None:
        self._called_clip = called_clip
        self._on_clip = on_clip
        self._on_picture = on_picture
        self._known = False
        self._memory = bytearray()
        self._clip: ClipFile | None = None

    @property
    def on_disk(self) -> bool:
        """Whether writing takes a disk's time."""
        return self._clip is not None

    _rolled = on_disk  # as Starlette's form parser asks a file whether it is on disk

    def write(self, data: bytes) -> int:
        """Take the next bytes.

        Raises:
            ProblemError: If it is a clip and there is no room for it, or a picture and too large.
        """
        if self._clip is not None:
            self._clip.write(data)
            return len(data)
        self._memory += data
        if not self._known and len(self._memory) >= HEAD:
            self._decide()
        return len(data)

    def result(self) -> bytes | ClipFile:
        """Give the picture's bytes, or the clip; no more is written then."""
        if not self._known:
            self._decide()
        if self._clip is None:
            return bytes(self._memory)
        self._clip.finish()
        return self._clip

    def tell(self) -> int:
        """Give how many bytes are in memory."""
        return len(self._memory)

    def seek(self, _: int) -> None:
        """Do nothing; for Starlette's form parser, which goes back to the start."""

    def close(self) -> None:
        """Throw away what has come, unless it was given."""
        self._memory.clear()
        if self._clip is not None:
            self._clip.delete()

    def _decide(self) -> None:
        self._known = True
        if self._on_clip is not None and _is_clip(bytes(self._memory[:HEAD]), self._called_clip):
            self._clip = self._on_clip()
            self._clip.write(bytes(self._memory))
            self._memory.clear()
        else:
            self._on_picture()


def _is_clip(head: bytes, called_clip: bool) -> bool:
    try:
        kind = detect_format(head)
    except PictureError:
        return bool(head) and (called_clip or begins_like_clip(head))
    return called_clip and kind is PictureFormat.GIF
