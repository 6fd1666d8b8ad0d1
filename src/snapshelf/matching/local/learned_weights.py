"""The networks of learned matching, with their published weights: from a file, or fetched once.

DISK finds and describes key points (Tyszkiewicz, Fua, Trulls: DISK: Learning Local Features with
Policy Gradient, NeurIPS 2020), LightGlue matches them (Lindenberger, Sarlin, Pollefeys: LightGlue:
Local Feature Matching at Light Speed, ICCV 2023); both as kornia carries them out.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.features.hub import reach_hub
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import find_weights, load_safetensors, weights_folders

with torch_extra():
    import torch
    from kornia.feature import DISK, LightGlue
    from torch import Tensor, nn

__all__ = ["load_disk", "load_lightglue"]

DISK_FILES = ("disk_depth.safetensors", "depth-save.pth")
LIGHTGLUE_FILES = ("disk_lightglue.safetensors", "disk_lightglue_v0-1_arxiv-pth")
"""Names of the weights in our folders, and in the folder that PyTorch keeps downloads in."""

DESCRIPTOR = 128
UNNAMED: Any = None
"""For LightGlue, whose stubs want a name: of none, it fetches no weights."""

DERIVED = frozenset({"confidence_thresholds"})
"""What a network computes by itself, and its file may lack."""


def load_disk() -> nn.Module:
    """Give DISK with its weights `depth`.

    Looked for in this order: ``disk_depth.safetensors`` in the weights folders,
    ``depth-save.pth`` in the folder that PyTorch keeps downloads in, the network.

    Raises:
        MissingWeightsError: If it is nowhere; names the files, the places and what to do.
        ModelError: If a file is not whole or of another network.
    """
    return _load("DISK", DISK_FILES, DISK, lambda: DISK.from_pretrained("depth"))


def load_lightglue() -> nn.Module:
    """Give LightGlue with its weights for DISK's key points.

    Looked for like `load_disk`: ``disk_lightglue.safetensors``,
    ``disk_lightglue_v0-1_arxiv-pth``.

    Raises:
        MissingWeightsError: If it is nowhere; names the files, the places and what to do.
        ModelError: If a file is not whole or of another network.
    """
    return _load(
        "LightGlue",
        LIGHTGLUE_FILES,
        lambda: LightGlue(UNNAMED, input_dim=DESCRIPTOR),
        lambda: LightGlue("disk"),
    )


def _load(
    what: str,
    files: tuple[str, str],
    bare: Callable[[], nn.Module],
    published: Callable[[], nn.Module],
) -> nn.Module:
    """Make a network with weights from wherever they are."""
    own_name, kept_name = files
    if path := find_weights(own_name):
        network = bare()
        _fill(network, load_safetensors(path), path, what)
        return network.eval()
    kept = Path(torch.hub.get_dir()) / "checkpoints" / kept_name
    if kept.is_file():
        _check_whole(kept, what)
    try:
        if not kept.is_file():
            reach_hub()
        return published().eval()
    except (httpx.HTTPError, OSError, RuntimeError, KeyError) as error:
        if kept.is_file():
            raise ModelError(f"{kept} holds no weights of {what}: {_short(error)}") from error
        folders = ", ".join(str(folder) for folder in weights_folders())
        raise MissingWeightsError(
            f"the weights of {what} are not on this machine and cannot be fetched "
            f"({_short(error)}): no {own_name} in {folders}, and no {kept}",
            f"Run this once with a connection, or save the file there: {kept_name} as it is "
            f"published, or {own_name}, the network's tensors as safetensors, in a folder that "
            "SNAPSHELF_WEIGHTS names",
        ) from error


def _check_whole(path: Path, what: str) -> None:
    """Refuse a download that is broken, which kornia would fetch again and again."""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    # What a broken file makes torch raise is not said anywhere.
    except Exception as error:
        raise ModelError(
            f"{path} cannot be read as the weights of {what}: {_short(error)}. Delete it, and run "
            "this again with a connection"
        ) from error


def _fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path, what: str) -> None:
    """Give a network its tensors, all of them and no others."""
    expected = network.state_dict()
    missing = expected.keys() - tensors.keys() - DERIVED
    if missing or (other := tensors.keys() - expected.keys()):
        odd = min(missing or other)
        raise ModelError(
            f"{path} holds no weights of {what}: the tensor {odd!r} is "
            f"{'missing' if missing else 'not known'}"
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"{path} holds no weights of {what}: {name!r} has the shape "
                f"{tuple(tensor.shape)}, expected {tuple(expected[name].shape)}"
            )
    network.load_state_dict(dict(tensors), strict=False)


def _short(error: BaseException) -> str:
    """Give the first line of what an error says."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
