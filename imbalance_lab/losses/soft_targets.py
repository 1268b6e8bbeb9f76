"""Which losses take targets between the classes, as mixup makes them."""

from torch import nn


def accepts_soft_targets(loss: nn.Module) -> bool:
    """Whether a loss takes a distribution over the classes, or shares of labels, (N, C), for each example.

    It says so by its attribute ``accepts_soft_targets``; torch's own cross-entropies do without.
    """
    known = isinstance(loss, nn.CrossEntropyLoss | nn.BCEWithLogitsLoss)
    return bool(getattr(loss, "accepts_soft_targets", known))
