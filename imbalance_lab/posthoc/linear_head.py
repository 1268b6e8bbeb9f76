"""What τ-normalization needs to know of a linear head: the norms of its weights, and its bias."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from imbalance_lab.validation import check_list, check_number


@dataclass(frozen=True)
class LinearHead:
    """The head whose logits are w_c · x + b_c.

    Args:
        norm: ‖w_c‖ of each class, (C,).
        bias: b_c, (C,).

    Raises:
        TypeError, ValueError: for what is not that.
    """

    norm: tuple[float, ...]
    bias: tuple[float, ...]

    def __post_init__(self) -> None:
        norm = tuple(check_number("norm", each, minimum=0) for each in check_list("norm", self.norm))
        bias = tuple(check_number("bias", each) for each in check_list("bias", self.bias, len(norm)))
        object.__setattr__(self, "norm", norm)
        object.__setattr__(self, "bias", bias)

    @classmethod
    def from_weights(cls, weight: Tensor, bias: Tensor | None) -> "LinearHead":
        """Of weights (C, F) and a bias (C,), if there is one."""
        norm = weight.double().norm(dim=1).tolist()
        return cls(tuple(norm), (0.0,) * len(norm) if bias is None else tuple(bias.double().tolist()))

    def as_json(self) -> dict[str, Sequence[float]]:
        """Plain values."""
        return {"norm": list(self.norm), "bias": list(self.bias)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LinearHead":
        """Read what `as_json` returned."""
        return cls(content["norm"], content["bias"])
