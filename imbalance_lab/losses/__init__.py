"""Losses for rare classes, one a file; each works in any PyTorch loop as ``loss(logits, target)``."""

from imbalance_lab.losses.cross_entropy import CrossEntropyLoss
from imbalance_lab.losses.focal import FocalLoss, focal_loss
from imbalance_lab.losses.sigmoid_focal import SigmoidFocalLoss, sigmoid_focal_loss

__all__ = ["CrossEntropyLoss", "FocalLoss", "SigmoidFocalLoss", "focal_loss", "sigmoid_focal_loss"]
