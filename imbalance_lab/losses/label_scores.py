"""From logits and a target to one score per label, for losses of rankings."""

import torch
from torch import Tensor

from imbalance_lab.class_counts import validate_counts
from imbalance_lab.losses.weights import Counts
from imbalance_lab.validation import check_integer


def count_labels(num_labels: int | None, class_counts: Counts | None) -> int:
    """L: as given, else 1 for two classes or without counts, and one label per class for more."""
    known = None if class_counts is None else len(class_counts)
    if num_labels is None:
        return 1 if known is None or known == 2 else known
    check_integer("num_labels", num_labels, minimum=1)
    if known is not None and num_labels != known and (num_labels, known) != (1, 2):
        raise ValueError(f"num_labels={num_labels}, but class_counts has {known} entries: leave num_labels unset")
    return num_labels


def label_counts(
    class_counts: Counts | None, num_examples: int | None, num_labels: int, positive: int
) -> tuple[Tensor, Tensor]:
    """The positives n₊ of each label, and their share π of the training examples, (L,) each; 0 where not known.

    Args:
        class_counts: training examples of each class or label, (C,).
        num_examples: N; None where every example has one of the classes.
        num_labels: L.
        positive: of two classes the one that is ranked first.
    """
    if class_counts is None:
        return torch.zeros(num_labels), torch.zeros(num_labels)
    counts = validate_counts(class_counts)
    total = counts.sum() if num_examples is None else num_examples
    counts = counts[[positive]] if num_labels == 1 and len(counts) == 2 else counts
    return counts.float(), (counts / total).float()


def by_label(logits: Tensor, target: Tensor, num_labels: int, positive: int = 1) -> tuple[Tensor, Tensor]:
    """Return logits (N, L) and the target that `binary_targets` takes with them.

    Args:
        logits: (N, L); for one label also (N,), or (N, 2), whose score is then the difference of the two.
        target: 0 or 1, (N, L), or class indices (N,).
        num_labels: L.
        positive: of two classes the one that is ranked first.
    """
    if target.dim() == 2 and target.shape[1] != num_labels:
        width = target.shape[1]
        raise ValueError(f"num_labels={num_labels}, but the target has {width} labels: set num_labels={width}")
    if num_labels > 1:
        return logits, target
    given = tuple(logits.shape), tuple(target.shape)
    if logits.ndim == 2 and logits.shape[1] == 2:
        logits = logits[:, positive] - logits[:, 1 - positive]
        if positive == 0:
            target = target.where((target != 0) & (target != 1), 1 - target)
    logits, target = logits.reshape(len(logits), -1), target.reshape(len(target), -1)
    if target.shape != logits.shape or logits.shape[1] != 1:
        raise ValueError(f"logits of shape {given[0]} and target of shape {given[1]} do not fit one label")
    return logits, target
