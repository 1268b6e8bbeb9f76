"""Losses for rare classes, one a file; each works in any PyTorch loop as ``loss(logits, target)``."""

from imbalance_lab.losses.asymmetric import AsymmetricLoss, asymmetric_loss
from imbalance_lab.losses.auc_margin import AUCMarginLoss, auc_margin_loss
from imbalance_lab.losses.cross_entropy import CrossEntropyLoss
from imbalance_lab.losses.focal import FocalLoss, focal_loss
from imbalance_lab.losses.ldam import LDAMLoss, ldam_loss, ldam_margins
from imbalance_lab.losses.logit_adjusted import LogitAdjustedLoss, logit_adjusted_cross_entropy
from imbalance_lab.losses.poly import PolyLoss, poly_loss
from imbalance_lab.losses.seesaw import SeesawLoss, seesaw_loss
from imbalance_lab.losses.sigmoid_focal import SigmoidFocalLoss, sigmoid_focal_loss
from imbalance_lab.losses.vector_scaling import VectorScalingLoss, vector_scaling_loss

__all__ = [
    "AUCMarginLoss",
    "AsymmetricLoss",
    "CrossEntropyLoss",
    "FocalLoss",
    "LDAMLoss",
    "LogitAdjustedLoss",
    "PolyLoss",
    "SeesawLoss",
    "SigmoidFocalLoss",
    "VectorScalingLoss",
    "asymmetric_loss",
    "auc_margin_loss",
    "focal_loss",
    "ldam_loss",
    "ldam_margins",
    "logit_adjusted_cross_entropy",
    "poly_loss",
    "seesaw_loss",
    "sigmoid_focal_loss",
    "vector_scaling_loss",
]
