"""τ-normalisation (Kang et al. 2020, arXiv 1910.09217, section 4.1): even out how long the classes' weights are."""

from torch import Tensor


def tau_normalized(weight: Tensor, tau: float) -> Tensor:
    """w_c / ‖w_c‖^τ: heads trained on many examples of a class grow longer weights for it.

    Use it without the head's bias, as the paper does: logits are features · w. On stored logits z of a head with bias b
    the same is (z − b) / ‖w‖^τ, so that τ (the paper tries 0 to 2) is chosen on validation without the net.

    Args:
        weight: (C, F) of a linear head.
        tau: 0 leaves it as it is, 1 makes all rows of length 1.

    Laws: scaling a row by s scales it by s^(1 − τ); a row of zeros stays one.

    >>> import torch
    >>> tau_normalized(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), tau=1)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    if isinstance(tau, bool) or not isinstance(tau, int | float) or not 0 <= tau < float("inf"):
        raise ValueError(f"tau must be a number ≥ 0, got {tau!r}")
    length = weight.norm(dim=1, keepdim=True)
    divisor: Tensor = length.where(length > 0, 1).pow(tau)
    return weight / divisor
