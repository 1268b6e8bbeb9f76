"""From the config to the objects it describes, each checked as it is built: what is wrong is said in one sentence.

Nothing here imports Lightning, which takes seconds: a mistake is told before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from imbalance_lab import losses, seeding
from imbalance_lab.data import Splits
from imbalance_lab.errors import UsageError
from imbalance_lab.losses.weights import spread
from imbalance_lab.samplers import Sampler

if TYPE_CHECKING:
    from imbalance_lab.posthoc import Activation, ThresholdRule


@dataclass(frozen=True)
class Experiment:
    """What the config describes, apart from what needs Lightning."""

    splits: Splits
    loss: nn.Module
    backbone: nn.Module
    head: nn.Module
    sampler: Sampler
    augment: Callable[[Tensor, Tensor], Tensor] | None
    optimizer: Callable[..., torch.optim.Optimizer]
    scheduler: Callable[..., torch.optim.lr_scheduler.LRScheduler]
    rule: "ThresholdRule"
    train_prior: tuple[float, ...] | None
    activation: "Activation"


def instantiate_experiment(config: DictConfig) -> Experiment:
    """Build, and so check, what the config describes.

    Raises:
        UsageError: naming the part of the config that is wrong.
    """
    _check_job(config)
    optimizer, scheduler = build(config, "optimizer"), build(config, "scheduler")
    _try(config, optimizer, scheduler)
    splits: Splits = build(config, "data")
    weights = {} if config.ckpt_path is None else _checked_checkpoint(config, splits.classes)
    loss = _loss(config, splits)
    activation: Activation = "sigmoid" if splits.is_multilabel else getattr(loss, "activation", "softmax")
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn on the CPU, whatever they are moved to
        torch.default_generator.manual_seed(seeding.hash_seeds(config.seed) >> 1)
        backbone = build(config, "backbone", input_shape=splits.prepared_shape, cardinalities=splits.cardinalities)
        sizes = {"in_features": backbone.num_features, "out_features": len(splits.classes)}
        head = build(config, "head", **sizes, num_classes=len(splits.classes))
    _check_shapes(config, weights, {"prepare": splits.prepare, "backbone": backbone, "head": head})
    draws = {"seed": config.seed, "max_epochs": config.max_epochs, "batch_size": config.batch_size}
    sampler = build(config, "sampler", targets=splits.train.targets, **draws)
    from imbalance_lab.posthoc import (
        validate_postprocessing,
    )  # here: with torchmetrics and what that imports it takes seconds

    augment = None if config.augment is None else build(config, "augment")
    rule = build(config, "operating_point")
    train_prior = shares_seen(loss, sampler, splits.class_counts.tolist())
    try:
        options = posthoc_options(config, activation)
        validate_postprocessing(len(splits.classes), rule, train_prior=train_prior, **options)
    except (ValueError, TypeError) as error:
        raise UsageError(f"after training: {error}") from error
    return Experiment(
        splits, loss, backbone, head, sampler, augment, optimizer, scheduler, rule, train_prior, activation
    )


def _loss(config: DictConfig, splits: Splits) -> nn.Module:
    """The loss, or a sentence if it takes one class an example where the data have several labels."""
    counts = splits.class_counts
    if not splits.is_multilabel:
        loss: nn.Module = build(config, "loss", class_counts=counts)
        return loss
    # Two counts would be taken for those of two classes; they are those of two labels.
    wanted = {"num_labels": len(counts)} if config.loss.get("num_labels", 0) is None else {}
    loss = build(config, "loss", class_counts=counts, **wanted)
    if isinstance(loss, losses.AUCMarginLoss):
        if len(loss.a) != len(counts):
            raise UsageError(f"loss: num_labels={len(loss.a)}, but the data have {len(counts)}: leave it null")
    elif getattr(loss, "activation", "softmax") != "sigmoid":
        raise UsageError("the data have several labels an example: choose loss=sigmoid_focal, asymmetric or auc_margin")
    return loss


def posthoc_options(config: DictConfig, activation: "Activation") -> dict[str, Any]:
    """What the config asks for after training, as `fit_postprocessor` takes it.

    Raises:
        TypeError, ValueError: for values that make no sense.
    """
    from imbalance_lab import posthoc
    from imbalance_lab.validation import check_choice

    methods = {
        "none": posthoc.NoCalibration,
        "temperature": posthoc.TemperatureScaling,
        "bias_corrected": posthoc.BiasCorrectedScaling,
    }
    correction: posthoc.PriorCorrection = posthoc.NoPriorCorrection()
    if config.deploy_prior is not None and config.logit_adjustment is not None:
        raise ValueError("deploy_prior and logit_adjustment both correct the class priors: choose one")
    if config.deploy_prior is not None:
        correction = posthoc.DeployPrior(config.deploy_prior)
    elif config.logit_adjustment is not None:
        correction = posthoc.PostHocLogitAdjustment(config.logit_adjustment)
    calibration = methods[check_choice("calibration", config.calibration, methods)]()
    return {"activation": activation, "calibration": calibration, "prior_correction": correction}


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
    for key in ("preflight.auroc", "preflight.width"):
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
    return dict(weights)


def _check_shapes(config: DictConfig, weights: dict[str, Tensor], modules: dict[str, nn.Module]) -> None:
    """Refuse a checkpoint that was trained on inputs of another shape: other columns, other channels."""
    for part, module in modules.items():
        for name, tensor in module.state_dict(prefix=f"{part}.").items():
            if name in weights and weights[name].shape != tensor.shape:
                raise UsageError(
                    f"ckpt_path={config.ckpt_path} was trained on other inputs, {name} is {tuple(weights[name].shape)} "
                    f"there and {tuple(tensor.shape)} here: choose its data, with the same columns or image_size"
                )
