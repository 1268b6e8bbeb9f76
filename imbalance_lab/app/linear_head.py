"""The linear head in a checkpoint, for τ-normalization."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from imbalance_lab.errors import UsageError

if TYPE_CHECKING:
    from imbalance_lab.posthoc import LinearHead


def linear_head_of(checkpoint: Mapping[str, Any]) -> "LinearHead | None":
    """The norms and biases of the head of a checkpoint, if its logits are those of one linear layer.

    Args:
        checkpoint: its content.
    """
    from imbalance_lab.posthoc import LinearHead

    config, weights = checkpoint["hyper_parameters"]["config"], checkpoint["state_dict"]
    if config["head"]["_target_"] != "torch.nn.Linear" or weights["head.weight"].ndim != 2:
        return None  # the weights of several nets side by side are (k, F, C)
    return LinearHead.from_weights(weights["head.weight"], weights.get("head.bias"))


def check_head(prior_correction: object, head: "LinearHead | None") -> None:
    """Raise an error for a prior correction that needs a linear head, which there is not."""
    from imbalance_lab.posthoc import TauNormalization

    if head is None and isinstance(prior_correction, TauNormalization):
        raise UsageError(
            "prior_correction=tau_normalization needs the weights of a linear head of one net, which this run does not "
            "have: choose prior_correction=logit_adjustment"
        )
