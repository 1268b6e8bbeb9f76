"""From the configuration to the objects that it describes, each checked as it is built.

Nothing here imports Lightning, which takes seconds: a mistake is reported before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from imbalance_lab import seeding
from imbalance_lab.app.build import instantiate_part
from imbalance_lab.app.checkpoint import adopt_checkpoint, check_classes, check_shapes
from imbalance_lab.app.postprocessing import validate_postprocessing
from imbalance_lab.app.validate_config import validate_config
from imbalance_lab.data import Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.samplers import Sampler
from imbalance_lab.task import Task


@dataclass(frozen=True)
class Experiment:
    """What the configuration describes, apart from what needs Lightning."""

    splits: Splits
    task: Task
    loss: nn.Module
    backbone: nn.Module
    head: nn.Module
    sampler: Sampler
    augment: Callable[[Tensor, Tensor], Tensor]
    optimizer: Callable[..., torch.optim.Optimizer]
    scheduler: Callable[..., torch.optim.lr_scheduler.LRScheduler]
    train_prior: tuple[float, ...] | None
    overrides: Sequence[str] = ()


def instantiate_experiment(config: DictConfig, overrides: Sequence[str] = ()) -> Experiment:
    """Build, and so check, what the configuration describes.

    Args:
        config: with ``ckpt_path`` and ``fit=false``, its backbone, head and loss become those of the checkpoint.
        overrides: of the command line, ``KEY=VALUE``.

    Raises:
        UsageError: naming the part of the configuration that is wrong.
    """
    validate_config(config)
    optimizer, scheduler = instantiate_part(config, "optimizer"), instantiate_part(config, "scheduler")
    augment = instantiate_part(config, "augment")
    checkpoint = None if config.ckpt_path is None else adopt_checkpoint(config, overrides)
    splits: Splits = instantiate_part(config, "data", schema=None if checkpoint is None else checkpoint.schema)
    loss = _loss(config, splits)
    task = replace(splits.task, activation=_activation(loss, splits.task))
    backbone, head = _net(config, splits, task)
    if checkpoint is not None:
        check_classes(checkpoint, task)
        check_shapes(checkpoint, {"prepare": splits.prepare, "backbone": backbone, "head": head})
    sampler = instantiate_part(
        config,
        "sampler",
        targets=splits.train.targets,
        seed=config.seed,
        max_epochs=config.max_epochs,
        batch_size=config.batch_size,
    )
    prior = train_prior(loss, sampler, splits.class_counts)
    validate_postprocessing(config, task, prior)
    return Experiment(
        splits, task, loss, backbone, head, sampler, augment, optimizer, scheduler, prior, tuple(overrides)
    )


def train_prior(loss: nn.Module, sampler: Sampler, class_counts: Tensor) -> tuple[float, ...] | None:
    """The class priors that the logits stand for after training with this sampler and loss, so that none counts twice.

    None where the sampler or the loss does not say.
    """
    if not (hasattr(sampler, "class_priors") and hasattr(loss, "implied_prior")):
        return None
    share: Any = sampler.class_priors(class_counts)
    implied: Any = loss.implied_prior
    prior = implied(share.double() / share.double().sum())
    return None if prior is None else tuple(prior.tolist())


def _loss(config: DictConfig, splits: Splits) -> nn.Module:
    labels = {"num_labels": splits.task.num_classes} if splits.task.is_multilabel else {}
    loss: nn.Module = instantiate_part(config, "loss", class_counts=splits.class_counts, **labels)
    if not splits.task.is_multilabel:
        return loss
    own = getattr(loss, "num_labels", None)
    if own is not None and own != splits.task.num_classes:
        raise UsageError(f"loss: num_labels={own}, but the data have {splits.task.num_classes} labels: leave it null")
    if own is None and getattr(loss, "activation", "softmax") != "sigmoid":
        raise UsageError(
            "the data are multilabel, but the loss takes one class an example: "
            "choose loss=sigmoid_focal, asymmetric or auc_margin"
        )
    return loss


def _activation(loss: nn.Module, task: Task) -> Any:
    return task.activation if task.is_multilabel else getattr(loss, "activation", "softmax")


def shares_seen(loss: nn.Module, sampler: Sampler, counts: list[int]) -> tuple[float, ...] | None:
    """The class shares that the logits stand for after training with this sampler and loss (see `implied_prior`).

    None where they stand for none that is known: after losses with margins, scaled logits or independent labels.
    """
    from imbalance_lab.posthoc import implied_prior

    drawn = getattr(sampler, "class_priors", None)
    if drawn is None:
        return None
    shares = drawn(torch.tensor(counts)).tolist()

    def train_prior(tau: float = 0.0, weight: list[float] | None = None) -> tuple[float, ...]:
        weighed = shares if weight is None else [share * each for share, each in zip(shares, weight, strict=True)]
        return implied_prior(counts, 0.0, tau, weighed)

    match loss:
        case losses.LogitAdjustedLoss():
            return train_prior(loss.tau)
        case nn.CrossEntropyLoss():
            return train_prior(weight=None if loss.weight is None else loss.weight.tolist())
        case losses.FocalLoss():
            one_each = torch.zeros(1, len(counts))
            alpha = None if loss.alpha is None else spread(loss.alpha, loss.background_class, one_each).tolist()
            return None if alpha and not all(alpha) else train_prior(weight=alpha)
        case losses.PolyLoss():
            return train_prior()
        case _:
            return None


def build(config: DictConfig, part: str, **arguments: Any) -> Any:
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


def _check_job(config: DictConfig) -> None:
    """What the config says about the job itself."""
    for key in sorted(OmegaConf.missing_keys(config)):
        group = key.split(".")[0]
        raise UsageError(f"{key} is missing: add {key}=… (python train.py --help {group}=… tells what it is)")
    for key, least in {"seed": 0, "batch_size": 1, "num_workers": 0, "max_epochs": 1}.items():
        if isinstance(config[key], bool) or not isinstance(config[key], int) or config[key] < least:
            raise UsageError(f"{key} must be a whole number ≥ {least}, got {config[key]!r}")
    for package in ("mlflow", "wandb"):
        if package in config.logger._target_.lower() and find_spec(package) is None:
            raise UsageError(f"logger={package} needs a package more: pip install 'imbalance-lab[{package}]'")
    rate = config.head_lr
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0):
        raise UsageError(f"head_lr must be a number > 0, or null for optimizer.lr, got {rate!r}")
    for key in ("data_summary.auroc", "data_summary.width"):
        number = OmegaConf.select(config, key)
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1:
            raise UsageError(f"{key} must be a number between 0 and 1, got {number!r}")
    for key in ("check", "fit", "report.images"):
        if not isinstance(value := OmegaConf.select(config, key), bool):
            raise UsageError(f"{key} must be true or false, got {value!r}")
    if config.ckpt_path is None:
        if not config.fit:
            raise UsageError("fit=false tests an existing model: name it with ckpt_path=RUN/checkpoints/best.ckpt")
    elif not Path(config.ckpt_path).is_file():
        raise UsageError(f"ckpt_path={config.ckpt_path} is no file: name a checkpoint, as in RUN/checkpoints/last.ckpt")


def _checked_checkpoint(config: DictConfig, classes: tuple[str, ...]) -> dict[str, Tensor]:
    """Its weights; refuse one of another model, by what to write on the command line to have that one."""
    try:
        content = torch.load(config.ckpt_path, map_location="cpu", weights_only=True)
        weights, hparams = content["state_dict"], content["hyper_parameters"]
        trained, trained_classes = hparams["config"], hparams["classes"]
    except Exception as error:  # whatever unpickling a file that is no checkpoint of ours may raise
        raise UsageError(f"ckpt_path={config.ckpt_path} is no checkpoint of this program that can be read") from error
    if tuple(trained_classes) != classes:
        raise UsageError(
            f"ckpt_path={config.ckpt_path} tells {len(trained_classes)} classes apart, {trained_classes[0]!r} …, "
            f"but the data have {len(classes)}, {classes[0]!r} …: choose the data that it was trained on"
        )
        features = getattr(backbone, "num_features", None)
        if isinstance(features, bool) or not isinstance(features, int):
            raise UsageError(
                f"backbone: {type(backbone).__name__} has no integer attribute num_features: "
                "set it to the number of features that forward returns, as in self.num_features = 128"
            )
        head = instantiate_part(config, "head", in_features=features, out_features=task.num_classes)
    return backbone, head
