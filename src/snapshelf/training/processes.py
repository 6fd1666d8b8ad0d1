"""Which of the processes of a training this is, on one machine or several."""

import os
from dataclasses import dataclass

__all__ = ["Processes", "launched"]


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that train together; each has a device of its own.

    Attributes:
        rank: Of this process over all machines, from 0.
        devices: Of each machine.
        machines: How many there are.
    """

    rank: int
    devices: int
    machines: int

    @property
    def world(self) -> int:
        """How many processes there are."""
        return self.devices * self.machines


def launched(devices: int) -> Processes:
    """Tell how this training was launched.

    ``torchrun`` starts the processes itself, on every machine, and tells each its place; without
    it Lightning starts one for each device of this machine.

    Args:
        devices: Of this machine, by the settings; what ``torchrun`` tells goes before.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        world = int(os.environ["WORLD_SIZE"])
        local = int(os.environ.get("LOCAL_WORLD_SIZE", world))
        return Processes(int(os.environ["RANK"]), local, world // local)
    rank = 0 if devices == 1 else int(os.environ.get("LOCAL_RANK", "0"))
    return Processes(rank, devices, 1)
