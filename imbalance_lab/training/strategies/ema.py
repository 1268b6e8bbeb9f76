"""Exponential moving average of the weights (Polyak & Juditsky 1992; Tarvainen & Valpola 2017, arXiv 1703.01780)."""

from typing import Any

import lightning.pytorch as pl

from imbalance_lab.training.strategies.weight_average import WeightAverage, Weights, lerp
from imbalance_lab.validation import check_bool, check_number


class EMA(WeightAverage):
    """Evaluates θ̄, which after every optimizer step becomes d θ̄ + (1 − d) θ; θ̄ begins as θ after the first step.

    Args:
        decay: d in [0, 1); 0 evaluates the weights themselves. It looks back over about 1 / (1 − d) steps.
        warmup: whether step t takes min(d, (1 + t) / (10 + t)), so that a short training is not held back by its
            first weights, as TensorFlow's ``ExponentialMovingAverage`` does with ``num_updates``.

    Statistics of batch normalization are averaged likewise.
    """

    def __init__(self, decay: float = 0.999, warmup: bool = True) -> None:
        super().__init__()
        self.decay = check_number("decay", decay, minimum=0, below=1)
        self.warmup = check_bool("warmup", warmup)
        self.step = 0

    def update(self, average: Weights, current: Weights) -> None:
        """θ̄ ← d θ̄ + (1 − d) θ."""
        decay = min(self.decay, (1 + self.count) / (10 + self.count)) if self.warmup else self.decay
        lerp(average, current, 1 - decay)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add the weights after an optimizer step, of which several batches may be a part."""
        if trainer.global_step > self.step:
            self.step = trainer.global_step
            self.add()

    def state_dict(self) -> dict[str, Any]:
        """The last step, too."""
        return super().state_dict() | {"step": self.step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue after that step."""
        super().load_state_dict(state_dict)
        self.step = state_dict["step"]
