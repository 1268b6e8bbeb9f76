"""Every loss, sampler, backbone and source passes the checks that other packages are given, and broken ones do not."""

import inspect
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from imbalance_lab import backbones, losses, samplers
from imbalance_lab.data import Arrays, Splits, binary, digits, image_folder, long_tailed, table
from imbalance_lab.testing import check_backbone, check_loss, check_sampler, check_source
from tests.helpers.images import tree

LOSSES = [
    each for name in losses.__all__ if inspect.isclass(each := getattr(losses, name)) and issubclass(each, nn.Module)
]
OF_RANKINGS = [
    losses.AUCMarginLoss,
    losses.AveragePrecisionLoss,
    losses.PartialAUCLoss,
    losses.RecallAtBudgetLoss,
    losses.SoftPartialAUCLoss,
    losses.TwoWayPartialAUCLoss,
]
SAMPLERS = [
    each
    for _, each in inspect.getmembers(samplers, inspect.isclass)
    if "order" in vars(each) and "targets" in inspect.signature(each).parameters
]
BACKBONES = [
    *(backbones.ConvNet, backbones.MLP, backbones.ResidualMLP, partial(backbones.ResNetCifar, depth=8)),
    *(partial(backbones.MLP, members=3), partial(backbones.ResidualMLP, members=3, width=16)),
    partial(backbones.TabM, k=4, d_block=16),
]
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
ARRAYS = long_tailed(digits, factor=20, val_fraction=0.2)


@pytest.mark.parametrize("make", LOSSES)
def test_every_loss_passes(make: Any) -> None:
    check_loss(make, num_classes=2 if make in OF_RANKINGS else 4, dtypes=DTYPES)


@pytest.mark.parametrize("make", [losses.SigmoidFocalLoss, losses.AsymmetricLoss, *OF_RANKINGS])
def test_every_loss_of_labels_passes(make: Any) -> None:
    check_loss(make, num_classes=3, multilabel=True, dtypes=DTYPES)


@pytest.mark.parametrize("make", SAMPLERS)
def test_every_sampler_passes(make: Any) -> None:
    check_sampler(make)


@pytest.mark.parametrize("make", [samplers.RandomSampler, samplers.MPerClassSampler])
def test_every_sampler_of_labels_passes(make: Any) -> None:
    labels = (torch.rand(120, 3, generator=torch.Generator().manual_seed(0)) < torch.tensor([0.5, 0.2, 0.1])).long()
    check_sampler(make, labels)


@pytest.mark.parametrize("make", BACKBONES)
def test_every_backbone_passes(make: Any) -> None:
    check_backbone(make, (1, 8, 8))


@pytest.mark.parametrize("make", [backbones.MLP, backbones.ResidualMLP])
def test_every_backbone_of_tables_passes(make: Any) -> None:
    check_backbone(make, (7,), cardinalities=(3, 40))


@pytest.mark.parametrize("source", ["long_tailed", "binary", "images", "table", "labels"])
def test_every_source_passes(source: str, tmp_path: Path, wine_labels: Path) -> None:
    folder = tree(tmp_path / "images", each=12)
    make = {
        "long_tailed": lambda **more: long_tailed(digits, factor=20, val_fraction=0.2, **more),
        "binary": lambda **more: binary(digits, val_fraction=0.2, **more),
        "images": lambda **more: image_folder(root=str(folder), image_size=8, **more),
        "table": lambda **more: table(path=str(wine_labels), target="strong", categorical=["dark"], **more),
        "labels": lambda **more: table(path=str(wine_labels), target=["strong", "dark"], **more),
    }
    check_source(make[source]())
    with_calibration = make[source](calibration_fraction=0.2)
    check_source(with_calibration)
    assert list(with_calibration.parts) == ["train", "val", "test", "calibration"]
    assert torch.equal(with_calibration.test.index, make[source]().test.index)


class Plain(nn.Module):
    """Cross-entropy, to be broken."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, target)


class LooseTensor(Plain):
    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()
        self.weight = class_counts.float()


class Overflowing(nn.Module):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return -logits.exp().div(logits.exp().sum(1, keepdim=True)).log().gather(1, target[:, None]).mean()


class NotReduced(nn.Module):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, target, reduction="none")


class WrongPrior(Plain):
    def implied_prior(self, prior: Tensor) -> Tensor:
        return prior * 2


class Boaster(nn.Module):
    is_mean_over_examples = True

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, target, reduction="sum")


class FirstExampleOnly(nn.Module):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits[:1], target[:1])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (LooseTensor, "weight is a tensor but neither a parameter nor a buffer"),
        (Overflowing, r"the (loss|gradient) of logits of ±1e4 in torch.float32"),
        (NotReduced, r"a loss returns a scalar, got shape \(24,\)"),
        (WrongPrior, "implied_prior must sum to 1"),
        (FirstExampleOnly, "the loss depends on the order of the examples"),
        (Boaster, "says is_mean_over_examples, but of two nets' logits at once it is"),
        (lambda: "focal", "a loss is an nn.Module, got str"),
    ],
)
def test_a_broken_loss_is_caught(make: Any, sentence: str) -> None:
    check_loss(Plain)
    with pytest.raises(AssertionError, match=sentence):
        check_loss(make)


class InOrder:
    """A sampler, to be broken."""

    def __init__(self, targets: Tensor, seed: int) -> None:
        self.targets, self.seed = targets, seed

    def order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(1000 * self.seed + epoch)
        return torch.randperm(len(self.targets), generator=generator)


class Global(InOrder):
    def order(self, epoch: int) -> Tensor:
        return torch.randperm(len(self.targets))


class Short(InOrder):
    def order(self, epoch: int) -> Tensor:
        return super().order(epoch)[:-1]


class SameEachEpoch(InOrder):
    def order(self, epoch: int) -> Tensor:
        return super().order(0)


class Boasting(InOrder):
    def class_priors(self, counts: Tensor) -> Tensor:
        return torch.ones(len(counts))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Global, "depends on more than seed and epoch"),
        (Short, r"an epoch has as many draws as the split has examples, 120, got \(119,\)"),
        (SameEachEpoch, "two epochs have the same order"),
        (Boasting, "class_priors claims .* but classes are drawn with"),
    ],
)
def test_a_broken_sampler_is_caught(make: Any, sentence: str) -> None:
    check_sampler(InOrder)
    with pytest.raises(AssertionError, match=sentence):
        check_sampler(make)


class NoWidth(nn.Module):
    def __init__(self, input_shape: Any) -> None:
        super().__init__()
        self.layer = nn.Linear(input_shape[0], 5)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs)


class WrongWidth(NoWidth):
    num_features = 6


class BatchDependent(NoWidth):
    num_features = 5

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs - inputs.mean(0))


class Unused(NoWidth):
    num_features = 5

    def __init__(self, input_shape: Any) -> None:
        super().__init__(input_shape)
        self.spare = nn.Parameter(torch.zeros(1))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (NoWidth, "needs the integer attribute num_features, got None"),
        (WrongWidth, r"features must be \(N, num_features\), \(6, 6\), got \(6, 5\)"),
        (BatchDependent, "depend on the other examples of its batch"),
        (Unused, "no gradient reaches the parameter spare"),
    ],
)
def test_a_broken_backbone_is_caught(make: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_backbone(make, (3,))


def broken(**changes: Any) -> Splits:
    train = ARRAYS.train
    assert isinstance(train, Arrays)
    return replace(ARRAYS, train=replace(train, **changes))


@pytest.mark.parametrize(
    ("splits", "sentence"),
    [
        (lambda: replace(ARRAYS, val=ARRAYS.train), r"index \d+ is in the splits train and val"),
        (lambda: broken(index=torch.zeros_like(ARRAYS.train.index)), "an index occurs twice in the train split"),
        (lambda: broken(targets=ARRAYS.train.targets.int()), "a batch of train holds int64"),
        (lambda: broken(targets=ARRAYS.train.targets.clamp(max=8)), "the training split has no example of 9"),
    ],
)
def test_a_broken_source_is_caught(splits: Any, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_source(splits())
