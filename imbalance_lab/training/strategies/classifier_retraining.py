"""Classifier re-training, cRT (Kang et al. 2020, arXiv 1910.09217, section 4.1)."""

from torch import nn

from imbalance_lab import seeding
from imbalance_lab.backbones.heads import check_resettable, reset_head
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.head_retraining import HeadRetraining, Weights
from imbalance_lab.training.strategies.strategy import Prior


class ClassifierRetraining(HeadRetraining):
    """Stage 2 trains a new head on the frozen features, with classes drawn equally often, by plain cross-entropy.

    Args:
        task, max_epochs, seed: facts of the run.
        epochs: of stage 2, after ``max_epochs``.
        weights: stage 2 begins with the features of stage 1's "best" epoch, or of its "last" one, as in the paper.
        lr: learning rate of the head in stage 2; None for that of stage 1.

    Properties: the backbone, its batch normalization included, is the same after stage 2, bit for bit; the logits stand
    for equal class priors, whatever the loss and the sampler of stage 1.
    """

    def __init__(
        self,
        *,
        task: Task,
        max_epochs: int,
        seed: int = 0,
        epochs: int = 10,
        weights: Weights = "best",
        lr: float | None = None,
    ) -> None:
        super().__init__(task=task, max_epochs=max_epochs, seed=seed, epochs=epochs, weights=weights, lr=lr)

    def check_head(self, head: nn.Module) -> None:
        """Its weights must be ones that can be drawn anew."""
        check_resettable(head)

    def prepare_head(self, head: nn.Module) -> None:
        """Draw new weights."""
        reset_head(head, seeding.hash_seeds(self.seed, 2) >> 1)

    def implied_prior(self, prior: Prior) -> Prior:
        """Equal class priors: the head sees no other draws."""
        return (1 / self.num_classes,) * self.num_classes
