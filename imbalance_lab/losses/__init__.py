"""Losses for rare classes, one per file; each works in any PyTorch loop as ``loss(logits, target)``.

The protocol, which holds for other losses too:

- A loss is a `torch.nn.Module` and returns a scalar for ``logits`` (N, C) and ``target``, class indices (N,) or
  multilabel targets (N, C).
- If its constructor takes ``class_counts``, it is given the training examples of each class, (C,); likewise
  ``num_examples``, how many they are, ``max_epochs`` of the run, and ``positive``, the positive class of two.
- ``activation`` is "softmax" or "sigmoid": how logits become probabilities after training with it. A loss
  without the attribute counts as "softmax".
- ``accepts_soft_targets`` says that ``target`` may be a distribution over the classes, or shares of labels, (N, C), as
  mixup makes them. A loss without the attribute counts as one that does not, unless it is one of torch's.
- ``needs_index = True`` says that it is called in training as ``loss(logits, target, index)``, with the index of each
  example in the training data, (N,), and elsewhere without. It may ask for ``num_indices``, one more than the largest.
- ``implied_prior(sampler_prior)`` takes the share of each class among the drawn examples, (C,) float64 with sum 1, and
  returns the class priors that the logits stand for after training, (C,), or None if they are not known. A loss without
  the method counts as unknown. So are losses with margins, scaled logits or a sigmoid.
"""

from imbalance_lab.losses.asymmetric import AsymmetricLoss, asymmetric_loss
from imbalance_lab.losses.auc_margin import AUCMarginLoss, auc_margin_loss
from imbalance_lab.losses.average_precision import AveragePrecisionLoss, average_precision_loss
from imbalance_lab.losses.cross_entropy import CrossEntropyLoss
from imbalance_lab.losses.focal import FocalLoss, focal_loss
from imbalance_lab.losses.ldam import LDAMLoss, ldam_loss, ldam_margins
from imbalance_lab.losses.logit_adjusted import LogitAdjustedLoss, logit_adjusted_cross_entropy
from imbalance_lab.losses.partial_auc import PartialAUCLoss, partial_auc_loss
from imbalance_lab.losses.poly import PolyLoss, poly_loss
from imbalance_lab.losses.recall_at_budget import RecallAtBudgetLoss
from imbalance_lab.losses.seesaw import SeesawLoss, seesaw_loss
from imbalance_lab.losses.sigmoid_focal import SigmoidFocalLoss, sigmoid_focal_loss
from imbalance_lab.losses.soft_partial_auc import (
    SoftPartialAUCLoss,
    TwoWayPartialAUCLoss,
    soft_partial_auc_loss,
    two_way_partial_auc_loss,
)
from imbalance_lab.losses.vector_scaling import VectorScalingLoss, vector_scaling_loss

__all__ = [
    "AUCMarginLoss",
    "AsymmetricLoss",
    "AveragePrecisionLoss",
    "CrossEntropyLoss",
    "FocalLoss",
    "LDAMLoss",
    "LogitAdjustedLoss",
    "PartialAUCLoss",
    "PolyLoss",
    "RecallAtBudgetLoss",
    "SeesawLoss",
    "SigmoidFocalLoss",
    "SoftPartialAUCLoss",
    "TwoWayPartialAUCLoss",
    "VectorScalingLoss",
    "asymmetric_loss",
    "auc_margin_loss",
    "average_precision_loss",
    "focal_loss",
    "ldam_loss",
    "ldam_margins",
    "logit_adjusted_cross_entropy",
    "partial_auc_loss",
    "poly_loss",
    "seesaw_loss",
    "sigmoid_focal_loss",
    "soft_partial_auc_loss",
    "two_way_partial_auc_loss",
    "vector_scaling_loss",
]
