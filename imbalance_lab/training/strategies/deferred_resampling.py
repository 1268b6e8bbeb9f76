"""Deferred re-sampling (DRS; Cao et al. 2019, arXiv 1906.07413, sec. 3.3 and 4)."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from imbalance_lab.class_counts import class_priors
from imbalance_lab.samplers import ClassBalancedSampler, RepeatedSampler, Sampler
from imbalance_lab.samplers.windows import part_of
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.stage_change import draw_by
from imbalance_lab.training.strategies.strategy import Prior, Strategy, epoch_at


class DeferredSampler:
    """The orders of one sampler, and from an epoch on those of another.

    Args:
        before, after: the samplers.
        first_epoch: the epoch, from 0, from which ``after`` decides.
    """

    def __init__(self, before: Sampler, after: ClassBalancedSampler, first_epoch: int) -> None:
        self.before, self.after, self.first_epoch = before, after, first_epoch

    def order(self, epoch: int) -> Tensor:
        """Positions (N,) int64."""
        return self._sampler(epoch).order(epoch)

    def part(self, epoch: int, start: int, stop: int) -> Tensor:
        """Draws ``start`` … ``stop`` − 1 of the order."""
        return part_of(self._sampler(epoch), epoch, start, stop)

    @property
    def length(self) -> int:
        """N."""
        return self.after.length

    def _sampler(self, epoch: int) -> Sampler:
        return self.before if epoch < self.first_epoch else self.after


class DeferredResampling(Strategy):
    """Draws by the chosen sampler first, and every class equally often from ``start`` on.

    From there on the orders are those of ``sampler=class_balanced`` with the same seed. They follow from the epoch
    alone, so that there is no state to resume.

    Args:
        task: with one class an example.
        sampler: that of the first phase.
        targets: class indices of the training split, (N,).
        class_counts: training examples of each class, (C,).
        loss: tells which priors the logits stand for.
        max_epochs: of the training.
        seed: decides the draws, together with the epoch.
        start: fraction of the epochs, in [0, 1); 0 is class-balanced sampling from the first epoch on.

    Raises:
        TypeError, ValueError: for invalid arguments, a multilabel task, and a sampler that is class-balanced already.
    """

    def __init__(
        self,
        task: Task,
        sampler: Sampler,
        targets: Tensor,
        class_counts: Tensor,
        loss: nn.Module,
        max_epochs: int,
        seed: int = 0,
        start: float = 0.8,
    ) -> None:
        if task.is_multilabel:
            raise ValueError("an example has several labels, so that no order balances them: leave strategy=drs out")
        self.first_epoch = epoch_at(start, max_epochs)
        self.original = sampler
        passes = sampler.passes if isinstance(sampler, RepeatedSampler) else 1
        before: Sampler = sampler.sampler if isinstance(sampler, RepeatedSampler) else sampler
        if isinstance(before, ClassBalancedSampler) and before.power == 0:
            raise ValueError(
                "the sampler balances the classes from the first epoch on, so there is nothing to defer: "
                "leave sampler=class_balanced out"
            )
        balanced = ClassBalancedSampler(targets=targets, seed=seed)
        deferred = DeferredSampler(before, balanced, self.first_epoch * passes)
        self.sampler: Sampler = deferred if passes == 1 else RepeatedSampler(deferred, passes)
        self.ratio = _prior_ratio(loss, before, balanced, class_counts)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Give the DataModule the sampler of both phases."""
        any_trainer: object = trainer
        any_trainer.datamodule.sampler = self.sampler  # type: ignore[attr-defined]

    def leave(self, trainer: pl.Trainer) -> None:
        """Draw by the chosen sampler again."""
        draw_by(trainer, self.original)

    def implied_prior(self, prior: Prior) -> Prior:
        """Those of the last phase, in which every class is drawn equally often."""
        if prior is None or self.ratio is None:
            return None
        implied = torch.tensor(prior, dtype=torch.float64) * self.ratio
        return tuple((implied / implied.sum()).tolist())


def _prior_ratio(loss: Any, before: Sampler, after: Sampler, counts: Tensor) -> Tensor | None:
    """By what the class priors that the logits stand for change from one sampler to another, (C,); None if unknown."""
    implied = []
    for sampler in (before, after):
        if not (hasattr(sampler, "class_priors") and hasattr(loss, "implied_prior")):
            return None
        implied.append(loss.implied_prior(class_priors(sampler.class_priors(counts))))
    earlier, later = implied
    return None if earlier is None or later is None else later / earlier
