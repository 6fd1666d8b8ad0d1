"""Backbones by name, of timm, torchvision and our own: made, filled with weights, read as maps."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.features.dna_convolutions import DnaConvolutions
from snapshelf.features.hub import hub_weights
from snapshelf.features.preprocessing import FITS, INTERPOLATIONS, Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.torchvision_backbones import (
    check_torchvision_name,
    create_torchvision,
    published_name,
)
from snapshelf.features.weights import find_weights, load_safetensors

with torch_extra():
    import timm
    import torch
    from safetensors import SafetensorError
    from timm.data.config import resolve_model_data_config
    from torch import Tensor, nn

__all__ = [
    "check_backbone",
    "create_backbone",
    "default_preprocessing",
    "feature_map",
    "load_hub_backbone",
    "load_weights",
]

CROP_MODES = {"center": "crop", "squash": "squash", "border": "pad"}
"""timm's names of how a picture is fitted, to ours."""

TORCHVISION = "torchvision/"
"""What the name of a backbone of torchvision's begins with; other names are timm's."""

OWN: Mapping[str, Callable[[], nn.Module]] = {"snapshelf/fashion-dna": DnaConvolutions}
"""Backbones that neither has; there are no published weights for them."""


def check_backbone(name: str) -> None:
    """Refuse a name of a backbone that there is not, before anything is done with it.

    Args:
        name: A name of ``timm.list_models()``, with or without a pretrained tag,
            ``torchvision/NAME``, or one of `OWN`.

    Raises:
        ModelError: If the name is unknown; close names are listed.
    """
    if name in OWN:
        return
    if name.startswith(TORCHVISION):
        check_torchvision_name(name.removeprefix(TORCHVISION))
    else:
        _check_name(name)


def create_backbone(name: str, options: Mapping[str, Any]) -> nn.Module:
    """Make a backbone without its classifier, with random weights.

    Args:
        name: A name of ``timm.list_models()``, with or without a pretrained tag,
            ``torchvision/NAME``, or one of `OWN`.
        options: Keyword arguments of the backbone, as ``timm.create_model`` or torchvision's
            ``get_model`` take them; `OWN` take none.

    Raises:
        ModelError: If the name is unknown (close names are listed) or an option does not fit.
    """
    if name in OWN:
        if options:
            raise ModelError(f"the backbone {name} has no options, got {dict(options)}")
        return OWN[name]().eval()
    if name.startswith(TORCHVISION):
        return create_torchvision(name.removeprefix(TORCHVISION), options)
    _check_name(name)
    return _create(name, options, num_classes=0)


def load_weights(backbone: nn.Module, path: Path) -> None:
    """Fill a backbone with the tensors of a safetensors file.

    The file must hold exactly the backbone's tensors; those of a classifier are left out, and
    floating-point types are converted.

    Args:
        backbone: As `create_backbone` makes it; changed in place.
        path: The file.

    Raises:
        ModelError: If the file cannot be read, or tensors are missing, unexpected or of
            another shape; the first few are named.
    """
    prefixes = _classifier_prefixes(backbone)
    given = {
        name: tensor
        for name, tensor in load_safetensors(path).items()
        if not name.startswith(prefixes)
    }
    wanted = {
        name: tensor
        for name, tensor in backbone.state_dict().items()
        if not name.startswith(prefixes)
    }
    # A counter of training batches, which many files leave out and inference never reads.
    for name in [name for name in wanted if name.endswith(".num_batches_tracked")]:
        if name not in given:
            del wanted[name]
    problems = {
        "missing": [name for name in wanted if name not in given],
        "unexpected": [name for name in given if name not in wanted],
        "of another shape": [
            f"{name} {tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}"
            for name in wanted
            if name in given and given[name].shape != wanted[name].shape
        ],
    }
    found = "; ".join(f"{_first(names)} {kind}" for kind, names in problems.items() if names)
    if found:
        raise ModelError(
            f"{path} does not hold the weights of this backbone: {found}. "
            "Check the backbone's name and options against those the file was saved with"
        )
    backbone.load_state_dict(given, strict=False)


def load_hub_backbone(name: str, options: Mapping[str, Any]) -> tuple[nn.Module, Path]:
    """Make a backbone with the weights that are published for it.

    torchvision's are pickles, which are never loaded; converted by the user, they are found
    in the weights folders.

    Args:
        name: A name of ``timm.list_pretrained()``; without a tag, timm's default weights. Or
            ``torchvision/NAME``, for torchvision's default weights.
        options: Keyword arguments of the backbone.

    Returns:
        The backbone without its classifier, and the safetensors file that filled it.

    Raises:
        MissingWeightsError: If there are no published safetensors for it, or they are neither on
            this machine nor to be fetched.
        ModelError: If the name is unknown, or the file is damaged.
    """
    if name in OWN:
        raise MissingWeightsError(
            f"the weights of {name} are published nowhere",
            "Give the path of a safetensors file as the weights, or train it from random ones",
        )
    if name.startswith(TORCHVISION):
        return _load_torchvision(name.removeprefix(TORCHVISION), options)
    _check_name(name)
    published = timm.get_pretrained_cfg(name)
    if published is None or not published.hf_hub_id:
        where = (
            f"only as {published.url}, which" if published and published.url else "nowhere; this"
        )
        raise MissingWeightsError(
            f"the weights of {name} are published {where} cannot be loaded, since only "
            "safetensors are read",
            "Give the path of a safetensors file as the weights",
        )
    path = hub_weights(published.hf_hub_id)
    overlay = {"file": str(path), "custom_load": False}
    try:
        backbone = _create(name, options, pretrained=True, pretrained_cfg_overlay=overlay)
    except SafetensorError as error:
        raise ModelError(
            f"{path} cannot be read as safetensors: {error}. Remove it, and it is fetched again"
        ) from error
    backbone.reset_classifier(0)  # type: ignore[operator]
    return backbone, path


def default_preprocessing(backbone: nn.Module) -> Preprocessing:
    """Give the preprocessing that the backbone's published weights were trained for.

    Args:
        backbone: As `create_backbone` makes it.

    Raises:
        ModelError: If timm describes one that `Preprocessing` does not cover.
    """
    config = resolve_model_data_config(backbone)  # type: ignore[no-untyped-call]
    channels, height, width = config["input_size"]
    fit = CROP_MODES.get(config["crop_mode"])
    interpolation = config["interpolation"]
    if channels != 3 or fit not in FITS or interpolation not in INTERPOLATIONS:
        raise ModelError(f"give the preprocessing: the backbone's own is not covered: {config}")
    return Preprocessing.from_dict(
        {
            "size": (height, width),
            "fit": fit,
            "crop_pct": min(1.0, config["crop_pct"]),
            "interpolation": interpolation,
            "mean": config["mean"],
            "std": config["std"],
        }
    )


def feature_map(backbone: nn.Module, inputs: Tensor) -> Tensor:
    """Run a backbone up to its last feature map.

    The patch tokens of a transformer become a map again; its class and register tokens are
    left out.

    Args:
        backbone: As `create_backbone` makes it.
        inputs: (B, 3, H, W) float, normalised.

    Returns:
        (B, C, H', W') float.

    Raises:
        ModelError: If the backbone gives neither a map nor tokens.
    """
    features: Tensor = backbone.forward_features(inputs)  # type: ignore[operator]
    if isinstance(features, Tensor) and features.ndim == 4:
        is_nhwc = str(getattr(backbone, "output_fmt", "NCHW")).upper().endswith("NHWC")
        return features.permute(0, 3, 1, 2) if is_nhwc else features
    if isinstance(features, Tensor) and features.ndim == 3:
        height, width = _grid(backbone, features.shape[1], inputs.shape)
        tokens = features[:, features.shape[1] - height * width :]
        return tokens.transpose(1, 2).reshape(features.shape[0], -1, height, width)
    raise ModelError(
        f"the backbone {type(backbone).__name__} gives neither a feature map nor patch tokens, "
        "so it cannot be pooled; choose another"
    )


def _load_torchvision(name: str, options: Mapping[str, Any]) -> tuple[nn.Module, Path]:
    """Make a backbone of torchvision's with its published weights, converted by the user."""
    backbone = create_torchvision(name, options)
    published = published_name(name)
    if published is None:
        raise MissingWeightsError(
            f"torchvision publishes no weights of {name}", "Give the path of a safetensors file"
        )
    path = find_weights(f"{published}.safetensors")
    if path is None:
        raise MissingWeightsError(
            f"torchvision publishes the weights of {name} only as the pickle {published}.pth, "
            "which is not loaded, since reading a pickle can run code",
            "Convert it once: "
            "safetensors.torch.save_file(torch.load('FILE.pth', weights_only=True), "
            f"'{published}.safetensors'), and give that file's path as the weights, or put it "
            "into a folder that SNAPSHELF_WEIGHTS names",
        )
    load_weights(backbone, path)
    return backbone, path


def _grid(backbone: nn.Module, tokens: int, input_shape: torch.Size) -> tuple[int, int]:
    """Give (rows, columns) of the patches, which come after any other tokens."""
    patches = tokens - int(getattr(backbone, "num_prefix_tokens", 0))
    # Patches are square, so the map has the aspect ratio of the input.
    rows = round((patches * input_shape[2] / input_shape[3]) ** 0.5)
    if rows and patches % rows == 0:
        return rows, patches // rows
    raise ModelError(
        f"the {tokens} tokens of the backbone {type(backbone).__name__} form no map of patches; "
        "choose another backbone or input size"
    )


def _create(name: str, options: Mapping[str, Any], **settings: Any) -> nn.Module:
    """Call timm, with its complaints as ModelError."""
    if reserved := options.keys() & {"in_chans", "num_classes", "pretrained", *settings}:
        raise ValueError(f"options must not hold {', '.join(sorted(reserved))}")
    try:
        backbone: nn.Module = timm.create_model(name, **settings, **options)
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise ModelError(
            f"the backbone {name} cannot be made with the options {dict(options)}: {error}"
        ) from error
    return backbone.eval()


def _check_name(name: str) -> None:
    """Refuse a name that timm does not have."""
    if not timm.is_model(name):
        close = difflib.get_close_matches(name.partition(".")[0], timm.list_models(), n=5)
        hint = f"; did you mean {', '.join(close)}" if close else "; see timm.list_models()"
        raise ModelError(f"there is no backbone {name!r} in timm {timm.__version__}{hint}")
    try:
        timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        tags = ", ".join(timm.list_pretrained(name.partition(".")[0] + ".*")) or "none"
        raise ModelError(
            f"there are no weights {name!r} in timm; expected one of: {tags}"
        ) from error


def _classifier_prefixes(backbone: nn.Module) -> tuple[str, ...]:
    """Give what the names of the classifier's tensors begin with."""
    named = getattr(backbone, "pretrained_cfg", {}).get("classifier") or ()
    names = (named,) if isinstance(named, str) else tuple(named)
    return tuple(f"{name}." for name in names)


def _first(names: list[str], most: int = 3) -> str:
    """Name the first few, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
