"""Stochastic weight averaging: the mean of the ends of epochs, with statistics of its own."""

from copy import deepcopy
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from imbalance_lab.backbones import ConvNet
from imbalance_lab.training.strategies import SWA
from tests.helpers.tiny import SPLITS, STEPS, fit


def test_it_is_the_mean_of_the_ends_of_epochs_with_their_statistics(tmp_path: Path) -> None:
    model, record = fit(tmp_path, SWA(4, start=0.5), width=4, epochs=4)
    ends = [record.weights[(epoch + 1) * STEPS - 1] for epoch in (2, 3)]
    state = model.state_dict()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(state[name], (ends[0][name] + ends[1][name]) / 2, msg=name)
        assert parameter.requires_grad
    oracle = ConvNet((1, 8, 8), [4])
    oracle.load_state_dict(model.backbone.state_dict())
    update_bn(record.inputs[3 * STEPS :], nn.Sequential(deepcopy(SPLITS.prepare), oracle))
    statistics = [name for name in oracle.state_dict() if "running" in name]
    assert statistics
    for name in statistics:
        torch.testing.assert_close(model.backbone.state_dict()[name], oracle.state_dict()[name], msg=name)
    assert all(each.momentum == 0.1 for each in model.modules() if isinstance(each, nn.BatchNorm2d))


def test_it_leaves_the_training_alone_and_before_its_start_the_validation_too(tmp_path: Path) -> None:
    model, averaged = fit(tmp_path, SWA(3, start=0.3), width=4)
    plain, alone = fit(tmp_path / "plain", width=4)
    for name, weight in alone.weights[-1].items():
        assert torch.equal(averaged.weights[-1][name], weight), name
    same = [torch.equal(*pair) for pair in zip(averaged.logits, alone.logits, strict=True)]
    assert same == [True, False, False]
    assert [row["train/loss"] for _, row in model.history] == [row["train/loss"] for _, row in plain.history]
