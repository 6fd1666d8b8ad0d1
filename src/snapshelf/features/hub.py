"""Weights that are published on the Hugging Face hub: from its cache, or fetched once."""

from pathlib import Path

import httpx

from snapshelf.errors import MissingWeightsError
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import find_weights

with torch_extra():
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

__all__ = ["hub_weights", "reach_hub"]

FILE = "model.safetensors"
PROBE_SECONDS = 5.0
"""The hub's own client tries for minutes; asking whether it answers at all takes at most this."""


def hub_weights(repository: str) -> Path:
    """Give the safetensors file of a hub repository.

    Looked for in this order: ``NAME.safetensors`` in the weights folders (NAME is the last part
    of the repository), the hub's cache on this machine, the hub.

    Args:
        repository: Such as ``timm/mobilenetv2_100.ra_in1k``.

    Returns:
        The file on this machine.

    Raises:
        MissingWeightsError: If it is on none of them or the hub cannot be reached; names the file
            that is wanted and the ways to give it.
    """
    local_name = f"{repository.rpartition('/')[2]}.safetensors"
    if path := find_weights(local_name):
        return path
    try:
        return Path(huggingface_hub.hf_hub_download(repository, FILE, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        reach_hub()
        return Path(huggingface_hub.hf_hub_download(repository, FILE))
    except (httpx.HTTPError, HfHubHTTPError, OSError) as error:
        raise MissingWeightsError(
            f"the weights {FILE} of the hub repository {repository} are not on this machine and "
            f"cannot be fetched ({error})",
            "Run this once with a connection, or fetch the file elsewhere and give its path as "
            f"the weights, or save it as {local_name} in a folder that SNAPSHELF_WEIGHTS names",
        ) from error


def reach_hub() -> None:
    """Ask whether the hub answers at all.

    Raises:
        OSError: If HF_HUB_OFFLINE is set.
        httpx.HTTPError: If there is no answer within `PROBE_SECONDS`.
    """
    if huggingface_hub.is_offline_mode():
        raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
    httpx.head(huggingface_hub.constants.ENDPOINT, timeout=PROBE_SECONDS)
