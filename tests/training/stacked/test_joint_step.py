import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, NAdam, Optimizer
from torch.optim.lr_scheduler import StepLR

from imbalance_lab.training.stacked.joint_step import step_together


class Halved(SGD):
    """An optimizer of the user's."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter -= group["lr"] / 2 * parameter.grad


KINDS: dict[str, Callable[[Any], Optimizer]] = {
    "adamw": lambda groups: AdamW(groups, lr=0.1, fused=True),
    "adamw, another decay": lambda groups: AdamW(groups, lr=0.1, weight_decay=0.3, fused=True),
    "adam, amsgrad": lambda groups: Adam(groups, lr=0.1, amsgrad=True),
    "nadam, betas as a list": lambda groups: NAdam(groups, lr=0.1, betas=[0.5, 0.9]),  # type: ignore[arg-type]
    "sgd": lambda groups: SGD(groups, lr=0.1, momentum=0.9),
    "own": lambda groups: Halved(groups, lr=0.1),
}


def built(kind: str, seed: int) -> tuple[nn.Module, Optimizer, StepLR]:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = KINDS[kind]([{"params": net[0].parameters()}, {"params": net[1].parameters(), "lr": 0.05}])
    return net, optimizer, StepLR(optimizer, 2, gamma=0.5)


def give_gradients(nets: Sequence[nn.Module], step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for net in nets:
        for parameter in net.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)


def state(optimizer: Optimizer) -> list[Any]:
    return [{k: v for k, v in of.items() if v is not None} for of in optimizer.state_dict()["state"].values()]


@pytest.mark.parametrize("kinds", [["adamw"] * 3, ["sgd"] * 2, list(KINDS) * 2])
def test_together_is_each_alone_to_the_bit(kinds: list[str]) -> None:
    together, alone = ([built(kind, seed) for seed, kind in enumerate(kinds)] for _ in range(2))
    for step in range(5):
        give_gradients([net for net, _, _ in together], step)
        give_gradients([net for net, _, _ in alone], step)
        going = slice(1, None) if step == 3 else slice(None)  # a run ends
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # as of a schedule without a step
            step_together([optimizer for _, optimizer, _ in together[going]])
            for _, _, scheduler in together:
                scheduler.step()
        for _, optimizer, _ in alone[going]:
            optimizer.step()
        for _, _, scheduler in alone:
            scheduler.step()
    for (net, optimizer, _), (other, other_optimizer, _) in zip(together, alone, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))
        torch.testing.assert_close(state(optimizer), state(other_optimizer), rtol=0, atol=0)


def test_equal_options_share_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(torch, "_fused_adamw_", lambda parameters, *_, **__: calls.append(len(parameters)))
    several = [built("adamw", seed) for seed in range(3)]
    give_gradients([net for net, _, _ in several], 0)
    several[2][2].optimizer.param_groups[0]["lr"] = 0.3
    step_together([optimizer for _, optimizer, _ in several])
    assert sorted(calls) == [2, 4, 6]  # tensors: of lr 0.3, of lr 0.1 of two nets, of lr 0.05 of all


def test_an_optimizer_with_hooks_steps_alone() -> None:
    several = [built("adamw", seed)[:2] for seed in range(2)]
    give_gradients([net for net, _ in several], 0)
    seen = []
    several[0][1].register_step_pre_hook(lambda *given: seen.append(given[0]))
    step_together([optimizer for _, optimizer in several])
    assert seen == [several[0][1]]
