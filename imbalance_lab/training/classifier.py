"""The LightningModule: prepare → backbone → head → loss, and the scores of each validation epoch."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix, MultilabelConfusionMatrix

from imbalance_lab import seeding
from imbalance_lab.backbones.members import Members, average_members, is_frozen, num_members
from imbalance_lab.data import Batch
from imbalance_lab.losses.members import loss_of_members, mean_member_loss
from imbalance_lab.metrics import OneVsRest
from imbalance_lab.tags import MONITOR, score_tag
from imbalance_lab.task import Task
from imbalance_lab.training.loggers import log_history
from imbalance_lab.training.parameter_groups import parameter_groups
from imbalance_lab.training.strategies import Strategy
from imbalance_lab.training.trainer_options import batches_per_epoch, steps_per_epoch
from imbalance_lab.training.validation_scores import check_logits, score_validation


class Classifier(pl.LightningModule):
    """Trains one net on one loss, and scores it exactly on the validation split, if there is one, after every epoch.

    Args:
        backbone: inputs (N, …) → features (N, F); or of k members (N, k, F), see `imbalance_lab.backbones.members`.
        head: features (N, F) → logits (N, C); of members (N, k, F) → (N, k, C).
        loss: ``loss(logits, target) -> scalar``; a module with its own parameters and buffers.
        task: the classes, and whether an example has one of them or any number of labels.
        prepare: applied to the inputs first, e.g. `imbalance_lab.data.Normalize`; fitted on the training split.
        optimizer: parameters → optimizer, e.g. ``functools.partial(torch.optim.AdamW, lr=1e-3)``.
        scheduler: (optimizer, total steps) → learning-rate scheduler, stepped after every batch; None keeps the rate.
        head_lr, head_weight_decay: learning rate and weight decay of the head; None for the optimizer's own.
        strategies: may change training batches, one after the other; the Trainer has them as callbacks.
        seed: seeds the dropout.
        monitors: the validation scores (see `validation_scores`) that callbacks may read.
        hparams: plain values, saved in every checkpoint.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        loss: nn.Module,
        *,
        task: Task,
        prepare: nn.Module | None = None,
        optimizer: Callable[[Iterable[Any]], Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        head_lr: float | None = None,
        head_weight_decay: float | None = None,
        strategies: Sequence[Strategy] = (),
        seed: int = 0,
        monitors: Collection[str] = (MONITOR,),
        hparams: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.prepare = prepare or nn.Identity()
        self.backbone = backbone.to(memory_format=torch.channels_last)  # faster convolutions, also on CPUs
        self.head = head
        self.loss = loss_of_members(loss, num_members(backbone))
        # Of members without a common weight the sum is minimized: each is trained as it would be alone.
        self.loss_scale = 1 if getattr(backbone, "shares_weights", False) else num_members(backbone)
        self.task = task
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.head_options = {"lr": head_lr, "weight_decay": head_weight_decay}
        self.schedule_epochs: int | None = None  # that the schedule spans; None for all
        self.schedule_start = 0  # optimizer steps before it
        self.strategies = tuple(strategies)
        self.seed = seed
        self.save_hyperparameters(dict(hparams or {}), logger=False)
        self.monitors = frozenset(monitors)
        self.ranking = OneVsRest(task.ranking_task, task.num_classes, from_logits=True)
        confusion_class = MultilabelConfusionMatrix if task.is_multilabel else MulticlassConfusionMatrix
        self.confusion = confusion_class(task.num_classes, validate_args=False)
        self.train_loss = MeanMetric(nan_strategy="disable")  # looking for NaN would wait for the GPU at every step
        self.val_loss = MeanMetric()
        self.history: list[tuple[int, dict[str, float]]] = []
        self.health: list[Tensor] = []

    def train(self, mode: bool = True) -> Self:
        """Set the mode; a frozen backbone stays in evaluation mode: no dropout, batch norms keep their statistics."""
        super().train(mode)
        if is_frozen(self.backbone):
            self.backbone.eval()
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """Raw inputs (N, …) → logits (N, C); of several members those of their mean probabilities."""
        logits: Tensor = self.head(self.backbone(self.prepare(inputs)))
        return average_members(logits, self.task.activation)

    def features(self, batch: Batch, prepared: Tensor | None = None) -> Tensor:
        """The features (n, F), or (n, k, F), of a batch, of its ``prepared`` inputs if they are given."""
        if batch.is_features:
            return self.backbone.share(batch.input) if isinstance(self.backbone, Members) else batch.input
        features: Tensor = self.backbone(self.prepare(batch.input) if prepared is None else prepared)
        return features

    def on_fit_start(self) -> None:
        """Log the epochs before a resume, which a new run directory lacks."""
        log_history(self.loggers, self.history)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed the global generator (dropout) by step and rank, so that a resumed run repeats it."""
        key = seeding.hash_seeds(self.seed, self.global_step, self.global_rank) >> 1
        # Not torch.manual_seed: on a machine without a GPU that costs 2 ms.
        torch.default_generator.manual_seed(key)
        if self.device.type != "cpu":
            torch.get_device_module(self.device).manual_seed(key)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """The loss of a batch, and for `NonFiniteGuard` a number that is finite if the prepared inputs and it are.

        None where nothing is trained, because the head was fitted at once.
        """
        prepared, target = batch.input if batch.is_features else self.prepare(batch.input), batch.target
        for strategy in self.strategies:
            prepared, target = strategy.mix(prepared, target, batch.sample_seed)
        loss = mean_member_loss(self.loss, self.head(self.features(batch, prepared)), target, batch.index)
        value = loss.detach()
        self.health.append(value + 0 * prepared.detach().sum())
        self.train_loss.update(value.nan_to_num(0, 0, 0), len(batch.target) * value.isfinite())
        if not loss.requires_grad:
            return None
        return loss if self.loss_scale == 1 else loss * self.loss_scale

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Validate after the very last step too, where ``max_steps`` ends a run within an epoch."""
        if self.global_step == self.trainer.max_steps:
            self.trainer.should_stop = True  # at a stop Lightning validates, at max_steps it does not

    def validation_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Collect a batch's scores; return its logits (n, C), float32 whatever the precision of training."""
        logits = self._exact_logits(batch)
        self.ranking.update(logits, self.task.ranking_target(batch.target))
        self.confusion.update(self.task.predict_labels(logits), batch.target)
        self.val_loss.update(self.loss(logits, batch.target), len(batch.target))
        return logits

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The logits (n, C) of a batch; they are scored from the stored predictions."""
        return self._exact_logits(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the epoch's scores: one row for CSV and TensorBoard, the monitored ones for the callbacks too."""
        scores = self._validation_scores()
        if self.trainer.state.fn == "fit":
            scores |= self._training_scores()
        for tag in sorted(self.monitors & scores.keys()):
            self._log_score(tag, scores[tag])
        if self.trainer.state.fn == "fit":
            self._log_epoch(scores)

    def on_train_epoch_end(self) -> None:
        """Log the training loss and the learning rate of an epoch where no validation does it."""
        if not self.trainer.enable_validation:
            self._log_epoch(self._training_scores())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store what a resumed run continues: the scores of the epochs, and the training loss since the last ones."""
        state = torch.stack([self.train_loss.mean_value, self.train_loss.weight])
        everyone = [torch.empty_like(state) for _ in range(self.trainer.world_size)]
        if len(everyone) > 1:
            torch.distributed.all_gather(everyone, state)
        else:
            everyone = [state]
        checkpoint["history"] = [{"step": step, **scores} for step, scores in self.history]
        checkpoint["train_loss"] = torch.stack(everyone).cpu()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Continue with what `on_save_checkpoint` stored; with another number of processes, the first has their sum."""
        self.history = [(int(row.pop("step")), row) for row in map(dict, checkpoint.get("history", []))]
        shares: Tensor | None = checkpoint.get("train_loss")
        if shares is None or self._trainer is None:
            return
        rank, world_size = self.global_rank, self.trainer.world_size
        own = shares[rank] if len(shares) == world_size else shares.sum(0) * (rank == 0)
        self.train_loss.mean_value, self.train_loss.weight = own.to(self.train_loss.mean_value.device).unbind()

    def _validation_scores(self) -> dict[str, float]:
        """The scores of the epoch's validation by tag, NaN where undefined."""
        confusion = self.confusion.compute().cpu().numpy()
        scores = score_validation(self.task, self.ranking.compute(), confusion, float(self.val_loss.compute()))
        for metric in (self.ranking, self.confusion, self.val_loss):
            metric.reset()
        return scores

    def _training_scores(self) -> dict[str, float]:
        """The mean training loss since the last validation, and the learning rate."""
        tag = score_tag("train", "loss")
        loss = float(self.train_loss.compute())
        self.train_loss.reset()
        self._log_score(tag, loss)
        groups = self.trainer.optimizers[0].param_groups  # none of a head that was fitted at once
        return {tag: loss} | ({"lr": groups[0]["lr"]} if groups else {})

    def configure_optimizers(self) -> Any:
        """Parameter groups: the backbone, the head, and the loss's own parameters without weight decay."""
        groups = parameter_groups(self.backbone, self.head, self.loss, self.head_options)
        if not groups:
            return None  # the head was fitted at once
        optimizer = self.make_optimizer(groups)
        if self.make_scheduler is None:
            return optimizer
        return [optimizer], [{"scheduler": self.make_scheduler(optimizer, self._total_steps()), "interval": "step"}]

    def _total_steps(self) -> int:
        """Optimizer steps of the schedule: of the whole run, or of a stage of it.

        Lightning's own estimate would create the training loader before a checkpoint's progress is restored, and the
        loader would then start at the wrong batch.
        """
        trainer: Any = self.trainer
        batches = batches_per_epoch(trainer, trainer.datamodule)
        epochs = self.schedule_epochs or trainer.max_epochs
        steps: int = steps_per_epoch(trainer, batches) * epochs
        return steps if trainer.max_steps == -1 else int(min(steps, trainer.max_steps - self.schedule_start))

    def _log_epoch(self, scores: Mapping[str, float]) -> None:
        """Add the defined scores of an epoch to the history and the loggers."""
        defined = {"epoch": float(self.current_epoch)} | {k: v for k, v in scores.items() if not math.isnan(v)}
        self.history.append((self.global_step, defined))
        for logger in self.loggers:
            logger.log_metrics(defined, self.global_step)

    def _log_score(self, name: str, value: float) -> None:
        """Pass a score to the progress bar and the callbacks; it is already the same in every process."""
        self.log(name, value, prog_bar=True, logger=False, sync_dist=True)

    def _exact_logits(self, batch: Batch) -> Tensor:
        # Half precision changes AUROC by up to 8e-4, more than many differences between runs.
        with torch.autocast(self.device.type, enabled=False):
            logits = average_members(self.head(self.features(batch)), self.task.activation).float()
        data: Any = self.trainer
        check_logits(logits, batch.index, data.datamodule.tested if self.trainer.testing else "validation")
        return logits
