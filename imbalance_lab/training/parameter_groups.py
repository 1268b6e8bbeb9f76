"""What an optimizer trains of a classifier, and with which options."""

from collections.abc import Mapping
from typing import Any

from torch import nn


def parameter_groups(
    backbone: nn.Module, head: nn.Module, loss: nn.Module, head_options: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """A group each for backbone, head and loss, of those that have something to train.

    Args:
        backbone, head: of the net.
        loss: its own parameters are trained without weight decay.
        head_options: of the optimizer, for the head; None for the optimizer's own.
    """
    parts: list[tuple[nn.Module, dict[str, float]]] = [
        (backbone, {}),
        (head, {name: value for name, value in head_options.items() if value is not None}),
        (loss, {"weight_decay": 0.0}),
    ]
    groups: list[dict[str, Any]] = []
    for part, options in parts:
        if trainable := [parameter for parameter in part.parameters() if parameter.requires_grad]:
            groups.append({"params": trainable} | options)
    return groups
