"""What a run is too short for: strategies that begin late, and losses that warm up with another one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from imbalance_lab.app.callbacks import strategy_nodes
from imbalance_lab.report.data_summary import print_notes

if TYPE_CHECKING:
    from imbalance_lab.app.session import Session


def warn_before(config: DictConfig, session: "Session") -> None:
    """Warn of what will not begin within ``trainer.max_steps`` and ``trainer.limit_train_batches``."""
    from imbalance_lab.training.trainer_options import batches_per_epoch, planned_epochs, steps_per_epoch

    trainer = session.trainer
    batches = batches_per_epoch(trainer, session.data)
    epochs = planned_epochs(trainer, batches)
    steps = epochs * steps_per_epoch(trainer, batches)
    if trainer.max_steps != -1:
        steps = min(steps, trainer.max_steps)
    draws = steps * trainer.accumulate_grad_batches * session.data.batch_size
    _print(_sentences(config, session, epochs, draws), session)


def warn_after(config: DictConfig, session: "Session") -> None:
    """Warn of what has not begun, because training was stopped early or by a limit of time."""
    trainer = session.trainer
    begun = trainer.fit_loop.epoch_progress.current.ready
    if begun < (trainer.max_epochs or 0) and trainer.global_step != trainer.max_steps:
        _print(_sentences(config, session, begun, None), session)


def _sentences(config: DictConfig, session: "Session", epochs: int, draws: int | None) -> Iterator[str]:
    """A sentence for each part that begins after so many epochs or draws; ``None`` for those that were made."""
    names = {node._target_.rpartition(".")[2]: name.partition(".")[2] for name, node in strategy_nodes(config).items()}
    for strategy in session.strategies:
        if strategy.first_epoch >= epochs:
            name = names.get(type(strategy).__name__, type(strategy).__name__)
            yield (
                f"strategy={name} begins in epoch {strategy.first_epoch + 1}, and training ends in epoch {epochs}: it "
                "has no effect; train for longer, or begin earlier"
            )
    loss = getattr(session.classifier.loss, "copies", [session.classifier.loss])[0]  # of an ensemble, all are alike
    warmup = getattr(loss, "warmup_examples", 0)
    seen = getattr(loss, "seen", 0) if draws is None else draws
    if warmup and int(seen) <= warmup:
        yield (
            f"{type(loss).__name__} trains by cross-entropy for the first {warmup:,} draws of an example, and the run "
            f"has {int(seen):,}: it is never trained with; train for longer, or give loss.warmup=0.2 or less"
        )


def _print(sentences: Iterator[str], session: "Session") -> None:
    found = list(sentences)
    if session.trainer.is_global_zero:
        print_notes(found)
