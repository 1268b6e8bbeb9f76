"""Losses as their papers write them, in plain PyTorch with a loop of its own: what ours must agree with.

Only the examples are the program's: the same subset of the data. The net, its initial weights, the order, the
augmentation (shifts of up to 2 pixels and mirroring) and the schedule are written again here, by the settings of
`image_benchmark.studies.FASHION_MNIST_LT`. Logit adjustment is eq. 10 of arXiv 2007.07314 with τ = 1, LDAM eq. 10 to 13
of arXiv 1906.07413 with max m = 0.5 and s = 30.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from omegaconf import DictConfig
from torch import Tensor, nn

from image_benchmark.stored_run import StoredRun
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.splits import instantiate_splits
from imbalance_lab.data import Arrays, Source, Splits
from imbalance_lab.evaluation.predictions import Predictions

LossOf = Callable[[Tensor], Callable[[Tensor, Tensor], Tensor]]
"""From the training counts (C,) to the loss of logits (N, C) and targets (N,)."""


def logit_adjusted(counts: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    log_prior = (counts / counts.sum()).log()
    return lambda z, y: F.cross_entropy(z + log_prior, y)


def ldam(counts: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Of cosines, not scaled."""
    margins = counts**-0.25
    margins = margins * (0.5 / margins.max())

    def loss(cosine: Tensor, y: Tensor) -> Tensor:
        shifted = cosine - F.one_hot(y, len(counts)) * margins
        return F.cross_entropy(30 * shifted, y)

    return loss


class Cosine(nn.Module):
    """Cosines between features and the weights of each class."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, features).uniform_(-1, 1))

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(F.normalize(features), F.normalize(self.weight))


def train_plainly(loss_of: LossOf, scale: float | None, overrides: list[str]) -> StoredRun:
    """Train on the examples and by the settings that the overrides name; the predictions of the last epoch.

    Args:
        loss_of: the loss.
        scale: of the cosines that it takes; None for the logits of a linear head.
        overrides: of the command line.
    """
    config = compose_config(overrides)
    splits = instantiate_splits(config)
    counts = splits.class_counts.float()
    train, val, test = (_arrays(splits.parts[split]) for split in ("train", "val", "test"))
    images, target = _images(train), train.targets
    mean, std = images.mean(), images.std()
    images = (images - mean) / std
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        net = _net(len(counts), cosine=scale is not None)
        _train(net, images, target, loss_of(counts), config, dark=float(-mean / std))
    of_val, of_test = (_predict(net, splits, part, mean, std, scale or 1.0) for part in (val, test))
    return StoredRun(of_val, of_test, None, tuple(splits.class_counts.tolist()), config.max_epochs)


def _arrays(split: Source) -> Arrays:
    if not isinstance(split, Arrays):
        raise TypeError(f"a plain loop needs arrays, got {type(split).__name__}")
    return split


def _images(split: Arrays) -> Tensor:
    return split.inputs.float() / 255


def _net(classes: int, *, cosine: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for before, after, pool in ((1, 16, True), (16, 32, True), (32, 64, False), (64, 64, True)):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
    head = Cosine(64, classes) if cosine else nn.Linear(64, classes)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def _train(
    net: nn.Module,
    images: Tensor,
    target: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    config: DictConfig,
    dark: float,
) -> None:
    lr, decay, warmup = config.optimizer.lr, config.optimizer.weight_decay, config.scheduler.warmup
    optimizer = torch.optim.SGD(net.parameters(), lr, momentum=0.9, nesterov=True, weight_decay=decay)
    steps = math.ceil(len(target) / config.batch_size) * config.max_epochs
    step = 0
    for _ in range(config.max_epochs):
        for rows in torch.split(torch.randperm(len(target)), config.batch_size):
            done = step / steps
            fallen = 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))
            for group in optimizer.param_groups:
                group["lr"] = lr * (done / warmup if done < warmup else fallen)
            value = loss(net(_augmented(images[rows], dark)), target[rows])
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1


def _augmented(images: Tensor, dark: float) -> Tensor:
    """Each image shifted by up to 2 pixels in each direction, and half of them mirrored."""
    padded = F.pad(images, (2,) * 4, value=dark)
    corner = torch.randint(0, 5, (len(images), 2)).tolist()
    size = images.shape[-1]
    moved = torch.stack([each[:, y : y + size, x : x + size] for each, (y, x) in zip(padded, corner, strict=True)])
    return torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, moved.flip(-1), moved)


@torch.no_grad()
def _predict(net: nn.Module, splits: Splits, part: Arrays, mean: Tensor, std: Tensor, scale: float) -> Predictions:
    net.eval()
    logits = [scale * net((each - mean) / std) for each in torch.split(_images(part), 1000)]
    found = torch.cat(logits).numpy().astype(np.float32)
    return Predictions(splits.task, part.index.numpy(), part.targets.numpy(), found)
