"""The service as replicas of Ray Serve: the same application, several times.

requests ──► Serve's proxy ──► a replica (decodes, locates, searches, re-ranks) ──► answer
                                  └──► an encoder's replica, where those are apart
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.cluster.remote_encoder import EncoderReplica, RemoteEncoder
from snapshelf.cluster.replicas import Replicas
from snapshelf.features.computing import Computing, computing
from snapshelf.service.app import create_app
from snapshelf.service.parts import own_events
from snapshelf.service.settings import Settings
from snapshelf.shelf.shelf import Shelf, system_for
from snapshelf.store.opening import shelf_place

with ray_extra():
    from ray import serve
    from ray.serve.config import AutoscalingConfig

__all__ = ["ShelfReplica", "application", "service"]


@serve.ingress()
class ShelfReplica:
    """One replica: a shelf, opened where it runs, and the application that serves it.

    Args:
        shelf: The shelf's folder, the same on each machine, or its address.
        system: Name or folder of the system; None for the shelf's.
        settings: Bounds, of each replica.
        encoders: Handle of the encoder's replicas; None to embed here.
    """

    def __init__(
        self, shelf: str, system: str | None, settings: Settings, encoders: Any = None
    ) -> None:
        with computing(Computing(threads=settings.threads)):
            loaded = system_for(shelf, system)
        if encoders is not None:
            remote = RemoteEncoder(loaded.encoder, encoders)
            loaded = dataclasses.replace(loaded, encoder=remote)
        self._shelf = Shelf.open(shelf, loaded)
        if settings.events is None:
            # Replicas of one machine must not write the same file.
            events = own_events(shelf_place(shelf)).with_suffix(f".{os.getpid()}.jsonl")
            settings = dataclasses.replace(settings, events=events)
        self._settings = settings

    def __serve_build_asgi_app__(self) -> Any:
        """Make the application; Serve calls it."""
        return create_app(self._shelf, self._settings)

    def check_health(self) -> None:
        """Fail where the shelf is gone; Serve then puts another replica in this one's place."""
        _ = self._shelf.store.version


def service(
    shelf: str,
    settings: Settings,
    replicas: Replicas,
    *,
    system: str | None = None,
) -> Any:
    """Put the deployments of a service together.

    Args:
        shelf: The shelf's folder, on every machine that replicas may run on, or its address.
        settings: Bounds, of each replica.
        replicas: How many.
        system: Name or folder of the system; None for the shelf's.

    Returns:
        What `ray.serve.run` takes.
    """
    settings = dataclasses.replace(settings, workers=replicas.cpus)
    place = shelf_place(shelf)
    # Replicas work in folders of their own.
    shelf = str(place.resolve()) if isinstance(place, Path) else shelf
    encoders = None
    if replicas.encoders:
        encoders = serve.deployment(
            EncoderReplica,
            name="Encoder",
            num_replicas=replicas.encoders,
            ray_actor_options={"num_cpus": replicas.cpus, "num_gpus": replicas.encoder_gpus},
            max_ongoing_requests=4,
        ).bind(
            shelf,
            system,
            Computing("cuda" if replicas.encoder_gpus else "cpu", replicas.cpus),
        )
    deployment = serve.deployment(
        ShelfReplica,
        name="Shelf",
        ray_actor_options={"num_cpus": replicas.cpus},
        # The application itself refuses what is too much, and says so.
        max_ongoing_requests=2 * settings.most_in_work,
        autoscaling_config=AutoscalingConfig(
            min_replicas=replicas.least,
            max_replicas=replicas.most,
            initial_replicas=replicas.least,
            target_ongoing_requests=replicas.ongoing,
        ),
        health_check_period_s=5,
        health_check_timeout_s=20,
        graceful_shutdown_timeout_s=settings.stop_s,
    )
    return deployment.bind(shelf, system, settings, encoders)


def application(given: dict[str, Any]) -> Any:
    """Make a service of the ``args`` in a Serve configuration file or a RayService manifest.

    Args:
        given: ``shelf``, and optionally ``system``, ``keys``, ``allowed_origins``,
            ``requests_per_minute`` and the fields of `Replicas`.

    Returns:
        What `ray.serve.run` takes.

    Raises:
        ValueError: If something in it is unknown.
    """
    rest = dict(given)
    shelf, system = rest.pop("shelf"), rest.pop("system", None)
    names = {field.name for field in dataclasses.fields(Replicas)}
    replicas = Replicas(**{name: rest.pop(name) for name in names & rest.keys()})
    options: dict[str, Any] = {}
    if "keys" in rest:
        options["keys"] = Path(rest.pop("keys"))
    if "allowed_origins" in rest:
        options["allowed_origins"] = tuple(rest.pop("allowed_origins"))
    if "requests_per_minute" in rest:
        options["requests_per_minute"] = rest.pop("requests_per_minute")
    if rest:
        raise ValueError(f"args: unknown {', '.join(sorted(rest))}")
    return service(shelf, Settings(**options), replicas, system=system)
