"""The linear head in a checkpoint, for τ-normalization."""

from collections.abc import Mapping
from typing import Any

from imbalance_lab.posthoc import LinearHead


def linear_head_of(checkpoint: Mapping[str, Any]) -> LinearHead | None:
    """The norms and biases of the head of a checkpoint, if its logits are those of one linear layer.

    Args:
        checkpoint: its content.
    """
    config, weights = checkpoint["hyper_parameters"]["config"], checkpoint["state_dict"]
    if config["head"]["_target_"] != "torch.nn.Linear" or weights["head.weight"].ndim != 2:
        return None  # the weights of several nets side by side are (k, F, C)
    return LinearHead.from_weights(weights["head.weight"], weights.get("head.bias"))
