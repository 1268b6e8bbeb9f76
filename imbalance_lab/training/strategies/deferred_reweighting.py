"""Deferred re-weighting (DRW; Cao et al. 2019, arXiv 1906.07413, alg. 1)."""

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from imbalance_lab.class_counts import EFFECTIVE_BETA, class_weights
from imbalance_lab.losses.base import reweight_prior
from imbalance_lab.training.strategies.strategy import Prior, Strategy, epoch_at

ATTRIBUTES = ("weight", "alpha")
"""What losses call the weights of their classes, (C,) or None."""


class DeferredReweighting(Strategy):
    """Trains with the plain loss first, and with class-balanced weights from ``start`` on.

    The weights are w_c ∝ (1 − β) / (1 − β^n_c), Σ w = C (Cui et al. 2019, arXiv 1901.05555), those of
    ``loss=class_balanced``. The loss has none of its own before: with weights from the first epoch on there would be
    nothing to defer. Which weights hold follows from the epoch alone, so that there is no state to resume.

    Args:
        loss: a loss of softmax with weights of the classes in an attribute ``weight`` or ``alpha``, as cross-entropy,
            focal, LDAM and vector scaling have.
        class_counts: training examples of each class, (C,).
        max_epochs: of the training.
        start: fraction of the epochs, in [0, 1); 0 is the class-balanced loss from the first epoch on.
        beta: β in [0, 1).

    Raises:
        TypeError, ValueError: for invalid arguments, and for a loss without such weights or with some already.
    """

    def __init__(
        self, loss: nn.Module, class_counts: Tensor, max_epochs: int, start: float = 0.8, beta: float = EFFECTIVE_BETA
    ) -> None:
        self.attribute, self.plain = _plain_weight(loss)
        self.first_epoch = epoch_at(start, max_epochs)
        self.weight = class_weights(class_counts, "effective", beta=beta).to(torch.get_default_dtype())

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the weights of the epoch; a resumed one may begin in its middle."""
        self._set_weight(pl_module, trainer.current_epoch)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the weights of the epoch."""
        if batch_idx == 0:
            self._set_weight(pl_module, trainer.current_epoch)

    def implied_prior(self, prior: Prior) -> Prior:
        """The priors ∝ π_c w_c: of the last phase, to whose minimum the logits move."""
        if prior is None:
            return None
        implied = reweight_prior(torch.tensor(prior, dtype=torch.float64), self.weight.log())
        return None if implied is None else tuple(implied.tolist())

    def _set_weight(self, module: Any, epoch: int) -> None:
        weight = self.weight if epoch >= self.first_epoch else self.plain
        for loss in getattr(module.loss, "copies", [module.loss]):  # of an ensemble, each member has its own
            _assign(loss, self.attribute, weight, module.device)


def _plain_weight(loss: nn.Module) -> tuple[str, Tensor | None]:
    """The attribute that holds the weights of a loss, and its value: None, or equal numbers (C,)."""
    name = next((each for each in ATTRIBUTES if hasattr(loss, each)), None)
    if name is None or getattr(loss, "activation", "softmax") != "softmax":
        raise ValueError(
            f"{type(loss).__name__} has no weights of the classes that could be deferred: choose loss=cross_entropy, "
            "focal, ldam or vector_scaling"
        )
    weight = getattr(loss, name)
    is_plain = weight is None or (isinstance(weight, Tensor) and bool((weight == weight.flatten()[0]).all()))
    if not is_plain or isinstance(weight, nn.Parameter):
        raise ValueError(f"the loss has class weights already, so there is nothing to defer: leave loss.{name} at null")
    return name, None if weight is None else weight.clone()


def _assign(loss: nn.Module, name: str, weight: Tensor | None, device: torch.device) -> None:
    """Set the weights of a loss; those of one that has none do not go into checkpoints, so that they fit plain ones."""
    current = getattr(loss, name)
    if isinstance(current, Tensor) and weight is not None:
        current.copy_(weight)
    elif weight is None:
        setattr(loss, name, None)
    else:
        delattr(loss, name)
        loss.register_buffer(name, weight.to(device), persistent=False)
