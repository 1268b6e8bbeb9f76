"""Progressively balanced sampling (Kang et al. 2020, arXiv 1910.09217, eq. 2)."""

from torch import Tensor

from imbalance_lab.samplers.draw_by_class import DrawByClass
from imbalance_lab.validation import check_integer


class ProgressiveSampler:
    """N draws with replacement, from the class frequencies at first to equal frequencies at the end of training.

    In epoch t of T class c is drawn with probability (1 − t/T) n_c / N + (t/T) / C. They change, so there is no
    ``class_priors``.

    Args:
        targets: class indices of the training split, (N,).
        max_epochs: T.
        seed: decides the draws, together with the epoch.
    """

    def __init__(self, *, targets: Tensor, max_epochs: int, seed: int = 0) -> None:
        self.max_epochs = check_integer("max_epochs", max_epochs, minimum=1)
        self.by_class = DrawByClass(targets, seed)
        self.length = self.by_class.length

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64."""
        return self.by_class.draw(self._class_priors(epoch), epoch)

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order."""
        return self.by_class.part(self._class_priors(epoch), epoch, start, stop)

    def _class_priors(self, epoch: int) -> Tensor:
        done = min(epoch / self.max_epochs, 1)
        counts = self.by_class.counts.double()
        return (1 - done) * counts / counts.sum() + done / len(counts)
