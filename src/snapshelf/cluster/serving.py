"""The service as replicas of Ray Serve: the same application, several times.

requests ──► Serve's proxy ──► a replica (decodes, locates, searches, re-ranks) ──► answer
                                  ├──► an encoder's replica, where those are apart
                                  └──► the replica of jobs, where there can be several
"""

import asyncio
import dataclasses
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from starlette.types import Message, Scope

from snapshelf.cluster.asgi_tunnel import FarEnd, NearEnd
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

__all__ = ["SECRET_VARIABLE", "JobReplica", "ShelfReplica", "application", "service"]

SECRET_VARIABLE = "SNAPSHELF_SESSION_SECRET"  # noqa: S105 - its name only
"""Environment variable of the secret that signs sessions, here as in `snapshelf serve`."""

MOST_STREAMS = 1_000
"""Calls under way in the replica of jobs; its application refuses what is too much."""


@serve.ingress()
class ShelfReplica:
    """One replica: a shelf, opened where it runs, and the application that serves it.

    Args:
        shelf: The shelf's folder, the same on each machine, or its address.
        system: Name or folder of the system; None for the shelf's.
        settings: Bounds, of each replica.
        encoders: Handle of the encoder's replicas; None to embed here.
        jobs: Handle of the `JobReplica`; None to hold jobs here.
    """

    def __init__(
        self,
        shelf: str,
        system: str | None,
        settings: Settings,
        encoders: Any = None,
        jobs: Any = None,
    ) -> None:
        self._shelf = _opened(shelf, system, settings, encoders)
        self._settings = _own_settings(shelf, settings)
        self._jobs = None if jobs is None else NearEnd(jobs)

    def __serve_build_asgi_app__(self) -> Any:
        """Make the application; Serve calls it."""
        return create_app(self._shelf, self._settings, jobs=self._jobs)

    def check_health(self) -> None:
        """Fail where the shelf is gone; Serve then puts another replica in this one's place."""
        _ = self._shelf.store.version


class JobReplica:
    """The one replica that holds jobs, for all others: the same application, asked by them.

    Args:
        shelf: The shelf's folder or address.
        system: Name or folder of the system; None for the shelf's.
        settings: Bounds.
        encoders: Handle of the encoder's replicas; None to embed here.
    """

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, shelf: str, system: str | None, settings: Settings, encoders: Any = None
    ) -> None:
        self._shelf = await asyncio.to_thread(_opened, shelf, system, settings, encoders)
        app = create_app(self._shelf, _own_settings(shelf, settings))
        self._lifespan = app.router.lifespan_context(app)
        self._far_end = FarEnd(app, dict(await self._lifespan.__aenter__() or {}))

    async def answer(self, request_id: str, scope: Scope) -> AsyncGenerator[Message]:
        """Answer a request, see `FarEnd.answer`."""
        async with aclosing(self._far_end.answer(request_id, scope)) as messages:
            async for message in messages:
                yield message

    async def give(self, request_id: str, message: Message) -> None:
        """Take a piece of a request's body, see `FarEnd.give`."""
        await self._far_end.give(request_id, message)

    def check_health(self) -> None:
        """Fail where the shelf is gone; Serve then puts another replica in this one's place."""
        _ = self._shelf.store.version

    async def __del__(self) -> None:
        """End the jobs and let go of the shelf; Serve calls and awaits it."""
        if hasattr(self, "_far_end"):
            await self._lifespan.__aexit__(None, None, None)
            self._shelf.close()


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
    settings = dataclasses.replace(
        settings,
        workers=replicas.cpus,
        # What one replica signs another one reads.
        session_secret=settings.session_secret or secrets.token_urlsafe(32),
    )
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
    jobs = None
    if replicas.jobs:
        jobs = serve.deployment(
            JobReplica,
            name="Jobs",
            num_replicas=1,
            ray_actor_options={"num_cpus": replicas.cpus},
            max_ongoing_requests=MOST_STREAMS,
            health_check_period_s=5,
            health_check_timeout_s=20,
            graceful_shutdown_timeout_s=settings.stop_s,
        ).bind(shelf, system, settings, encoders)
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
    return deployment.bind(shelf, system, settings, encoders, jobs)


def application(given: dict[str, Any]) -> Any:
    """Make a service of the ``args`` in a Serve configuration file or a RayService manifest.

    Sessions are signed with the secret in `SECRET_VARIABLE` of the environment; without one they
    end with the deployment.

    Args:
        given: ``shelf``, and optionally ``system``, ``keys``, ``allowed_origins``,
            ``requests_per_minute`` and the fields of `Replicas`.

    Returns:
        What `ray.serve.run` takes.

    Raises:
        ValueError: If something in it is unknown, or the secret is too short.
    """
    rest = dict(given)
    shelf, system = rest.pop("shelf"), rest.pop("system", None)
    names = {field.name for field in dataclasses.fields(Replicas)}
    replicas = Replicas(**{name: rest.pop(name) for name in names & rest.keys()})
    options: dict[str, Any] = {"session_secret": os.environ.get(SECRET_VARIABLE, "")}
    if "keys" in rest:
        options["keys"] = Path(rest.pop("keys"))
    if "allowed_origins" in rest:
        options["allowed_origins"] = tuple(rest.pop("allowed_origins"))
    if "requests_per_minute" in rest:
        options["requests_per_minute"] = rest.pop("requests_per_minute")
    if rest:
        raise ValueError(f"args: unknown {', '.join(sorted(rest))}")
    return service(shelf, Settings(**options), replicas, system=system)


def _opened(shelf: str, system: str | None, settings: Settings, encoders: Any) -> Shelf:
    """Open a replica's shelf."""
    with computing(Computing(threads=settings.threads)):
        loaded = system_for(shelf, system)
    if encoders is not None:
        remote = RemoteEncoder(loaded.encoder, encoders)
        loaded = dataclasses.replace(loaded, encoder=remote)
    return Shelf.open(shelf, loaded)


def _own_settings(shelf: str, settings: Settings) -> Settings:
    """Give a replica a file of events of its own: those of a machine must not write the same."""
    if settings.events is not None:
        return settings
    events = own_events(shelf_place(shelf)).with_suffix(f".{os.getpid()}.jsonl")
    return dataclasses.replace(settings, events=events)
