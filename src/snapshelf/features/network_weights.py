"""The weights of a trained network as a safetensors file, whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from snapshelf.errors import ModelError
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import load_safetensors
from snapshelf.whole_file import write_whole

with torch_extra():
    from safetensors.torch import save
    from torch import nn

__all__ = ["load_network_weights", "write_network_weights"]

Network = TypeVar("Network", bound=nn.Module)


def write_network_weights(weights: Path, network: nn.Module) -> None:
    """Write the weights of a network.

    Args:
        weights: The file; one that is there is replaced.
        network: On any device.
    """
    # Tensors of one memory are told apart, and all are as the file's format wants them.
    state = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    write_whole(weights, save(state, metadata={"format": "pt"}))


def load_network_weights(weights: Path, build: Callable[[], Network], settings: Path) -> Network:
    """Make a network and give it the weights of a file.

    Args:
        weights: The file.
        build: Makes the network with any weights.
        settings: The file that says how the network is made, for the errors.

    Returns:
        The network in evaluation mode.

    Raises:
        ModelError: If the file is missing, damaged, or of another network, or none can be made.
    """
    tensors = load_safetensors(weights)
    try:
        network = build()
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"{settings}: no network can be made of these settings: {error}"
        ) from error
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = " ".join(str(error).split())[:300]
        raise ModelError(f"{weights} does not fit the settings in {settings}: {first}") from error
    return network.eval()
