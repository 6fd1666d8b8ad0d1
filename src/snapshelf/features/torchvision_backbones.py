"""Backbones of torchvision: a classification network up to its last feature map."""

import difflib
import operator
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    import torchvision
    from torch import Tensor, fx, nn
    from torchvision import models
    from torchvision.models.feature_extraction import NodePathTracer

__all__ = ["FeatureGraph", "check_torchvision_name", "create_torchvision", "published_name"]

CLASSIFIERS = ("classifier", "fc", "head", "heads", "AuxLogits", "aux1", "aux2")
"""Names under which torchvision's networks keep what comes behind the last feature map."""

HEAD_FUNCTIONS = frozenset({"adaptive_avg_pool2d", "dropout", "flatten", "mean", "squeeze"})
HEAD_MODULES = (nn.AdaptiveAvgPool2d, nn.Dropout, nn.Flatten, nn.Identity)


class FeatureGraph(fx.GraphModule):
    """A network that was traced and cut off behind its last feature map."""

    def forward_features(self, inputs: Tensor) -> Tensor:
        """Give the last feature map, under the name that timm's backbones have for it.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, C, H', W') float.
        """
        features: Tensor = self(inputs)
        return features


def check_torchvision_name(name: str) -> None:
    """Refuse what is no classification model of torchvision's.

    Raises:
        ModelError: If the name is unknown; close names are listed.
    """
    names = models.list_models(module=models)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=5)
        hint = f"; did you mean {', '.join(close)}" if close else "; see its list_models()"
        raise ModelError(f"there is no backbone {name!r} in torchvision {_version()}{hint}")


def create_torchvision(name: str, options: Mapping[str, Any]) -> nn.Module:
    """Make a backbone of torchvision without its classifier, with random weights.

    Its tensors have the names of torchvision's own; ``pretrained_cfg`` describes the published
    weights' preprocessing and classifier as timm does.

    Args:
        name: A name of torchvision's classification models, such as ``vgg16``.
        options: Keyword arguments of the model, as JSON can hold them.

    Raises:
        ModelError: If the name is unknown (close names are listed), an option does not fit, or
            the network has no feature map.
    """
    check_torchvision_name(name)
    if reserved := options.keys() & {"weights", "num_classes"}:
        raise ValueError(f"options must not hold {', '.join(sorted(reserved))}")
    try:
        model = models.get_model(name, weights=None, **options).eval()
        tracer = NodePathTracer()
        graph = tracer.trace(model)
    except (RuntimeError, TypeError, ValueError, fx.proxy.TraceError) as error:
        raise ModelError(
            f"the backbone torchvision/{name} cannot be made with the options {dict(options)}: "
            f"{error}"
        ) from error
    _cut_head(name, model, graph, tracer.node_to_qualname)
    backbone = FeatureGraph(model, graph, class_name=type(model).__name__)
    backbone.pretrained_cfg = _published_config(name)  # type: ignore[assignment]
    return backbone.eval()


def published_name(name: str) -> str | None:
    """Give the file name, without its ending, of torchvision's default weights; None without any.

    Args:
        name: A name that `create_torchvision` takes.

    Example:
        >>> published_name("vgg16")
        'vgg16-397923af'
    """
    weights = models.get_model_weights(name)
    default = getattr(weights, "DEFAULT", None)
    return None if default is None else PurePosixPath(default.url).stem


def _cut_head(name: str, model: nn.Module, graph: fx.Graph, paths: Mapping[fx.Node, str]) -> None:
    """End the graph at what the classifier's pooling reads."""
    node = next(node for node in graph.nodes if paths.get(node, "").split(".")[0] in CLASSIFIERS)
    while node.args and (paths[node].split(".")[0] in CLASSIFIERS or _is_head(model, node)):
        node = node.args[0]
    if node.target is operator.getitem:
        raise ModelError(
            f"the backbone torchvision/{name} has no last feature map; timm has transformers "
            "whose patches form one"
        )
    for output in [node for node in graph.nodes if node.op == "output"]:
        graph.erase_node(output)
    graph.output(node)
    for later in reversed(list(graph.nodes)):
        if later.op not in ("output", "placeholder") and not later.users:
            graph.erase_node(later)
    graph.lint()


def _is_head(model: nn.Module, node: fx.Node) -> bool:
    """Whether a node pools, flattens or drops, so that the feature map comes before it."""
    if node.op == "call_module":
        return isinstance(model.get_submodule(str(node.target)), HEAD_MODULES)
    called = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return called in HEAD_FUNCTIONS


def _published_config(name: str) -> dict[str, Any]:
    """Describe the preprocessing of torchvision's default weights in timm's words."""
    config: dict[str, Any] = {"classifier": CLASSIFIERS, "input_size": (3, 224, 224)}
    default = getattr(models.get_model_weights(name), "DEFAULT", None)
    if default is None:
        return config
    preset = default.transforms()
    side, resized = preset.crop_size[0], preset.resize_size[0]
    return config | {
        "input_size": (3, side, side),
        "crop_pct": side / resized,
        "crop_mode": "center",
        "interpolation": preset.interpolation.value,
        "mean": tuple(preset.mean),
        "std": tuple(preset.std),
    }


def _version() -> str:
    return f"{torchvision.__version__} (torch {torch.__version__})"
