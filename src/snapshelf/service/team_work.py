"""What the catalogue team has done in the background: comparing, annotating, indexing."""

from snapshelf.service.bulk_upload import Uploads
from snapshelf.service.jobs import Jobs
from snapshelf.service.logs import log_failure
from snapshelf.service.settings import Settings

__all__ = ["TeamWork"]


class TeamWork:
    """The jobs of the team's part of the service, a thread for each kind.

    Args:
        settings: Bounds.

    Attributes:
        comparing: Finds duplicates.
        annotating: Annotates pictures.
        indexing: Brings the shelf up to date with a feed; one at a time.
        uploads: Reads what they are begun with.
    """

    def __init__(self, settings: Settings) -> None:
        self.comparing = _jobs("comparing", settings, settings.jobs_waiting)
        self.annotating = _jobs("annotating", settings, settings.jobs_waiting)
        self.indexing = _jobs("indexing", settings, 0)
        self.uploads = Uploads(settings.bulk_at_once)

    def close(self) -> None:
        """Give everything up, and wait for what is under way to end in order."""
        kinds = (self.comparing, self.annotating, self.indexing)
        for jobs in kinds:
            jobs.cancel()
        for jobs in kinds:
            jobs.close()


def _jobs(name: str, settings: Settings, most_waiting: int) -> Jobs:
    return Jobs(
        name,
        most_waiting=most_waiting,
        most_kept=settings.jobs_kept,
        keep_s=settings.jobs_kept_s,
        on_failure=log_failure,
    )
