"""Learnable weight scaling, LWS (Kang et al. 2020, arXiv 1910.09217, section 4.1)."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from imbalance_lab.backbones.member_layers import MemberLinear, check_linear
from imbalance_lab.task import Task
from imbalance_lab.training.strategies.head_retraining import HeadRetraining, Weights


class LearnableWeightScaling(HeadRetraining):
    """Stage 2 learns one number a class, f_c: logits f_c (w_c · x + b_c), with classes drawn equally often.

    The norms of a linear head's weights grow with the number of examples of a class; here they are learned anew, and
    their directions stay. At the end the numbers are multiplied into the head, which is linear as before.

    Args:
        task, max_epochs, seed: facts of the run.
        epochs: of stage 2, after ``max_epochs``.
        weights: stage 2 begins with the net of stage 1's "best" epoch, or of its "last" one, as in the paper.
        lr: learning rate of the numbers, which begin at 1; None for that of the net in stage 1.

    Properties: backbone and directions of the head's weights stay as they are; C numbers are trained (for an ensemble C
    for each member), without weight decay.
    """

    def __init__(
        self,
        *,
        task: Task,
        max_epochs: int,
        seed: int = 0,
        epochs: int = 5,
        weights: Weights = "best",
        lr: float | None = 0.05,
    ) -> None:
        super().__init__(task=task, max_epochs=max_epochs, seed=seed, epochs=epochs, weights=weights, lr=lr)
        self.scaled: ScaledHead | None = None

    def check_head(self, head: nn.Module) -> None:
        """It must be linear, or the cosines of a head that divides by the norms would not change."""
        check_linear("LWS", head)

    def prepare_head(self, head: nn.Module) -> None:
        """Its weights stay."""

    def head_options(self) -> dict[str, float]:
        """No weight decay: it would draw all numbers towards 0."""
        return {**super().head_options(), "weight_decay": 0.0}

    def trained_head(self, head: nn.Module) -> nn.Module:
        """The head with its numbers."""
        assert isinstance(head, nn.Linear | MemberLinear)
        self.scaled = ScaledHead(head).to(next(head.parameters()).device)
        return self.scaled

    def plain_head(self, trained: nn.Module) -> nn.Module:
        """The head with the numbers multiplied in."""
        assert isinstance(trained, ScaledHead)
        return trained.multiplied()

    def state_dict(self) -> dict[str, Any]:
        """With the head of stage 1, and the numbers."""
        if self.scaled is None:
            return super().state_dict()
        return super().state_dict() | {"scaled_head": self.scaled.state_dict()}

    def restore_head(self, trained: nn.Module, state: Mapping[str, Any]) -> None:
        """The head of stage 1, and the numbers."""
        trained.load_state_dict(state["scaled_head"])


class ScaledHead(nn.Module):
    """A frozen linear head times one learned number for each class.

    Args:
        head: features (N, F) → logits (N, C), or of k members (N, k, F) → (N, k, C).
    """

    def __init__(self, head: nn.Linear | MemberLinear) -> None:
        super().__init__()
        self.head = head.requires_grad_(False)
        shape = head.weight.shape
        self.scale = nn.Parameter(torch.ones(shape[0] if isinstance(head, nn.Linear) else (shape[0], shape[2])))

    def forward(self, features: Tensor) -> Tensor:
        """The logits of the head with multiplied weights, which so are the same to the last bit."""
        logits: Tensor = functional_call(self.head, self._weights(), (features,))
        return logits

    def multiplied(self) -> nn.Module:
        """A head of the same kind, with the numbers in its weights."""
        head = deepcopy(self.head)
        head.load_state_dict({name: tensor.detach() for name, tensor in self._weights().items()})
        return head

    def _weights(self) -> dict[str, Tensor]:
        of_classes = self.scale[:, None] if isinstance(self.head, nn.Linear) else self.scale[:, None, :]
        scaled = {"weight": self.head.weight * of_classes}
        return scaled if self.head.bias is None else scaled | {"bias": self.head.bias * self.scale}
