"""Stacked nets compute what each net alone does, with its own random numbers: the nets themselves are the oracle."""

from copy import deepcopy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from imbalance_lab.backbones import MLP, CosineHead, ResidualMLP
from imbalance_lab.backbones.members import build_head
from imbalance_lab.training.stacked.net import StackedNet

K, N, COLUMNS, CLASSES = 3, 16, 6, 3
CATEGORIES = {"cardinalities": [5, 4], "unknown_rate": 0.3}

NETS = {
    "dropout": (partial(MLP, (COLUMNS,), (8, 5), dropout=0.3), nn.Linear),
    "batch norm": (partial(ResidualMLP, (COLUMNS,), width=6, depth=2, dropout=0.3), nn.Linear),
    "cosine": (partial(MLP, (COLUMNS,), (8, 5)), CosineHead),
    "categories": (partial(MLP, (COLUMNS,), (8,), dropout=0.3, **CATEGORIES), nn.Linear),
    "one-hot": (partial(MLP, (COLUMNS,), (8,), one_hot=8, **CATEGORIES), nn.Linear),
    "periodic": (partial(MLP, (COLUMNS,), (8,), n_periodic=2), nn.Linear),
    "members": (partial(MLP, (COLUMNS,), (8,), dropout=0.3, members=2, **CATEGORIES), nn.Linear),
    "members, batch norm": (partial(ResidualMLP, (COLUMNS,), width=6, depth=1, members=2, n_periodic=2), nn.Linear),
}


def built(backbone, head):
    net = backbone()
    return nn.Sequential(net, build_head(partial(head, net.num_features, CLASSES), net.num_members)).train()


def loss_of(logits, target):
    return F.cross_entropy(logits.flatten(0, -2), target.repeat_interleave(logits[0, ..., 0].numel()))


@pytest.mark.parametrize("name", NETS)
def test_logits_gradients_and_statistics_are_those_of_each_net_alone(name):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(K, N, COLUMNS, generator=generator)
    inputs[..., -2:] = torch.randint(0, 4, (K, N, 2), generator=generator).float()
    target = torch.randint(0, CLASSES, (K, N), generator=generator)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        nets = [built(*NETS[name]) for _ in range(K)]
        alone = deepcopy(nets)

        stacked = StackedNet(nets)
        logits = stacked(inputs, [torch.Generator().manual_seed(10 + k) for k in range(K)])
        sum(loss_of(logits[k], target[k]) for k in range(K)).backward()
        norms = stacked.hand_out_gradients()

        for k, (net, own) in enumerate(zip(nets, alone, strict=True)):
            torch.manual_seed(10 + k)
            expected = own(inputs[k])
            loss_of(expected, target[k]).backward()
            torch.testing.assert_close(logits[k], expected)
            gradients = [parameter.grad for parameter in own.parameters()]
            torch.testing.assert_close([parameter.grad for parameter in net.parameters()], gradients)
            torch.testing.assert_close(list(net.buffers()), list(own.buffers()))
            torch.testing.assert_close(norms[k], torch.linalg.vector_norm(torch.cat([g.flatten() for g in gradients])))


def test_a_released_net_stores_only_its_own_weights():
    nets = [built(*NETS["batch norm"]) for _ in range(K)]
    before = deepcopy([net.state_dict() for net in nets])
    stacked = StackedNet(nets)
    weight = nets[1][1].weight
    assert weight.untyped_storage().nbytes() == K * weight.numel() * 4  # a view: an optimizer's step changes the stack
    weight.data.add_(1)
    assert torch.equal(stacked.parameters["1.weight"][1], weight)
    weight.data.sub_(1)
    stacked.release()
    for net, state in zip(nets, before, strict=True):
        torch.testing.assert_close(net.state_dict(), state)
        assert all(each.untyped_storage().nbytes() == each.numel() * each.element_size() for each in net.parameters())


def test_a_random_function_that_is_not_known_is_an_error():
    nets = [nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).train() for _ in range(2)]
    with pytest.raises(RuntimeError, match="random"):
        StackedNet(nets)(torch.zeros(2, 4, 2), [torch.Generator(), torch.Generator()])
