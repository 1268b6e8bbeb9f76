"""The limit on the norm of each class's weights."""

from pathlib import Path

import pytest
import torch
from torch import nn

from imbalance_lab.backbones import CosineHead
from imbalance_lab.backbones.member_layers import MemberLinear
from imbalance_lab.training.strategies import MaxNorm
from imbalance_lab.training.strategies.max_norm import _class_weights, limit_norms
from tests.helpers.tiny import SPLITS, fit


def test_it_holds_the_norm_of_every_class_after_every_step(tmp_path: Path) -> None:
    head = nn.Linear(16, 10)
    _, record = fit(tmp_path, MaxNorm(head, SPLITS.task, 0.6), epochs=2)
    norms = torch.stack([weights["head.weight"].norm(dim=1) for weights in record.weights])
    assert norms.max() == pytest.approx(0.6, rel=1e-6)
    assert norms[-1].min() < 0.59  # none is scaled up
    _, free = fit(tmp_path / "free", MaxNorm(head, SPLITS.task, 100), epochs=2)
    _, plain = fit(tmp_path / "plain", epochs=2)
    assert torch.equal(free.weights[-1]["head.weight"], plain.weights[-1]["head.weight"])
    assert plain.weights[-1]["head.weight"].norm(dim=1).max() > 0.6


def test_it_is_the_norm_of_each_class_of_each_member_and_not_of_a_hidden_layer() -> None:
    layers = [nn.Linear(16, 10) for _ in range(3)]
    members = MemberLinear(layers)
    expected = torch.stack([torch.renorm(layer.weight, 2, 0, 0.5).T for layer in layers])
    (weight,) = _class_weights(members, 10)
    optimizer = torch.optim.SGD([weight], lr=0)
    (handle,) = limit_norms(members, 10, 0.5, [optimizer])
    weight.grad = torch.zeros_like(weight)
    optimizer.step()
    handle.remove()
    torch.testing.assert_close(weight.detach(), expected.detach(), rtol=1e-5, atol=1e-6)
    deep = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 10))
    assert _class_weights(deep, 10) == [deep[2].weight]


@pytest.mark.parametrize(
    ("head", "limit", "sentence"),
    [
        (CosineHead(16, 10), 1, "in a cosine head the norms have no effect: choose head=linear"),
        (nn.Identity(), 1, "the head, Identity, has no linear layer of the classes"),
        (nn.Linear(16, 10), 0, "limit must be a finite number > 0, got 0"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(head: nn.Module, limit: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        MaxNorm(head, SPLITS.task, limit)
