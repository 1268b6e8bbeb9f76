"""What a training strategy is; `Strategy` itself is plain training."""

from collections.abc import Iterable

import lightning.pytorch as pl
from torch import Tensor

from imbalance_lab.validation import check_integer, check_number

Prior = tuple[float, ...] | None
"""Class priors (C,), or None where they are unknown."""


class Strategy(pl.Callback):
    """A Lightning callback that changes how one trains: when the loss is re-weighted, what is frozen, which batches.

    Subclass it, override Lightning's hooks, and choose it with ``strategy=mine``, where ``strategy/mine.yaml`` gives
    it a name, and under the name the class as ``_target_``. The constructor is given, by the names of its arguments,
    what it asks for of ``task`` (`imbalance_lab.task.Task`), ``class_counts`` (C,), ``targets`` of the training split,
    ``loss``, ``head``, ``sampler``, ``max_epochs``, ``seed``, and of the prepared inputs ``input_shape`` and
    ``cardinalities``. In the hooks, ``pl_module`` is the `Classifier` with its ``backbone``, ``head`` and ``loss``, and
    ``trainer.datamodule`` has the ``sampler``.

    A strategy with a state overrides ``state_dict`` and ``load_state_dict``, so that a resumed run continues with it.
    """

    first_epoch: int = 0
    """The epoch, from 0, in which it begins to act: `implied_prior` is not asked of a model of an earlier one."""

    @property
    def extra_epochs(self) -> int:
        """Epochs that the strategy adds after ``max_epochs``, as a second stage."""
        return 0

    def mix(self, inputs: Tensor, target: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Change a training batch on the device, after its preparation and before the backbone.

        Args:
            inputs: prepared inputs, (n, …); of several processes each has its share of a batch.
            target: class indices (n,) or labels (n, C).
            keys: (n,) int64, a random seed for each of these draws; take all randomness from them.

        Returns:
            inputs of the same shape, and the target, which may be a distribution over the classes, (n, C).
        """
        return inputs, target

    def leave(self, trainer: pl.Trainer) -> None:
        """Undo what it has put in a place of its own, as another strategy's second stage begins without it."""

    def implied_prior(self, prior: Prior) -> Prior:
        """The class priors that the logits stand for after training.

        Args:
            prior: what sampler, loss and the strategies before this one imply, (C,), or None if unknown.

        Returns:
            the priors (C,), or None if unknown: prior corrections then need ``calibration=bias_corrected``.
        """
        return prior


def fold_priors(prior: Prior, strategies: Iterable[Strategy], epochs: int | None = None) -> Prior:
    """The class priors that the logits stand for after ``epochs`` epochs with ``strategies``, one after the other.

    Args:
        prior: what sampler and loss imply.
        strategies: those that have not begun by then are left out.
        epochs: None for the whole training.
    """
    for strategy in strategies:
        if epochs is None or strategy.first_epoch < epochs:
            prior = strategy.implied_prior(prior)
    return prior


def epoch_at(start: float, max_epochs: int) -> int:
    """The epoch, from 0, at a fraction ``start`` of the training; at the latest the last one.

    Raises:
        TypeError, ValueError: for a fraction that is not in [0, 1).

    >>> epoch_at(0.8, 200), epoch_at(0.8, 2)
    (160, 1)
    """
    check_number("start (a fraction of the epochs)", start, minimum=0, below=1)
    return min(round(start * check_integer("max_epochs", max_epochs, minimum=1)), max_epochs - 1)
