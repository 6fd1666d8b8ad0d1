"""Running the service on Ray Serve until it is told to stop."""

import signal
import threading
from collections.abc import Callable

from snapshelf.cluster.proxy_problems import PROXY_VARIABLES
from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.cluster.replicas import Replicas
from snapshelf.cluster.serving import service
from snapshelf.cluster.session import ray_session
from snapshelf.errors import ClusterError
from snapshelf.service.api_keys import read_keys
from snapshelf.service.settings import Settings
from snapshelf.shelf.shelf import Shelf
from snapshelf.systems.system import System

with ray_extra():
    from ray import serve
    from ray.serve.exceptions import RayServeException

__all__ = ["run_on_ray"]

NAME = "snapshelf"


def run_on_ray(
    address: str,
    shelf: str,
    settings: Settings,
    replicas: Replicas,
    *,
    system: str | None = None,
    host: str,
    port: int,
    on_start: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a shelf by replicas until SIGINT or SIGTERM; what is under way comes to its end.

    Args:
        address: Of the cluster; see `ray_session`.
        shelf: The shelf's folder or address.
        settings: Bounds, of each replica.
        replicas: How many.
        system: Name or folder of the system; None for the shelf's.
        host: Address that Serve's proxies listen on.
        port: And port, not 0.
        on_start: Called with the address once replicas are ready.

    Raises:
        ClusterError: If there is no such cluster, or the replicas do not start.
        KeysError: If the file of API keys cannot be read.
        ShelfError: If there is no shelf, or it is damaged.
    """
    if settings.keys is not None:
        read_keys(settings.keys)
    # What is wrong with the shelf is told here, and not in the log of a replica.
    Shelf.open(shelf, None if system is None else System.load(system)).close()
    stopped = threading.Event()
    # One processor more than the replicas take is for Serve's own controller and proxy.
    with ray_session(address, cpus=replicas.most_cpus + 1):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        try:
            serve.start(
                http_options={"host": host, "port": port},
                controller_options={"runtime_env": {"env_vars": PROXY_VARIABLES}},
            )
            serve.run(
                service(shelf, settings, replicas, system=system), name=NAME, route_prefix="/"
            )
            on_start(f"http://{host}:{port}")
            stopped.wait()
        except (RayServeException, RuntimeError, TimeoutError) as error:
            raise ClusterError(
                f"the replicas do not start: {str(error).strip().partition(chr(10))[0]}; their log "
                "is in /tmp/ray/session_latest/logs/serve"
            ) from error
        finally:
            serve.delete(NAME)
            if address == "local":
                serve.shutdown()
