"""(x − mean) / std, fitted on the training split; part of the model, so that it travels with the weights."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    """(x − mean) / std for each channel or feature."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    @classmethod
    def fitted(cls, inputs: Tensor) -> "Normalize":
        """Take mean and deviation over the examples (and pixels) of ``inputs`` (N, channels, …)."""
        # Part by part: a whole split as float64 may not fit where its bytes do.
        return cls.fitted_on(torch.split(inputs, 1024))

    @classmethod
    def fitted_on(cls, parts: Iterable[Tensor]) -> "Normalize":
        """The same over inputs that come in parts (n, channels, …), which are gone through twice."""
        parts = list(parts)
        over = [0, *range(2, parts[0].ndim)]
        n = sum(part.numel() for part in parts) / parts[0].shape[1]
        mean = torch.stack([part.double().sum(over, keepdim=True) for part in parts]).sum(0) / n
        squares = torch.stack([(part.double() - mean).square().sum(over, keepdim=True) for part in parts])
        variance = squares.sum(0) / n
        std = variance.sqrt().where(variance > 0, 1)
        return cls(mean[0].float(), std[0].float())

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, channels, …) → the same, in the dtype of the mean."""
        return (inputs.to(self.mean.dtype) - self.mean) / self.std
