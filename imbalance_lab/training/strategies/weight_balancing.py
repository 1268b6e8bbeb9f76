"""Weight balancing (Alshammari et al. 2022, arXiv 2203.14197): weight decay, then a balanced head of limited norms."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from imbalance_lab.class_counts import EFFECTIVE_BETA, class_priors, class_weights
from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.losses.base import reweight_prior
from imbalance_lab.samplers import Sampler
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.head_retraining import HeadRetraining, Weights
from imbalance_lab.training.strategies.max_norm import check_norms, limit_norms
from imbalance_lab.training.strategies.strategy import Prior
from imbalance_lab.validation import check_number


class WeightBalancing(HeadRetraining):
    """Stage 2 trains the head on, by a class-balanced cross-entropy, each class's weights with a norm up to ``limit``.

    It begins with the head of stage 1, which is plain training with a weight decay chosen on validation
    (``optimizer.weight_decay``, or of the head alone ``head_weight_decay``). The weights of the classes are those of
    ``loss=class_balanced``; examples are drawn by the sampler of stage 1.

    Args:
        task, max_epochs, class_counts, sampler, seed: facts of the run.
        epochs: of stage 2, after ``max_epochs``.
        limit: the largest norm, > 0; choose it on validation.
        beta: β in [0, 1) of the weights ∝ (1 − β) / (1 − β^n_c).
        weights: stage 2 begins with stage 1's "best" epoch, or with its "last" one, as in the paper.
        lr: learning rate of the head in stage 2; None for that of stage 1.
        weight_decay: of the head in stage 2; None for that of stage 1.

    Properties: backbone and batch normalization are the same after stage 2, bit for bit; no class's weights have a
    larger norm than ``limit`` in any checkpoint of stage 2.
    """

    def __init__(
        self,
        *,
        task: Task,
        max_epochs: int,
        class_counts: Tensor,
        sampler: Sampler,
        seed: int = 0,
        epochs: int = 10,
        limit: float = 1.0,
        beta: float = EFFECTIVE_BETA,
        weights: Weights = "best",
        lr: float | None = None,
        weight_decay: float | None = None,
    ) -> None:
        super().__init__(
            task=task, max_epochs=max_epochs, seed=seed, epochs=epochs, weights=weights, lr=lr, class_balanced=False
        )
        self.limit = check_number("limit", limit, above=0)
        self.weight = class_weights(class_counts, "effective", beta=beta).to(torch.get_default_dtype())
        self.weight_decay = None if weight_decay is None else check_number("weight_decay", weight_decay, minimum=0)
        of_sampler = getattr(sampler, "class_priors", None)
        self.drawn: Tensor | None = None if of_sampler is None else class_priors(of_sampler(class_counts))

    def check_head(self, head: nn.Module) -> None:
        """Its norms must have an effect."""
        check_norms(head, self.num_classes)

    def prepare_head(self, head: nn.Module) -> None:
        """Go on with the weights of stage 1."""

    def head_loss(self) -> nn.Module:
        """Cross-entropy with class-balanced weights."""
        return CrossEntropyLoss(weight=self.weight)

    def head_options(self) -> dict[str, float]:
        """Options of the optimizer for the head in stage 2."""
        decay = {} if self.weight_decay is None else {"weight_decay": self.weight_decay}
        return super().head_options() | decay

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Limit the norms of a run that is resumed in stage 2."""
        if self.began is not None:
            self._limit_norms(trainer, pl_module)

    def _begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super()._begin(trainer, pl_module)
        self._limit_norms(trainer, pl_module)

    def _limit_norms(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Of the optimizers of stage 2, which nothing outlives."""
        module: Any = pl_module
        limit_norms(module.head, self.num_classes, self.limit, trainer.optimizers)

    def implied_prior(self, prior: Prior) -> Prior:
        """The priors ∝ q_c w_c, q those of the draws: the head's minimum, whatever the loss of stage 1."""
        if self.drawn is None:
            return None
        implied = reweight_prior(self.drawn.double(), self.weight.log())
        return None if implied is None else tuple(implied.tolist())
