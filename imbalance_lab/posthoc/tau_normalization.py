"""τ-normalization (Kang et al. 2020, arXiv 1910.09217, section 4.1): equalize the norms of the classes' weights."""

from torch import Tensor

from imbalance_lab.validation import check_number


def tau_normalized(weight: Tensor, tau: float) -> Tensor:
    """w_c / ‖w_c‖^τ: a linear head learns larger weight norms for classes with many examples.

    Use it without the head's bias, as the paper does: logits are features · w. For stored logits z of a head with bias
    b this equals (z − b) / ‖w‖^τ, so that τ (the paper tries 0 to 2) can be chosen on validation without the net.

    Args:
        weight: (C, F) of a linear head.
        tau: ≥ 0; 0 changes nothing, 1 gives all rows the norm 1.

    Raises:
        TypeError, ValueError: if ``tau`` is not a number ≥ 0.

    Properties: scaling a row by s scales the result by s^(1 − τ); a row of zeros stays zero.

    >>> import torch
    >>> tau_normalized(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), tau=1)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    check_number("tau", tau, minimum=0)
    if not isinstance(weight, Tensor):
        raise TypeError(f"weight must be a tensor (C, F), got {type(weight).__name__}: convert it with torch.as_tensor")
    if weight.ndim != 2 or bool(weight.isnan().any()):
        raise ValueError(f"weight must have shape (C, F) and no NaN, got shape {tuple(weight.shape)}: pass head.weight")
    norm = weight.norm(dim=1, keepdim=True)
    divisor: Tensor = norm.where(norm > 0, 1).pow(tau)
    return weight / divisor
