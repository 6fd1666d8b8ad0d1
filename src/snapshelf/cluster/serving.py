"""The service as replicas of Ray Serve: the same application, several times.

requests ──► Serve's proxy ──► a replica (decodes, locates, searches, re-ranks) ──► answer
                                  └──► an encoder's replica, where those are apart
"""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snapshelf.cluster.ray_extra import ray_extra
from snapshelf.cluster.remote_encoder import EncoderReplica, RemoteEncoder
from snapshelf.features.computing import Computing, computing
from snapshelf.service.app import create_app
from snapshelf.service.settings import Settings
from snapshelf.shelf.shelf import Shelf, system_for

with ray_extra():
    from ray import serve
    from ray.serve.config import AutoscalingConfig

__all__ = ["Replicas", "ShelfReplica", "application", "service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """How many replicas there are, and what each takes of a cluster.

    Attributes:
        least: Replicas that are always there, at least 1.
        most: Replicas under load, at least `least`.
        cpus: Processors of each, at least 1.
        ongoing: Searches under way in each that more replicas are wanted above.
        encoders: Replicas of the encoder alone, that the others send their inputs to; 0 for an
            encoder in each replica.
        encoder_gpus: GPUs of each of those, such as 0.5.

    Raises:
        ValueError: If a number makes no sense.
    """

    least: int = 1
    most: int = 1
    cpus: int = 1
    ongoing: float = 4.0
    encoders: int = 0
    encoder_gpus: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f"expected 1 <= least <= most, got {self.least} and {self.most}")
        if self.cpus < 1 or self.encoders < 0 or self.encoder_gpus < 0 or self.ongoing <= 0:
            raise ValueError(
                "cpus must be at least 1, encoders and encoder_gpus not negative, ongoing above "
                f"0, got {self.cpus}, {self.encoders}, {self.encoder_gpus} and {self.ongoing}"
            )


@serve.ingress()
class ShelfReplica:
    """One replica: a shelf, opened where it runs, and the application that serves it.

    Args:
        shelf: The shelf's folder, the same on each machine.
        system: Name or folder of the system; None for the shelf's.
        settings: Bounds, of each replica.
        encoders: Handle of the encoder's replicas; None to embed here.
    """

    def __init__(
        self, shelf: str, system: str | None, settings: Settings, encoders: Any = None
    ) -> None:
        with computing(Computing(threads=settings.threads)):
            loaded = system_for(Path(shelf), system)
        if encoders is not None:
            remote = RemoteEncoder(loaded.encoder, encoders)
            loaded = dataclasses.replace(loaded, encoder=remote)
        self._shelf = Shelf.open(shelf, loaded)
        if settings.events is None:
            # Replicas of one machine must not write the same file.
            events = Path(shelf) / f"shelf.events.{os.getpid()}.jsonl"
            settings = dataclasses.replace(settings, events=events)
        self._settings = settings

    def __serve_build_asgi_app__(self) -> Any:
        """Make the application; Serve calls it."""
        return create_app(self._shelf, self._settings)

    def check_health(self) -> None:
        """Fail where the shelf is gone; Serve then puts another replica in this one's place."""
        _ = self._shelf.store.version


def service(
    shelf: Path,
    settings: Settings,
    replicas: Replicas,
    *,
    system: str | None = None,
) -> Any:
    """Put the deployments of a service together.

    Args:
        shelf: The shelf's folder, on every machine that replicas may run on.
        settings: Bounds, of each replica.
        replicas: How many.
        system: Name or folder of the system; None for the shelf's.

    Returns:
        What `ray.serve.run` takes.
    """
    settings = dataclasses.replace(settings, workers=replicas.cpus)
    encoders = None
    if replicas.encoders:
        encoders = serve.deployment(
            EncoderReplica,
            name="Encoder",
            num_replicas=replicas.encoders,
            ray_actor_options={"num_cpus": replicas.cpus, "num_gpus": replicas.encoder_gpus},
            max_ongoing_requests=4,
        ).bind(
            str(shelf),
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
    return deployment.bind(str(shelf.resolve()), system, settings, encoders)


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
    shelf, system = Path(rest.pop("shelf")), rest.pop("system", None)
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
