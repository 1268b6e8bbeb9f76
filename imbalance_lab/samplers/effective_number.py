"""Sampling by the effective number of examples (Cui et al. 2019, arXiv 1901.05555, eq. 2)."""

from torch import Tensor

from imbalance_lab.class_counts import effective_number
from imbalance_lab.samplers.draw_by_class import DrawByClass
from imbalance_lab.validation import check_number


class EffectiveNumberSampler:
    """N draws with replacement: class c with probability q_c ∝ (1 − β^n_c) / (1 − β), then one of its examples.

    β = 0 is class-balanced sampling, and β → 1 draws every example equally often.

    Args:
        targets: class indices of the training split, (N,).
        beta: β in [0, 1).
        seed: decides the draws, together with the epoch.
    """

    def __init__(self, *, targets: Tensor, beta: float = 0.999, seed: int = 0) -> None:
        self.beta = check_number("beta", beta, minimum=0, below=1)
        self.by_class = DrawByClass(targets, seed)
        self.length = self.by_class.length

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64; examples of rare classes repeat."""
        return self.by_class.draw(self.class_priors(self.by_class.counts), epoch)

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order."""
        return self.by_class.part(self.class_priors(self.by_class.counts), epoch, start, stop)

    def class_priors(self, counts: Tensor) -> Tensor:
        """The effective number of each class; counts (C,) → (C,) float64."""
        return effective_number(counts, self.beta)
