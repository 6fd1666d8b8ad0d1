"""The file of one request on its way in, and what is to be undone if nothing comes of it."""

from starlette.requests import Request

from snapshelf.service.bounded_body import arriving_body
from snapshelf.service.clip_folder import ClipFile, ClipFolder
from snapshelf.service.jobs import Jobs, Place
from snapshelf.service.upload import Upload

__all__ = ["Intake"]


class Intake:
    """Takes the file of one request, and a place in the queue as soon as that is seen to be a clip.

    Args:
        request: Has the file in its body.
        folder: Where clips go.
        jobs: The queue; None for a request that takes pictures only.
    """

    def __init__(self, request: Request, folder: ClipFolder, jobs: Jobs | None) -> None:
        self._body = arriving_body(request.scope)
        self._folder = folder
        self._jobs = jobs
        self._uploads: list[Upload] = []
        self._place: Place | None = None

    def upload(self, *, called_clip: bool) -> Upload:
        """Begin a file.

        Args:
            called_clip: Whether the client calls it a clip.
        """
        upload = Upload(
            called_clip=called_clip,
            on_clip=None if self._jobs is None else self._begin_clip,
            on_picture=self._body.is_picture,
        )
        self._uploads.append(upload)
        return upload

    @property
    def place(self) -> Place:
        """The clip's place in the queue."""
        assert self._place is not None
        return self._place

    def hand_over(self) -> None:
        """Leave the clip's place and its file to its job."""
        self._place = None
        self._uploads.clear()

    def close(self) -> None:
        """Undo what was not handed over."""
        for upload in self._uploads:
            upload.close()
        if self._place is not None:
            self._place.give_back()

    def _begin_clip(self) -> ClipFile:
        assert self._jobs is not None
        self._place = self._jobs.place()
        self._body.is_clip()
        return self._folder.new_file()
