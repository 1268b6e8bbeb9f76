"""Losses for rare classes, one per file; each works in any PyTorch loop as ``loss(logits, target)``.

The protocol, which holds for other losses too:

- A loss is a `torch.nn.Module` and returns a scalar for ``logits`` (N, C) and ``target``, class indices (N,) or
  multilabel targets (N, C).
- If its constructor takes ``class_counts``, it is given the training examples of each class, (C,).
- ``activation`` is "softmax" or "sigmoid": how logits become probabilities after training with it. A loss
  without the attribute counts as "softmax".
- ``accepts_soft_targets`` says that ``target`` may be a distribution over the classes, or shares of labels, (N, C), as
  mixup makes them. A loss without the attribute counts as one that does not, unless it is one of torch's.
- ``implied_prior(sampler_prior)`` takes the share of each class among the drawn examples, (C,) float64 with sum 1, and
  returns the class priors that the logits stand for after training, (C,), or None if they are not known. A loss without
  the method counts as unknown. So are losses with margins, scaled logits or a sigmoid.
"""

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
