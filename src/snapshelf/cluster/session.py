"""A session with a Ray cluster: one that runs already, or one of this machine's own."""

import logging
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.errors import ClusterError

with ray_extra():
    import ray

__all__ = ["LOCAL", "ray_session"]

LOCAL = "local"
"""The address that stands for a cluster of this machine alone, made and ended here."""

OBJECT_STORE_BYTES = 100 * 1024 * 1024
"""Of a cluster made here; results of some hundred kilobytes are all that it holds."""

_ADDRESS = re.compile(r"auto|[^\s/:]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")


@contextmanager
def ray_session(address: str, *, cpus: int | None = None) -> Iterator[None]:
    """Connect to a cluster for the time of a command.

    A cluster made here ends with this process, however that ends. Ray listens on all of a
    machine's interfaces; from a cluster made here it wants the token in the user's
    ``~/.ray/auth_token``, which it makes if need be.

    Args:
        address: ``HOST:PORT`` of the head of a cluster that this machine is a node of, ``auto``
            for the one found here, or ``local``.
        cpus: Processors that a cluster made here counts; None for the machine's.

    Raises:
        ClusterError: If the address is none, no cluster answers there, or none can be started.
    """
    if address != LOCAL and not _ADDRESS.fullmatch(address):
        raise ClusterError(
            f"a Ray cluster's address is HOST:PORT, auto or local, got {address!r}; a command that "
            "is far from the cluster is sent to it with `ray job submit`"
        )
    _check_reachable(address)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Nothing of this is for anybody else.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray tells of lost machines on standard output, between a command's results.
    with redirect_stdout(sys.stderr):
        try:
            _connect(address, cpus)
        except Exception as error:  # Ray raises bare ones too, such as of a node that is too slow
            reason = str(error).strip().partition("\n")[0]
            if address == LOCAL:
                raise ClusterError(
                    f"a Ray cluster on this machine did not start: {reason}. If the machine is "
                    "very busy, try again when it is less so; logs: /tmp/ray/session_latest/logs"
                ) from error
            raise ClusterError(
                f"no Ray cluster at {address}: {reason}. Start one with `ray start --head`, and "
                "make this machine a node of it; with token authentication, set RAY_AUTH_MODE and "
                "RAY_AUTH_TOKEN as the cluster has them"
            ) from error
        try:
            if threading.current_thread() is threading.main_thread():
                for number, handler in handlers.items():  # Ray puts its own in their place
                    signal.signal(number, handler)
            yield
        finally:
            ray.shutdown()


def _check_reachable(address: str) -> None:
    """Refuse an address where nobody listens, which Ray itself takes half a minute for."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ClusterError(
            f"no Ray cluster at {address}: {reason}. Give the address of its head, as `ray start "
            "--head` printed it"
        ) from error


def _connect(address: str, cpus: int | None) -> None:
    if address == LOCAL:
        ray.init(
            address=LOCAL,
            num_cpus=cpus,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    else:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
