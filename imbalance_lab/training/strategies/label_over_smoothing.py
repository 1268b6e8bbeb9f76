"""Label over-smoothing for the head (arXiv 2403.00250: re-training of the classifier with nearly uniform targets)."""

import torch
from torch import nn

from imbalance_lab.backbones.member_layers import check_linear
from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.head_retraining import HeadRetraining, Weights
from imbalance_lab.validation import check_number


class LabelOverSmoothing(HeadRetraining):
    """Stage 2 trains a new linear head on the frozen features with targets (1 − δ) · one-hot + δ / C, δ close to 1.

    It begins with weights that are 0, and its logits stay small and of similar size in all classes, where cross-entropy
    is nearly quadratic. The probabilities are nearly uniform before calibration. Smoothing alone does not balance the
    classes: with draws as in stage 1 the bias and the weights still follow their frequencies.

    Args:
        task, max_epochs, seed: facts of the run.
        epochs: of stage 2, after ``max_epochs``.
        smoothing: δ in [0, 1).
        weights: stage 2 begins with the features of stage 1's "best" epoch, or of its "last" one, as in the paper.
        lr: learning rate of the head in stage 2; None for that of stage 1.
        class_balanced: whether stage 2 draws classes equally often, or by the sampler of stage 1.
    """

    def __init__(
        self,
        *,
        task: Task,
        max_epochs: int,
        seed: int = 0,
        epochs: int = 10,
        smoothing: float = 0.98,
        weights: Weights = "best",
        lr: float | None = None,
        class_balanced: bool = True,
    ) -> None:
        super().__init__(
            task=task,
            max_epochs=max_epochs,
            seed=seed,
            epochs=epochs,
            weights=weights,
            lr=lr,
            class_balanced=class_balanced,
        )
        self.smoothing = check_number("label_smoothing", smoothing, minimum=0, below=1)

    def check_head(self, head: nn.Module) -> None:
        """It must be linear, or it would not learn from weights that are 0."""
        check_linear("label over-smoothing", head)

    def head_loss(self) -> nn.Module:
        """Cross-entropy with smoothed targets."""
        return CrossEntropyLoss(label_smoothing=self.smoothing)

    def prepare_head(self, head: nn.Module) -> None:
        """Begin at 0: random weights are far from the optimum, whose logits are close to 0."""
        with torch.no_grad():
            for parameter in head.parameters():
                parameter.zero_()
