"""One run: config → objects → fit → test → what the run directory holds.

Whatever the config can get wrong is built and checked before Lightning, which takes seconds, is imported.
"""

import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from imbalance_lab import keyed
from imbalance_lab.cli import UsageError, ddp_command, refuse
from imbalance_lab.data import Splits
from imbalance_lab.samplers import Sampler

MONITOR = "val/auroc/macro"

NOISE = (
    ".*LeafSpec.*",  # Lightning 2.6 calls torch's pytree by its old way
    "Experiment logs directory .* exists and is not empty",  # it is new, but Hydra has put the config into it
    # It goes by whether a loader stores a state; ours needs none, its order follows from seed and epoch.
    "You're resuming from a checkpoint that ended before the epoch ended",
    "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint",  # testing saves no checkpoints
    # DDP says so of every convolution with one input channel, whose strides are ambiguous.
    "Grad strides do not match bucket view strides",
)
"""Third parties' warnings that say nothing to a user of this program."""


@dataclass(frozen=True)
class Parts:
    """What the config describes, apart from what needs Lightning."""

    splits: Splits
    loss: nn.Module
    backbone: nn.Module
    head: nn.Module
    sampler: Sampler
    augment: Callable[[Tensor, Tensor], Tensor]
    optimizer: Callable[..., torch.optim.Optimizer]
    scheduler: Callable[..., torch.optim.lr_scheduler.LRScheduler]


def run(config: DictConfig) -> float:
    """Train (unless ``fit=false``), test, and write the run directory; return the validation macro AUROC."""
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    if hydra.mode == RunMode.MULTIRUN:
        print(f"\nrun {hydra.job.num}  {' '.join(hydra.overrides.task)}", flush=True)
    try:
        with _status(directory):
            return fit_and_test(config, build_parts(config), directory)
    except (UsageError, FloatingPointError) as mistake:
        if hydra.mode == RunMode.MULTIRUN:  # Hydra goes on with the other runs, and tells of this one at the end
            raise UsageError(str(mistake)) from mistake
        refuse(str(mistake))
    finally:
        _leave_process_group()


def build_parts(config: DictConfig) -> Parts:
    """Build, and so check, what the config describes.

    Raises:
        UsageError: naming the part of the config that is wrong.
    """
    _check_job(config)
    optimizer, scheduler = _build(config, "optimizer"), _build(config, "scheduler")
    _try(config, optimizer, scheduler)
    splits: Splits = _build(config, "data")
    if config.ckpt_path is not None:
        _check_checkpoint(config, splits.classes)
    loss = _build(config, "loss", class_counts=splits.class_counts)
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn on the CPU, whatever they are moved to
        torch.default_generator.manual_seed(keyed.fold(config.seed) >> 1)
        backbone = _build(config, "backbone", input_shape=tuple(splits.train.inputs.shape[1:]))
        sizes = {"in_features": backbone.num_features, "out_features": len(splits.classes)}
        head = _build(config, "head", **sizes, num_classes=len(splits.classes))
    sampler = _build(config, "sampler", targets=splits.train.targets, seed=config.seed)
    return Parts(splits, loss, backbone, head, sampler, _build(config, "augment"), optimizer, scheduler)


def fit_and_test(config: DictConfig, parts: Parts, directory: Path) -> float:
    """Fit, test the best model, and write ``directory``; return the validation macro AUROC (NaN on other processes)."""
    for message in NOISE:
        warnings.filterwarnings("ignore", message=message)
    import lightning.pytorch as pl

    from imbalance_lab.callbacks import BestCheckpoint, PredictionWriter
    from imbalance_lab.classifier import Classifier, Normalise
    from imbalance_lab.data.datamodule import DataModule
    from imbalance_lab.report.screen import console
    from imbalance_lab.report.tensorboard import CurveFigures

    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # no notes on what hardware there is not
    _repeat_only_this_job()
    splits = parts.splits
    terminal = console().is_terminal
    best = BestCheckpoint(directory / "checkpoints", MONITOR)
    writer = PredictionWriter(directory / "predictions", splits.classes)
    trainer: pl.Trainer = _build(
        config,
        "trainer",
        default_root_dir=str(directory),
        logger=_loggers(directory),
        callbacks=[
            *([best] if config.fit else []),
            writer,
            _progress(terminal),
            CurveFigures(splits.class_counts.tolist()),
        ],
        enable_progress_bar=terminal,
    )
    if config.batch_size < trainer.world_size:
        raise UsageError(
            f"batch_size={config.batch_size} cannot be shared by {trainer.world_size} processes: "
            f"choose batch_size ≥ {trainer.world_size}, the examples of a step over all of them"
        )
    classifier = Classifier(
        parts.backbone,
        parts.head,
        parts.loss,
        classes=splits.classes,
        normalise=Normalise.fitted(splits.train.inputs),
        optimizer=parts.optimizer,
        scheduler=parts.scheduler,
        seed=config.seed,
        hparams={
            "config": OmegaConf.to_container(config, resolve=True),
            "classes": list(splits.classes),
            "class_counts": splits.class_counts.tolist(),
        },
    )
    data = DataModule(
        splits,
        parts.sampler,
        batch_size=config.batch_size,
        augment=parts.augment,
        num_workers=config.num_workers,
        seed=config.seed,
    )
    checkpoint = config.ckpt_path
    if config.fit:
        trainer.fit(classifier, data, ckpt_path=checkpoint, weights_only=True)
        checkpoint = best.best_model_path
    loggers, trainer.loggers = trainer.loggers, []  # each loop would begin an event file of its own
    for evaluate in (trainer.validate, trainer.test):
        evaluate(classifier, data, ckpt_path=checkpoint, weights_only=True, verbose=False)
    if not trainer.is_global_zero:
        return float("nan")
    return _review(directory, splits, checkpoint, loggers, trainer.global_step)


def _review(directory: Path, splits: Splits, checkpoint: str, loggers: list[Any], step: int) -> float:
    """Score the stored predictions; write, log and print what came out."""
    from imbalance_lab.evaluation import Evaluation, operating_point
    from imbalance_lab.predictions import Predictions
    from imbalance_lab.report.curves import draw_pr, draw_roc, write_curves
    from imbalance_lab.report.screen import console, evaluation_table, summary_lines

    counts = splits.class_counts.tolist()
    stored = {split: Predictions.read(directory / "predictions" / f"{split}.parquet") for split in ("val", "test")}
    val, test = (Evaluation(stored[split], counts) for split in ("val", "test"))
    _write_json(
        directory / "metrics.json",
        {"checkpoint": os.path.relpath(checkpoint, directory), "val": val.as_json(), "test": test.as_json()},
    )
    _write_json(directory / "operating_point.json", operating_point(stored["val"], counts))
    for name, draw in (("roc", draw_roc), ("pr", draw_pr)):
        draw(splits.classes, test.rankings, counts).savefig(directory / f"{name}.png")
    write_curves(directory / "curves.csv", splits.classes, test.rankings)
    for logger in loggers:
        logger.log_metrics(test.scalars("test"), step)
        logger.save()
    out = console()
    out.print(evaluation_table(test, f"Test scores of {_shown(Path(checkpoint))}"))
    for line in summary_lines(test):
        out.print(line)
    out.print(f"\n{_shown(directory)}")
    return val.macro_auroc.value


def _shown(path: Path) -> str:
    """Relative to where the user is, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _check_job(config: DictConfig) -> None:
    """What the config says about the job itself."""
    for key, least in {"seed": 0, "batch_size": 1, "num_workers": 0, "max_epochs": 1}.items():
        if isinstance(config[key], bool) or not isinstance(config[key], int) or config[key] < least:
            raise UsageError(f"{key} must be a whole number ≥ {least}, got {config[key]!r}")
    if not isinstance(config.fit, bool):
        raise UsageError(f"fit must be true or false, got {config.fit!r}")
    if config.ckpt_path is None:
        if not config.fit:
            raise UsageError("fit=false tests an existing model: name it with ckpt_path=RUN/checkpoints/best.ckpt")
    elif not Path(config.ckpt_path).is_file():
        raise UsageError(f"ckpt_path={config.ckpt_path} is no file: name a checkpoint, as in RUN/checkpoints/last.ckpt")


def _check_checkpoint(config: DictConfig, classes: tuple[str, ...]) -> None:
    """Refuse a checkpoint of another model, by what to write on the command line to have that one."""
    try:
        hparams = torch.load(config.ckpt_path, map_location="cpu", weights_only=True)["hyper_parameters"]
        trained, trained_classes = hparams["config"], hparams["classes"]
    except Exception as error:  # whatever unpickling a file that is no checkpoint of ours may raise
        raise UsageError(f"ckpt_path={config.ckpt_path} is no checkpoint of this program that can be read") from error
    if tuple(trained_classes) != classes:
        raise UsageError(
            f"ckpt_path={config.ckpt_path} tells {len(trained_classes)} classes apart, {trained_classes[0]!r} …, "
            f"but the data have {len(classes)}, {classes[0]!r} …: choose the data that it was trained on"
        )
    needed = []
    for part in ("backbone", "head", "loss"):
        here: Any = OmegaConf.to_container(config[part], resolve=True)
        there = trained[part]
        if here["_target_"] != there["_target_"]:
            needed.append(f"{part}._target_={there['_target_']}")
        needed += [
            f"'{part}.{key}={value}'" for key, value in there.items() if key[0] != "_" and value != here.get(key)
        ]
    if needed:
        raise UsageError(f"ckpt_path={config.ckpt_path} holds another model: add {' '.join(needed)}")


def _build(config: DictConfig, part: str, **arguments: Any) -> Any:
    """Instantiate ``config[part]`` with those of ``arguments`` that it takes; refuse what makes no sense to it."""
    try:
        takes = signature(get_object(config[part]._target_)).parameters
        if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in takes.values()):
            arguments = {name: value for name, value in arguments.items() if name in takes}
        return instantiate(config[part], **arguments)
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ValueError | TypeError | OSError | ImportError) or _is_lightnings(cause):
            raise _mistake(config, part, cause) from error
        raise
    except (ValueError, ImportError) as error:
        raise _mistake(config, part, error) from error


def _mistake(config: DictConfig, part: str, error: BaseException | None) -> UsageError:
    """Say which part of the config is wrong; a TypeError seldom tells by itself what was given."""
    given = " ".join(f"{key}={value}" for key, value in config[part].items() if not key.startswith("_"))
    return UsageError(f"{part}: {' '.join(str(error).split())}" + (f" (given {given})" * isinstance(error, TypeError)))


def _is_lightnings(error: BaseException | None) -> bool:
    # By name: an error in the loss must not wait for the import of Lightning.
    return type(error).__name__ == "MisconfigurationException"


def _try(config: DictConfig, optimizer: Callable[..., Any], scheduler: Callable[..., Any]) -> None:
    """Build both for one parameter: they are functions until the model is there, and would complain only then."""
    parts = {"optimizer": optimizer, "scheduler": scheduler}
    part = "optimizer"
    try:
        built = parts[part]([nn.Parameter(torch.zeros(1))])
        part = "scheduler"
        parts[part](built, 100)
    except (ValueError, TypeError) as error:
        raise _mistake(config, part, error) from error


def _loggers(directory: Path) -> list[Any]:
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    return [
        CSVLogger(directory, name="", version="", flush_logs_every_n_steps=1),
        TensorBoardLogger(directory, name="", version=""),
    ]


def _progress(terminal: bool) -> Any:
    """A bar on a terminal, a line an epoch elsewhere."""
    from lightning.pytorch.callbacks import RichProgressBar

    from imbalance_lab.callbacks import EpochLines

    return RichProgressBar(refresh_rate=10, leave=False) if terminal else EpochLines()


@contextmanager
def _status(directory: Path) -> Iterator[None]:
    """Keep `status.json` true: a sweep goes on after a failed run, and its table says why that one has no scores."""
    if int(os.environ.get("LOCAL_RANK", 0)) or int(os.environ.get("NODE_RANK", 0)):
        yield
        return
    start = time.monotonic()
    status: dict[str, Any] = {"state": "running", "started": datetime.now().astimezone().isoformat(timespec="seconds")}
    _write_json(directory / "status.json", status)
    try:
        yield
        status["state"] = "finished"
    except BaseException as error:
        status |= {"state": "failed", "error": str(error) or type(error).__name__}
        raise
    finally:
        status["seconds"] = round(time.monotonic() - start, 1)
        _write_json(directory / "status.json", status)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write the file whole or not at all; NaN is refused, undefined is null."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


def _repeat_only_this_job() -> None:
    """Have Lightning start the other processes of DDP by `ddp_command`."""
    from lightning.fabric.strategies.launchers import subprocess_script as fabric
    from lightning.pytorch.strategies.launchers import subprocess_script as pytorch

    for module in (fabric, pytorch):
        module._hydra_subprocess_cmd = ddp_command  # type: ignore[attr-defined]


def _leave_process_group() -> None:
    """Let the next run of a sweep start its own processes: undo what Lightning did to this one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        for name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
            os.environ.pop(name, None)
