"""What a training strategy is; `Strategy` itself is plain training."""

import lightning.pytorch as pl


class Strategy(pl.Callback):
    """A Lightning callback that changes how one trains: when the loss is re-weighted, what is frozen, which batches.

    Subclass it, override Lightning's hooks, and choose it with ``strategy=mine``, where ``strategy/mine.yaml`` names
    the class by ``_target_``. The constructor is given, by the names of its arguments, what it asks for of ``task``
    (`imbalance_lab.task.Task`), ``class_counts`` (C,), ``max_epochs`` and ``seed``. In the hooks, ``pl_module`` is the
    `Classifier` with its ``backbone``, ``head`` and ``loss``, and ``trainer.datamodule`` has the ``sampler``.

    A strategy with a state overrides ``state_dict`` and ``load_state_dict``, so that a resumed run continues with it.
    """

    def implied_prior(self, prior: tuple[float, ...]) -> tuple[float, ...] | None:
        """The class priors that the logits stand for after training.

        Args:
            prior: what sampler and loss imply without the strategy, (C,).

        Returns:
            the priors (C,), or None if unknown: prior corrections then need ``calibration=bias_corrected``.
        """
        return prior
