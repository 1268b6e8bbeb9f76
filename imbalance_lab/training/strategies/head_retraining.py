"""Training in two stages: first the whole net, then its head alone (Kang et al. 2020, arXiv 1910.09217)."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor, nn

from imbalance_lab.checkpoint_file import part_of, read_checkpoint_file
from imbalance_lab.errors import UsageError
from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.stage_change import (
    begin_anew,
    check_processes,
    early_stoppings,
    is_stopped_early,
    keep_best,
    leave_out_others,
    renew_optimizers,
    sample_classes_equally,
)
from imbalance_lab.training.strategies.strategy import Prior, Strategy
from imbalance_lab.validation import check_bool, check_choice, check_integer, check_number

Weights = Literal["best", "last"]


class HeadRetraining(Strategy, Checkpoint):
    """What all trainings in two stages have in common: a stage 2 of ``epochs`` more, in which only the head is trained.

    Stage 1 is the run as it is without the strategy, of ``max_epochs`` or until it is stopped early. Then the backbone
    is frozen in evaluation mode, so that its weights and the statistics of its batch normalization do not change;
    optimizer, schedule and early stopping begin anew for the head; the loss is a softmax cross-entropy; no other
    strategy acts; and the best epoch is chosen among those of stage 2. Stage 1's best model is kept in a checkpoint of
    its own.

    Every checkpoint is one of the plain net, with the head and the loss that the run was started with.

    It is one of Lightning's ``Checkpoint`` callbacks only so that Lightning calls it after early stopping, which ends
    stage 1 and not the run.

    Args:
        task: of the data; one class an example.
        max_epochs: of stage 1.
        seed: decides the order of the examples, and the head's new weights.
        epochs: of stage 2.
        weights: the model of stage 1 that stage 2 begins with: of its "best" epoch by the monitored score, or of its
            "last" one, as in the papers, which select no epoch.
        lr: learning rate of the head in stage 2; None for that of stage 1.
        class_balanced: whether stage 2 draws classes with equal probability, and not examples.

    Raises:
        TypeError, ValueError: for invalid arguments, and a task with labels or a loss with a sigmoid.
    """

    def __init__(
        self,
        *,
        task: Task,
        max_epochs: int,
        seed: int,
        epochs: int,
        weights: Weights,
        lr: float | None,
        class_balanced: bool = True,
    ) -> None:
        if task.activation == "sigmoid":
            what = "labels have no class of an example" if task.is_multilabel else "the loss goes with a sigmoid"
            raise ValueError(f"stage 2 trains the head by a softmax cross-entropy, but {what}: leave this strategy out")
        self.num_classes = task.num_classes
        self.max_epochs, self.seed = max_epochs, seed
        self.epochs = check_integer("epochs", epochs, minimum=1)
        self.weights = check_choice("weights", weights, ("best", "last"))
        self.lr = None if lr is None else check_number("lr", lr, above=0)
        self.class_balanced = check_bool("class_balanced", class_balanced)
        self.stopped_after: int | None = None  # epochs of stage 1, if it was stopped early
        self.began: int | None = None  # the first epoch of stage 2, from 0; None in stage 1
        self.first_step = 0
        self.original: tuple[nn.Module, nn.Module] | None = None  # head and loss of stage 1, while stage 2 runs

    @property
    def first_epoch(self) -> int:  # type: ignore[override]  # it is known only when stage 1 has ended
        """The first epoch of stage 2, from 0."""
        planned = self.max_epochs if self.stopped_after is None else self.stopped_after
        return planned if self.began is None else self.began

    @property
    def extra_epochs(self) -> int:
        """Those of stage 2."""
        return self.epochs

    @abstractmethod
    def check_head(self, head: nn.Module) -> None:
        """Raise a ValueError for a head that cannot be trained so, before stage 1."""

    @abstractmethod
    def prepare_head(self, head: nn.Module) -> None:
        """Change the weights of the head at the start of stage 2."""

    def trained_head(self, head: nn.Module) -> nn.Module:
        """The module that is trained in stage 2 in the place of the head, which may be the head."""
        return head

    def plain_head(self, trained: nn.Module) -> nn.Module:
        """The head that computes what ``trained`` does, of the class that the run was started with."""
        return trained

    def head_loss(self) -> nn.Module:
        """The loss of stage 2."""
        return CrossEntropyLoss()

    def head_options(self) -> dict[str, float]:
        """Options of the optimizer for the head in stage 2."""
        return {} if self.lr is None else {"lr": self.lr}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Check the model and the Trainer, and let the schedule of stage 1 end with it.

        Raises:
            UsageError: naming what cannot be trained in two stages.
        """
        if stage != "fit":
            return
        module: Any = pl_module
        try:
            self.check_head(module.head)
            check_processes(trainer)
        except ValueError as error:
            raise UsageError(f"strategy: {error}") from error
        module.schedule_epochs = self.max_epochs

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin stage 2 when stage 1 has ended."""
        if self.began is None and trainer.current_epoch >= self.first_epoch:
            self._begin(trainer, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """In stage 1, let early stopping end the stage, not the run."""
        if self.began is not None or not is_stopped_early(trainer) or trainer.global_step == trainer.max_steps:
            return
        trainer.should_stop = False
        self.stopped_after = trainer.current_epoch + 1
        trainer.fit_loop.max_epochs = self.stopped_after + self.epochs

    def state_dict(self) -> dict[str, Any]:
        """Where stage 2 begins, or began."""
        return {"stopped_after": self.stopped_after, "began": self.began, "first_step": self.first_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Where stage 2 began in the training of a checkpoint."""
        self.stopped_after, self.began = state_dict["stopped_after"], state_dict["began"]
        self.first_step = state_dict["first_step"]

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """In stage 2, save the plain net, and that it is of stage 2."""
        if self.original is None:
            return
        module: Any = pl_module
        checkpoint["stage"] = 2
        weights: dict[str, Tensor] = checkpoint["state_dict"]
        for part, original in (("head", self.plain_head(module.head)), ("loss", self.original[1])):
            for name in [name for name in weights if name.startswith(f"{part}.")]:
                del weights[name]
            weights |= original.state_dict(prefix=f"{part}.")

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Continue in the stage of the checkpoint; Lightning makes and restores the optimizers after this."""
        module: Any = pl_module
        state = checkpoint["callbacks"].get(self.state_key)
        if trainer.state.fn != "fit" or state is None:
            return
        self.load_state_dict(state)
        if self.stopped_after is not None:
            trainer.fit_loop.max_epochs = self.stopped_after + self.epochs
        if self.began is not None:
            self._enter(trainer, pl_module)
            self.restore_head(module.head, state)

    def restore_head(self, trained: nn.Module, state: Mapping[str, Any]) -> None:
        """Restore what the plain head, whose weights are restored already, does not hold."""

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put the plain head and the loss of stage 1 back, whose weights the checkpoints have."""
        if self.original is not None:
            module: Any = pl_module
            module.head, module.loss = self.plain_head(module.head), self.original[1]
            self.original = None

    def _begin(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        module: Any = pl_module
        kept = keep_best(trainer)
        if kept is not None and self.weights == "best":
            content = read_checkpoint_file(kept)["state_dict"]
            for part in ("backbone", "head"):
                getattr(module, part).load_state_dict(part_of(content, part))
        for each in early_stoppings(trainer):
            begin_anew(each)
        self.began, self.first_step = trainer.current_epoch, trainer.global_step
        self.prepare_head(module.head)
        self._enter(trainer, pl_module)
        renew_optimizers(trainer)
        if trainer.is_global_zero:
            print(f"stage 2: only the head is trained, for {self.epochs} epochs", flush=True)

    def _enter(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Freeze the backbone, and put in the place what stage 2 trains, and with what."""
        module: Any = pl_module
        module.backbone.requires_grad_(False).eval()
        module.backbone.zero_grad(set_to_none=True)
        self.original = (module.head, module.loss)
        module.head = self.trained_head(module.head)
        module.loss = self.head_loss().to(module.device)
        module.strategies = ()
        leave_out_others(trainer, self)
        module.head_options = module.head_options | self.head_options()
        module.schedule_epochs, module.schedule_start = self.epochs, self.first_step
        if self.class_balanced:
            sample_classes_equally(trainer, self.seed)

    def implied_prior(self, prior: Prior) -> Prior:
        """Unknown, unless a subclass knows it."""
        return None
