"""What the catalogue team has done in the background: comparing, annotating, indexing."""

from snapshelf.service.bulk_upload import Uploads
from snapshelf.service.job_kind import JobKind
from snapshelf.service.jobs import Jobs
from snapshelf.service.measures import Measures
from snapshelf.service.settings import Settings

__all__ = ["TeamWork"]


class TeamWork:
    """The jobs of the team's part of the service, a thread for each kind.

    Args:
        settings: Bounds.
        measures: Failures are counted there.

    Attributes:
        comparing: Finds duplicates.
        annotating: Annotates pictures.
        indexing: Brings the shelf up to date with a feed; one at a time.
        uploads: Reads what they are begun with.
    """

    def __init__(self, settings: Settings, measures: Measures) -> None:
        waiting = settings.jobs_waiting
        self.comparing = Jobs(_kind("comparison", settings, waiting), measures)
        self.annotating = Jobs(_kind("annotation", settings, waiting), measures)
        self.indexing = Jobs(_kind("feed", settings, 0), measures)
        self.uploads = Uploads(settings.bulk_at_once)

    @property
    def jobs(self) -> tuple[Jobs, ...]:
        """All kinds of jobs."""
        return self.comparing, self.annotating, self.indexing


def _kind(name: str, settings: Settings, most_waiting: int) -> JobKind:
    return JobKind(
        name=name,
        most=1 + most_waiting,
        kept=settings.jobs_kept,
        kept_s=settings.jobs_kept_s,
    )
