"""The number of this process among those that work on the same folder."""

import os

__all__ = ["process_rank"]


def process_rank() -> int:
    """Give 0 in a process that a user started, and in the first of those that train together.

    It goes by the variables of ``torchrun`` (``RANK``) and of Lightning, which starts further
    processes on its machine (``LOCAL_RANK``); on a machine that is not the first (``NODE_RANK``)
    none is 0.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["RANK"])
    machine = int(os.environ.get("NODE_RANK", "0"))
    # No machine has as many devices.
    return 1_000 * machine + int(os.environ.get("LOCAL_RANK", "0"))
