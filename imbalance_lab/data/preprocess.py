"""The preparation of the columns of a table, fitted on the training split; a part of the model."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from imbalance_lab.validation import check_choice

Scaling = Literal["standard", "quantile", "none"]

QUANTILES, SAMPLE = 1000, 100_000
"""Of a quantile transform, and the rows (evenly spaced) that they are estimated from."""

FARTHEST = 5.199338
"""Φ⁻¹(1 − 10⁻⁷): values beyond the training rows are clipped to it."""


class Preprocess(nn.Module):
    """Impute and scale numbers, with indicators of missing ones; category codes pass through.

    Rows (N, F) hold K numbers, NaN where missing, then codes. Out come (N, K + M + F − K): the numbers, a missing one
    replaced by the training median; for each of the M columns in which the training rows have gaps, 1 where a number
    was missing, else 0; the codes. "standard" gives the numbers mean 0 and deviation 1; "quantile" maps the training
    quantiles to those of a normal distribution, as scikit-learn's ``QuantileTransformer`` does, save that values tied
    at an end lie in the middle of their ranks, as all ties do.
    """

    median: Tensor
    gaps: Tensor
    mean: Tensor
    std: Tensor
    quantiles: Tensor

    def __init__(self, median: Tensor, gaps: Tensor, mean: Tensor, std: Tensor, quantiles: Tensor) -> None:
        super().__init__()
        for name, buffer in (
            ("median", median),
            ("gaps", gaps),
            ("mean", mean),
            ("std", std),
            ("quantiles", quantiles),
        ):
            self.register_buffer(name, buffer)

    @classmethod
    def fitted(
        cls,
        rows: Tensor,
        numbers: int,
        scaling: Scaling = "standard",
        *,
        gaps: Sequence[int] | None = None,
        n_quantiles: int | None = None,
    ) -> "Preprocess":
        """Take medians, gaps and scale from training ``rows`` (N, F), of which the first ``numbers`` are numbers.

        ``gaps`` and ``n_quantiles`` are those of a trained model, if the result has to have its shapes.

        Raises:
            ValueError: for an unknown scaling.
        """
        check_choice("scaling", scaling, get_args(Scaling))
        values = rows[:, :numbers]
        missing = values.isnan()
        median = torch.tensor([_median(column) for column in values.unbind(1)], dtype=torch.float32)
        gap_columns = missing.any(0).nonzero().flatten() if gaps is None else torch.tensor(gaps, dtype=torch.long)
        filled = torch.where(missing, median, values)
        mean, std, quantiles = torch.zeros(numbers), torch.ones(numbers), torch.empty(numbers, 0)
        if scaling == "standard":
            # In float64, as amounts of 10⁹ lose their cents in float32; column by column, for the memory.
            moments = [(c.mean(), c.std(correction=0)) for c in (column.double() for column in filled.unbind(1))]
            mean = torch.tensor([m for m, _ in moments], dtype=torch.float32)
            std = torch.tensor([s if s > 0 else 1.0 for _, s in moments], dtype=torch.float32)
        elif scaling == "quantile":
            sample = filled[:: max(1, len(filled) // SAMPLE)].double()
            levels = torch.linspace(0, 1, n_quantiles or min(QUANTILES, len(sample)), dtype=torch.float64)
            # Not all columns at once: torch.quantile takes 16 million values at most.
            quantiles = torch.stack([column.quantile(levels) for column in sample.unbind(1)] or [levels[:0]]).float()
        return cls(median, gap_columns, mean, std, quantiles)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows (N, F) → (N, F + M)."""
        numbers = len(self.median)
        values, codes = rows[:, :numbers], rows[:, numbers:]
        missing = values.isnan()
        filled = torch.where(missing, self.median, values)
        scaled = self._normal(filled) if self.quantiles.numel() else (filled - self.mean) / self.std
        return torch.cat([scaled, missing[:, self.gaps].to(scaled.dtype), codes], 1)

    def _normal(self, values: Tensor) -> Tensor:
        """Each value's level among the training quantiles, as a normal deviate."""
        x = values.T.contiguous()
        last = self.quantiles.shape[1] - 1
        levels = torch.zeros_like(x)
        if last:
            # Where quantiles are tied a value lies in the middle of them: the mean of both ends.
            for right in (True, False):
                above = torch.searchsorted(self.quantiles, x, right=right).clamp(1, last)
                low, high = self.quantiles.gather(1, above - 1), self.quantiles.gather(1, above)
                share = torch.where(high > low, (x - low) / (high - low), 1.0 if right else 0.0)
                levels += (above - 1 + share.clamp(0, 1)) / (2 * last)
        normal: Tensor = torch.special.ndtri(levels.clamp(0, 1))
        return normal.clamp(-FARTHEST, FARTHEST).T


def _median(column: Tensor) -> float:
    """Of the values that are present; the mean of the middle two, and 0 without any."""
    there = column[~column.isnan()].double()
    if not len(there):
        return 0.0
    low = there.kthvalue((len(there) + 1) // 2).values
    high = there.kthvalue(len(there) // 2 + 1).values
    return float(low + high) / 2
