"""Backbones turn inputs (N, …) into features (N, num_features), heads turn features into logits (N, C).

A backbone may be of several nets, see `imbalance_lab.backbones.members`: its features are then (N, k, num_features).

A backbone's constructor takes ``input_shape`` (and ``cardinalities``, if it embeds the categories of tables), a head's
``in_features`` and ``out_features``.
"""

from imbalance_lab.backbones.convnet import ConvNet
from imbalance_lab.backbones.example_heads import KernelRidgeHead, KNNHead
from imbalance_lab.backbones.fitted_heads import LDAHead, LogisticHead
from imbalance_lab.backbones.heads import CosineHead
from imbalance_lab.backbones.mlp import MLP
from imbalance_lab.backbones.pretrained import Timm, Torchvision
from imbalance_lab.backbones.residual_mlp import ResidualMLP
from imbalance_lab.backbones.resnet_cifar import ResNetCifar
from imbalance_lab.backbones.tabm import TabM

__all__ = [
    "MLP",
    "ConvNet",
    "CosineHead",
    "KNNHead",
    "KernelRidgeHead",
    "LDAHead",
    "LogisticHead",
    "ResNetCifar",
    "ResidualMLP",
    "TabM",
    "Timm",
    "Torchvision",
]
