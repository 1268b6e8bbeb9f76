"""Nets of several members: each is the net that it would be alone, and their probabilities are averaged exactly."""

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor, nn

from imbalance_lab.backbones import MLP, ConvNet, CosineHead, ResidualMLP, TabM
from imbalance_lab.backbones.member_layers import MemberBatchNorm, MemberLinear, ToMembers
from imbalance_lab.backbones.members import (
    MemberHeads,
    Members,
    average_members,
    build_backbone,
    build_head,
    num_members,
)

K = 3
NETS: list[Callable[..., nn.Module]] = [
    lambda **more: MLP((5,), [7, 6], **more),
    lambda **more: ResidualMLP((5,), width=6, depth=2, dropout=0.0, **more),
]


def exact_average(logits: Tensor, activation: str) -> list[list[float]]:
    """The definition in 60 digits: log of the mean softmax, or the log-odds of the mean sigmoid."""
    rows = []
    with mpmath.workdps(60):
        for example in logits.tolist():
            if activation == "softmax":
                shares = []
                for z in example:
                    top = max(z)
                    each = [mpmath.e ** (mpmath.mpf(value) - top) for value in z]
                    shares.append([value / mpmath.fsum(each) for value in each])
                rows.append(
                    [float(mpmath.log(mpmath.fsum(column) / len(shares))) for column in zip(*shares, strict=True)]
                )
            else:
                row = []
                for column in zip(*example, strict=True):
                    present = mpmath.fsum(1 / (1 + mpmath.e ** -mpmath.mpf(value)) for value in column)
                    absent = mpmath.fsum(1 / (1 + mpmath.e ** mpmath.mpf(value)) for value in column)
                    row.append(float(mpmath.log(present / absent)))
                rows.append(row)
    return rows


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("scale", [1, 30, 3000])
def test_probabilities_are_averaged_exactly_at_any_size_of_logits(activation: Any, scale: float) -> None:
    logits = scale * torch.randn(6, K, 4, generator=torch.Generator().manual_seed(0))
    logits[0] = logits[0, :1]  # members that agree
    result = average_members(logits, activation)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, torch.tensor(exact_average(logits, activation)), rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(average_members(logits[:, [2, 0, 1]], activation), result)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_average_of_halves_is_computed_in_float32_and_one_net_is_left_alone(activation: Any) -> None:
    logits = torch.randn(2, K, 4).bfloat16()
    assert torch.equal(average_members(logits, activation), average_members(logits.float(), activation))
    single = torch.randn(2, 4)
    assert average_members(single, activation) is single
    assert average_members(torch.full((1, K, 4), torch.nan), activation).isnan().all()


def alone(make: Callable[..., nn.Module], together: nn.Module, member: int) -> nn.Module:
    """One net with the weights of a member."""
    net = make()
    layers = [each for each in net.modules() if isinstance(each, nn.Linear | nn.BatchNorm1d)]
    ours = [each for each in together.modules() if isinstance(each, MemberLinear | MemberBatchNorm)]
    if isinstance(together, MLP):  # its layers have other numbers
        ours = [each for each in together.layers if isinstance(each, MemberLinear)]
    for layer, of_members in zip(layers, ours, strict=True):
        if isinstance(of_members, MemberLinear):
            assert of_members.bias is not None
            layer.weight.data.copy_(of_members.weight[member].T)
            layer.bias.data.copy_(of_members.bias[member])
        else:
            for name, tensor in of_members.norm.state_dict().items():
                target = layer.state_dict()[name]
                target.copy_(tensor if tensor.ndim == 0 else tensor.unflatten(0, (K, -1))[member])
    return net


@pytest.mark.parametrize("make", NETS, ids=["MLP", "ResidualMLP"])
@pytest.mark.parametrize("training", [True, False])
def test_each_member_is_a_net_of_its_own(make: Callable[..., nn.Module], training: bool) -> None:
    torch.manual_seed(0)
    together = make(members=K)
    for _ in range(2):
        together(torch.randn(8, 5))  # statistics of batch normalization
    single = [alone(make, together, member).train(training) for member in range(K)]
    inputs = torch.randn(9, 5)
    features = together.train(training)(inputs)
    assert features.shape == (9, K, together.num_features)
    assert num_members(together) == K
    for member, net in enumerate(single):
        torch.testing.assert_close(features[:, member], net(inputs))
    assert not torch.allclose(features[:, 0], features[:, 1])


def test_members_start_as_linear_layers_do_each_with_its_own_draws() -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(4, 3) for _ in range(K)]
    torch.manual_seed(0)
    net = MLP((4,), [3], members=K)
    weights = net.layers[-2]
    assert isinstance(weights, MemberLinear)
    assert torch.equal(weights.weight, torch.stack([layer.weight.T for layer in layers]))
    assert torch.equal(weights.bias, torch.stack([layer.bias for layer in layers]))  # type: ignore[arg-type]


def test_members_drop_other_features() -> None:
    torch.manual_seed(0)
    net = MLP((4,), [50], dropout=0.5, members=2)
    layer = net.layers[2]
    layer.weight.data[1], layer.bias.data[1] = layer.weight[0], layer.bias[0]  # type: ignore[index, union-attr]
    features = net.train()(torch.randn(1, 4))[0]
    assert not torch.equal(features[0] == 0, features[1] == 0)


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (NETS[1], lambda weights: torch.optim.SGD(weights, 0.1, momentum=0.9)),
        # Not with batch normalization: biases before it get no gradient but rounding, which Adam takes for one.
        (NETS[0], lambda weights: torch.optim.AdamW(weights, 0.01)),
    ],
    ids=["residual, SGD", "MLP, AdamW"],
)
def test_members_trained_together_are_those_trained_alone(
    make: Callable[..., nn.Module], optimizer: Callable[..., torch.optim.Optimizer]
) -> None:
    torch.manual_seed(0)
    together = make(members=K)
    single = [alone(make, together, member) for member in range(K)]
    for net in (together, *single):
        steps = optimizer(net.parameters())
        for step in range(4):
            inputs = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
            loss = net(inputs).square().mean()
            (loss * (K if net is together else 1)).backward()
            steps.step()
            steps.zero_grad()
    inputs = torch.randn(5, 5)
    expected = torch.stack([net.eval()(inputs) for net in single], 1)
    torch.testing.assert_close(together.eval()(inputs), expected, rtol=1e-4, atol=1e-5)


def test_an_embedding_that_members_share_gets_the_mean_gradient() -> None:
    weight = torch.randn(2, 4, requires_grad=True)
    shared = ToMembers(K)(weight)
    slopes = torch.randn(2, K, 4)
    (shared * slopes).sum().backward()
    torch.testing.assert_close(weight.grad, slopes.mean(1))


def test_an_ensemble_is_batched_where_the_backbone_can_and_copies_elsewhere() -> None:
    def convnet(**more: int) -> nn.Module:
        assert not more or more == {"members": K}
        return ConvNet((1, 8, 8), [4])

    batched = build_backbone(lambda **more: MLP((64,), [4], **more), K)
    assert isinstance(batched, MLP)
    copies = build_backbone(convnet, K)
    assert isinstance(copies, Members)
    inputs = torch.randn(3, 1, 8, 8)
    features = copies.eval()(inputs)
    assert features.shape == (3, K, copies.num_features)
    assert torch.equal(features, torch.stack([net(inputs) for net in copies.nets], 1))
    assert not torch.equal(features[:, 0], features[:, 1])
    one = build_backbone(convnet, 1)
    assert isinstance(one, ConvNet)


def test_members_share_a_backbone_that_is_frozen() -> None:
    frozen = build_backbone(lambda **more: ConvNet((1, 8, 8), [4]).requires_grad_(False), K)
    assert isinstance(frozen, Members)
    assert len(frozen.nets) == 1
    features = frozen.eval()(torch.randn(3, 1, 8, 8))
    assert features.shape == (3, K, 4)
    assert build_head(lambda: nn.Linear(4, 2), K)(features).shape == (3, K, 2)


def test_an_ensemble_of_ensembles_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^ensemble=5, but TabM alone is 2 nets .*: leave ensemble at 1"):
        build_backbone(lambda **more: TabM((4,), k=2, d_block=4), 5)
    net = ConvNet((1, 8, 8), [4])
    net.num_members = 2.5  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"ConvNet.num_members must be an integer ≥ 1, got 2.5"):
        num_members(net)


@pytest.mark.parametrize(
    "head", [nn.Linear, CosineHead, partial(nn.Linear, bias=False)], ids=["linear", "cosine", "without bias"]
)
def test_each_member_has_a_head_with_a_start_of_its_own(head: Callable[..., nn.Module]) -> None:
    torch.manual_seed(0)
    heads = [head(6, 4) for _ in range(K)]
    torch.manual_seed(0)
    together = build_head(lambda: head(6, 4), K)
    assert isinstance(together, MemberHeads if head is CosineHead else MemberLinear)
    features = torch.randn(5, K, 6)
    expected = torch.stack([each(features[:, member]) for member, each in enumerate(heads)], 1)
    torch.testing.assert_close(together(features), expected)
    assert type(build_head(lambda: head(6, 4), 1)) is type(heads[0])
