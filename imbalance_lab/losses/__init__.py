"""Losses for rare classes, one a file; each works in any PyTorch loop as ``loss(logits, target)``."""

from imbalance_lab.losses.cross_entropy import CrossEntropyLoss
from imbalance_lab.losses.focal import FocalLoss, focal_loss

__all__ = ["CrossEntropyLoss", "FocalLoss", "focal_loss"]
