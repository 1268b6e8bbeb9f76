"""Mixup (Zhang et al. 2018, arXiv 1710.09412)."""

from collections.abc import Sequence

from torch import Tensor, nn

from imbalance_lab.task import Task
from imbalance_lab.training.strategies.mixing import Mixing


class Mixup(Mixing):
    """Trains on λ x_i + (1 − λ) x_j and λ y_i + (1 − λ) y_j; λ is one for a batch, as in the authors' code.

    Args:
        alpha: α of λ ~ Beta(α, α); the paper has 1 on CIFAR and 0.2 on ImageNet.

    The other arguments are `Mixing`'s, and given by the program.
    """

    stream = 0x313D09

    def __init__(self, alpha: float = 1.0, *, task: Task, loss: nn.Module, cardinalities: Sequence[int] = ()) -> None:
        super().__init__(alpha, task=task, loss=loss, cardinalities=cardinalities)

    def mix_inputs(self, inputs: Tensor, partners: Tensor, share: float, key: int) -> tuple[Tensor, float]:
        return share * inputs + (1 - share) * inputs[partners], share
