"""Class-balanced and square-root sampling (Kang et al. 2020, arXiv 1910.09217, eq. 1)."""

from torch import Tensor

from imbalance_lab.samplers.draw_by_class import DrawByClass
from imbalance_lab.validation import check_number


class ClassBalancedSampler:
    """N draws with replacement: class c with probability q_c ∝ n_c^power, then one of its examples.

    ``power=0`` is class-balanced sampling, ½ square-root sampling, and 1 draws every example equally often.

    Args:
        targets: class indices of the training split, (N,).
        power: exponent in [0, 1].
        seed: decides the draws, together with the epoch.
    """

    def __init__(self, *, targets: Tensor, power: float = 0.0, seed: int = 0) -> None:
        self.power = check_number("power", power, minimum=0, maximum=1)
        self.by_class = DrawByClass(targets, seed)
        self.length = self.by_class.length

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64; examples of rare classes repeat."""
        return self.by_class.draw(self.class_priors(self.by_class.counts), epoch)

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order."""
        return self.by_class.part(self.class_priors(self.by_class.counts), epoch, start, stop)

    def class_priors(self, counts: Tensor) -> Tensor:
        """n_c^power; counts (C,) → (C,) float64."""
        return counts.double() ** self.power
