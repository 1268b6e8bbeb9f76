"""Dropout whose random bits are drawn fast on CPUs."""

import torch
from torch import Tensor, nn

from imbalance_lab.validation import check_number

LEVELS = 2**16


class Dropout(nn.Module):
    """`torch.nn.Dropout` (Srivastava et al. 2014), in half of its time on a CPU.

    There torch draws a number for each feature. A random 64-bit integer has the bits of four, each of which is dropped
    with the probability ⌊65,536 p⌋ / 65,536 and scaled by its inverse otherwise, so that the mean is exactly the input.

    Args:
        p: the probability of dropping a feature in training, in [0, 1).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = check_number("p", p, minimum=0, below=1)

    def forward(self, features: Tensor) -> Tensor:
        """Features of any shape → the same shape; drawn from the default generator of their device."""
        if not self.training:
            return features
        if features.device.type != "cpu":
            return nn.functional.dropout(features, self.p)
        n, dropped = features.numel(), int(self.p * LEVELS)
        bits = torch.randint(-(2**63), 2**63 - 1, ((n + 3) // 4,))
        levels = bits.view(torch.int16)[:n].view(features.shape)
        # 1 from the level dropped − LEVELS / 2 on, else 0; a product with booleans takes several times as long.
        is_kept = (levels.float() - (dropped - LEVELS // 2 - 1)).clamp(0, 1).to(features.dtype)
        return features * is_kept * (LEVELS / (LEVELS - dropped))

    def extra_repr(self) -> str:
        """The probability, for ``print(net)``."""
        return f"p={self.p}"
