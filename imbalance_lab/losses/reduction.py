"""From the losses of a batch to one number, which means the same on one process and on several."""

from typing import Literal, get_args

from torch import Tensor

from imbalance_lab.losses.distributed import sum_over_ranks, world_size
from imbalance_lab.validation import check_choice

Reduction = Literal["none", "sum", "mean"]


def check_reduction(reduction: Reduction) -> Reduction:
    """Return ``reduction``, or raise a ValueError that names the choices."""
    check_choice("reduction", reduction, get_args(Reduction))
    return reduction


def reduce(loss: Tensor, reduction: str, normalizer: Tensor) -> Tensor:
    """Reduce the losses, which are 0 where ignored; a mean divides by ``normalizer``, and is 0 where that is 0.

    In training on several processes a mean divides by the *average* normalizer of the processes. DDP averages the
    gradients, so Σ_r loss_r / mean_r(normalizer) / R = Σ loss / Σ normalizer: the gradient of one process with the
    whole batch, however unevenly it was divided. Every process must then call the loss. Without a gradient
    (evaluation) nothing is communicated, and the mean is that of this process.
    """
    if reduction == "none":
        return loss
    total = loss.sum()
    if reduction == "sum":
        return total
    if total.requires_grad and world_size() > 1:
        total, normalizer = total * world_size(), sum_over_ranks(normalizer)
    return total / (normalizer + (normalizer == 0))
