"""Lightning's objects of one job: the Trainer, the model, the data and the callbacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.build import (
    allowed_packages,
    instantiate_node,
    instantiate_part,
    require_attributes,
    usage_error,
)
from imbalance_lab.app.callbacks import build_callbacks, build_strategies, callback_nodes
from imbalance_lab.app.distributed import is_first_process, varied_overrides
from imbalance_lab.app.features import feature_splits
from imbalance_lab.app.fitted_head import fit_head
from imbalance_lab.app.ignored_warnings import ignore_warnings
from imbalance_lab.app.instantiate import Experiment
from imbalance_lab.app.launchers import check_launched
from imbalance_lab.app.peers import manage_processes
from imbalance_lab.app.postprocessing import validate_strategies
from imbalance_lab.app.search.pruning import build_pruning
from imbalance_lab.app.without_validation import check_callbacks
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.tags import MONITOR
from imbalance_lab.termination import STOP
from imbalance_lab.validation import did_you_mean

if TYPE_CHECKING:
    import lightning.pytorch as pl

    from imbalance_lab.app.checkpoint import CheckpointContent
    from imbalance_lab.app.evaluate import RunResults
    from imbalance_lab.training.callbacks import BestCheckpoint, LastCheckpoint, PredictionWriter, Pruning
    from imbalance_lab.training.classifier import Classifier
    from imbalance_lab.training.datamodule import DataModule
    from imbalance_lab.training.strategies import Strategy


@dataclass
class Session:
    """Lightning's objects of one job."""

    trainer: "pl.Trainer"
    classifier: "Classifier"
    data: "DataModule"
    best: "BestCheckpoint"
    last: "LastCheckpoint"
    writer: "PredictionWriter"
    loggers: list[Any]
    strategies: "list[Strategy]"
    extra_epochs: int
    pruning: "Pruning | None" = None

    def best_score(self, results: "RunResults") -> float:
        """The monitored validation score of the best model; the macro AUROC if the job only tests, NaN without any."""
        of_val = results.val.macro_auroc.value if results.val else float("nan")
        return of_val if self.best.best_model_score is None else float(self.best.best_model_score)


def build_session(config: DictConfig, experiment: Experiment, directory: RunDirectory) -> Session:
    """Build the objects that need Lightning, and check what needs them."""
    ignore_warnings()
    manage_processes()
    from imbalance_lab.evaluation.predictions import Predictions, describe_examples
    from imbalance_lab.training.callbacks import PredictionWriter
    from imbalance_lab.training.trainer_options import check_trainer

    strategies = build_strategies(config, experiment)
    validate_strategies(config, experiment, strategies)

    def store(split: Any, index: Any, target: Any, logits: Any, of: Any) -> None:
        source = getattr(experiment.splits, split)
        stored = Predictions(experiment.task, index, target, logits, *describe_examples(source, index))
        stored.write(directory.predictions(split, of))

    writer = PredictionWriter(store)
    best, last = _checkpoints(config, directory, writer, is_validated=experiment.splits.val is not None)
    loggers = _loggers(config, directory, experiment.checkpoint)
    pruning = build_pruning(directory, config.monitor) if experiment.splits.val is not None and config.fit else None
    callbacks = [*build_callbacks(config, experiment), *strategies, writer, *([] if pruning is None else [pruning])]
    extra_epochs = sum(each.extra_epochs for each in strategies)
    unvalidated = {"limit_val_batches": 0} if experiment.splits.val is None else {}
    options = {"max_epochs": config.max_epochs + extra_epochs, **unvalidated}
    trainer = _trainer(config, directory, loggers, [*callbacks, *([best, last] if config.fit else [])], options)
    classifier, data = _modules(config, experiment, strategies)
    features = feature_splits(config, experiment, strategies, trainer)
    if features is not None:
        data.splits, data.num_workers = features, 0
    fit_head(config, classifier.head, features, trainer)
    check_trainer(trainer, data, (classifier.backbone, classifier.head), fit=config.fit)
    return Session(trainer, classifier, data, best, last, writer, loggers, strategies, extra_epochs, pruning)


def _checkpoints(
    config: DictConfig, directory: RunDirectory, writer: "PredictionWriter", *, is_validated: bool
) -> "tuple[BestCheckpoint, LastCheckpoint]":
    from imbalance_lab.training.callbacks import BestCheckpoint, LastCheckpoint

    best = BestCheckpoint(
        directory.best_checkpoint,
        config.monitor if is_validated else None,
        config.monitor_mode if is_validated else "min",
        resumed_from=None if config.ckpt_path is None else Path(config.ckpt_path),
        on_save=partial(writer.keep, of="best"),
        stage_1=directory.stage_1_checkpoint,
        on_stage_end=writer.end_stage,
    )
    last = LastCheckpoint(
        directory.last_checkpoint,
        STOP,
        every_minutes=config.checkpoint.every_minutes,
        on_save=partial(writer.keep, of="last"),
    )
    return best, last


def _trainer(
    config: DictConfig, directory: RunDirectory, loggers: list[Any], callbacks: list[Any], options: dict[str, Any]
) -> "pl.Trainer":
    from imbalance_lab.report.terminal import console
    from imbalance_lab.training.checkpoint_io import VerifiedCheckpointIO
    from imbalance_lab.training.trainer_options import look_for_gpus_quickly, own_signals, set_timeout

    resolved: Any = {**OmegaConf.to_container(config.trainer, resolve=True), **options}  # type: ignore[dict-item]
    plugins = resolved.get("plugins") or []
    trainer: pl.Trainer = instantiate_node(
        "trainer",
        OmegaConf.create({key: value for key, value in resolved.items() if key not in ("callbacks", "timeout")}),
        allowed_packages(config),
        default_root_dir=str(directory.path),
        logger=loggers,
        callbacks=callbacks,
        plugins=[*(plugins if isinstance(plugins, list) else [plugins]), VerifiedCheckpointIO()],
        enable_progress_bar=console().is_terminal,
    )
    own_signals(trainer)
    look_for_gpus_quickly()
    set_timeout(trainer, config.trainer.timeout)
    check_launched(trainer)
    return trainer


def _modules(
    config: DictConfig, experiment: Experiment, strategies: "Sequence[Strategy]"
) -> "tuple[Classifier, DataModule]":
    from imbalance_lab.training.classifier import Classifier
    from imbalance_lab.training.datamodule import DataModule

    splits = experiment.splits
    classifier = Classifier(
        experiment.backbone,
        experiment.head,
        experiment.loss,
        task=experiment.task,
        prepare=splits.prepare,
        optimizer=_explained(config, "optimizer", experiment.optimizer),
        scheduler=experiment.scheduler,
        head_lr=config.head_lr,
        head_weight_decay=config.head_weight_decay,
        strategies=strategies,
        seed=config.seed,
        monitors=_monitors(config, experiment),
        hparams={
            "config": OmegaConf.to_container(config, resolve=True),
            "overrides": list(experiment.overrides),
            "task": experiment.task.as_dict(),
            "input_schema": splits.schema.as_dict(),
            "class_counts": splits.class_counts.tolist(),
            "data_fingerprint": splits.fingerprint,
            "initial_weights": experiment.initial_weights,
        },
    )
    data = DataModule(
        splits,
        experiment.sampler,
        batch_size=config.batch_size,
        eval_batch_size=config.eval_batch_size,
        augment=experiment.augment,
        num_workers=config.num_workers,
        seed=config.seed,
    )
    return classifier, data


def _explained(config: DictConfig, part: str, factory: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a factory that Lightning calls later, so that its errors become one sentence."""

    def build(*arguments: Any) -> Any:
        try:
            return factory(*arguments)
        except (ValueError, TypeError) as error:
            raise usage_error(part, config[part], error) from error

    return build


def _monitors(config: DictConfig, experiment: Experiment) -> set[str]:
    """The validation scores that callbacks read; an error for one that is never logged."""
    from imbalance_lab.training.validation_scores import validation_scores

    known = validation_scores(experiment.task)
    wanted = {f"{key}.monitor": node.get("monitor") for key, node in callback_nodes(config).items()}
    if experiment.splits.val is None:
        return check_callbacks(wanted)
    wanted |= {"monitor": config.monitor}
    for key, score in wanted.items():
        if score is not None and score not in known:
            listed = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
            raise UsageError(f"{key}={score} is not logged{did_you_mean(score, known)} (scores: {listed})")
    return {MONITOR, *(score for score in wanted.values() if score is not None)}


def _loggers(config: DictConfig, directory: RunDirectory, resumed: "CheckpointContent | None") -> list[Any]:
    """The chosen logger, and a CSV logger, whose file the report reads."""
    from lightning.pytorch.loggers import CSVLogger

    from imbalance_lab.training.loggers import CSV

    if not is_first_process():
        return []  # the first process logs; another's MLflow would make the same database at the same time
    about = {"overrides": varied_overrides(), "resumed_step": resumed.step if resumed and config.fit else None}
    chosen = instantiate_part(config, "logger", save_dir=str(directory.path), **about)
    if chosen is None:  # logger=none
        return []
    require_attributes("logger", chosen, "log_metrics", "finalize")
    if isinstance(chosen, CSVLogger):
        return [chosen]
    return [CSV(str(directory.path)), chosen]
