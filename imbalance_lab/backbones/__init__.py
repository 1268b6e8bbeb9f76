"""Nets that turn inputs (N, …) into features (N, num_features); the classifier puts a head on top."""

from imbalance_lab.backbones.convnet import ConvNet
from imbalance_lab.backbones.heads import CosineHead
from imbalance_lab.backbones.mlp import MLP
from imbalance_lab.backbones.pretrained import Timm, Torchvision
from imbalance_lab.backbones.residual_mlp import ResidualMLP
from imbalance_lab.backbones.resnet_cifar import ResNetCifar

__all__ = ["MLP", "ConvNet", "CosineHead", "ResNetCifar", "ResidualMLP", "Timm", "Torchvision"]
