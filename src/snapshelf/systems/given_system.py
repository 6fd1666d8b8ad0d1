"""`GivenSystem`: a system that a setting names, loaded once, when it is first asked for."""

from collections.abc import Callable

from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.systems.system import System

__all__ = ["GivenSystem"]


class GivenSystem:
    """A system that rows of a table are made of.

    Args:
        setting: The setting that names it, for messages.
        name: Its name or folder; None where the setting is left out.
        load: Called with the name.
    """

    def __init__(
        self, setting: str, name: str | None, load: Callable[[str], System] = System.load
    ) -> None:
        self._setting, self._name, self._load = setting, name, load
        self._found: System | MissingWeightsError | None = None

    def load(self) -> System:
        """Give the system.

        Raises:
            MissingWeightsError: If the setting is left out, or published weights cannot be had.
            ModelError: If it cannot be loaded.
        """
        if self._name is None:
            raise MissingWeightsError(
                f"the row needs a system as the setting {self._setting}, and there is none",
                "Name one",
            )
        if self._found is None:
            try:
                self._found = self._load(self._name)
            except MissingWeightsError as error:
                # To find that out a whole network may have been made: once is enough, and the
                # traceback would hold it.
                self._found = error.with_traceback(None)
            except ModelError as error:
                raise ModelError(f"the setting {self._setting}: {error}") from error
        if isinstance(self._found, MissingWeightsError):
            raise self._found
        return self._found

    def identity(self) -> str | None:
        """Tell what decides its embeddings, for what is kept of them.

        Returns:
            Its fingerprint, so that a system that was trained again in its folder is another one.
            Where published weights cannot be had, and so nothing can be made of it, its name; None
            where the setting is left out.

        Raises:
            ModelError: If it cannot be loaded: what was kept of it may be of another one.
        """
        if self._name is None:
            return None
        try:
            return self.load().embedding_fingerprint
        except MissingWeightsError:
            return self._name
