"""The backbones that the papers' tables compare, as names of timm's with published weights."""

from collections.abc import Mapping

__all__ = ["PAPER_BACKBONES"]

PAPER_BACKBONES: Mapping[str, str] = {
    "vgg16": "vgg16.tv_in1k",
    "resnet50": "resnet50.tv_in1k",
    "resnet101": "resnet101.tv_in1k",
    "resnet152": "resnet152.tv_in1k",
    "resnext50": "resnext50_32x4d.gluon_in1k",
    "resnext101": "resnext101_32x4d.gluon_in1k",
    "senet154": "senet154.gluon_in1k",
    "se-resnext50": "seresnext50_32x4d.gluon_in1k",
    "se-resnext101": "seresnext101_32x4d.gluon_in1k",
}
"""Those of Tang, Huang, Fuh: Cross-Domain Beauty and Personal Care Product Retrieval.

- VGGNet, Table 1: ``vgg16``, 512 channels. Its map is read after the last max pooling.
- ResNet, Table 2: ``resnet50``, ``resnet101``, ``resnet152``, 2048 channels.
- ResNeXt, Table 3: ``resnext50``, ``resnext101``, cardinality 32 as in fig. 4, 2048 channels.
- SENet, Table 4: ``senet154``, ``se-resnext50``, ``se-resnext101``, 2048 channels.

The paper tells VGG16's depth only, so that any row of a table may be the one that it has measured.
These weights have seen ImageNet-1k and nothing else, like the paper's, and timm has them on the hub
as safetensors. It has no such weights for its ``legacy_senet154`` and the like, the first that were
published of SENet: ResNeXt's and SENet's are those of Gluon's training.
"""
