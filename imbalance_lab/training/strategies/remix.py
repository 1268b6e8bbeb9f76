"""Remix (Chou et al. 2020, arXiv 2007.03943): mixup that leaves the label to the rarer class."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbalance_lab.task import Task
from imbalance_lab.training.strategies.mixup import Mixup
from imbalance_lab.training.strategies.strategy import Prior
from imbalance_lab.validation import check_number


class Remix(Mixup):
    """Mixup of the inputs; the label is that of the rarer class where the other is κ times as frequent.

    Equation 8: with n the training counts of the classes of x_i and x_j, λ_y is 0 where n_i / n_j ≥ κ and λ < τ, 1
    where n_i / n_j ≤ 1 / κ and 1 − λ < τ, else λ; the target is λ_y y_i + (1 − λ_y) y_j.

    Args:
        alpha: α of λ ~ Beta(α, α).
        kappa: κ ≥ 1, how much rarer a class must be.
        tau: τ in [0, 1]: the frequent class loses its label where its share of the input is below τ; 0 is mixup.
        class_counts: training examples of each class, (C,).

    The other arguments are `Mixing`'s, and given by the program.

    Raises:
        ValueError: for multilabel data, too.
    """

    stream = 0x2E313D

    def __init__(
        self,
        alpha: float = 1.0,
        kappa: float = 3.0,
        tau: float = 0.5,
        *,
        task: Task,
        loss: nn.Module,
        class_counts: Tensor,
        cardinalities: Sequence[int] = (),
    ) -> None:
        super().__init__(alpha, task=task, loss=loss, cardinalities=cardinalities)
        self.kappa = check_number("kappa", kappa, minimum=1)
        self.tau = check_number("tau", tau, minimum=0, maximum=1)
        if task.is_multilabel:
            raise ValueError("Remix compares the one class of each example, but the data are multilabel: choose mixup")
        self.class_counts = class_counts

    def share_of_labels(self, target: Tensor, partners: Tensor, share: float) -> Tensor:
        counts = self.class_counts.to(target.device)[target]
        own, other = counts, counts[partners]
        labels = torch.full(target.shape, share, device=target.device)
        if share < self.tau:
            labels = torch.where(own >= self.kappa * other, 0.0, labels)
        if 1 - share < self.tau:
            labels = torch.where(own * self.kappa <= other, 1.0, labels)
        return labels.unsqueeze(1)

    def implied_prior(self, prior: Prior) -> Prior:
        """None: the labels have other shares than the examples, and by how much depends on the inputs."""
        return None
