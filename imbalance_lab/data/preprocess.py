"""The preparation of the columns of a table, fitted on the training split; a part of the model."""

import warnings
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from rtdl_num_embeddings import PiecewiseLinearEncoding, compute_bins
from torch import Tensor, nn

from imbalance_lab.validation import check_choice

Scaling = Literal["standard", "quantile", "none"]
Numerical = Literal["plain", "piecewise", "periodic"]

QUANTILES, SAMPLE = 1000, 100_000
"""Of a quantile transform, and the rows (evenly spaced) that they are estimated from."""

BINS, MAX_ENCODED = 16, 640
"""Of a piecewise-linear encoding: bins of a column, and of all columns together, so that wide tables have fewer."""

BEYOND = 1.0
"""Of the outer bins' width: how far beyond them a number may count."""

FARTHEST = 5.199338
"""Φ⁻¹(1 − 10⁻⁷): values beyond the training rows are clipped to it."""


class Preprocess(nn.Module):
    """Impute and scale numbers, with indicators of missing ones; category codes pass through.

    Rows (N, F) hold K numbers, NaN where missing, then codes. Out come (N, K + M + F − K): the numbers, a missing one
    replaced by the training median; for each of the M columns in which the training rows have gaps, 1 where a number
    was missing, else 0; the codes. "standard" gives the numbers mean 0 and deviation 1; "quantile" maps the training
    quantiles to those of a normal distribution, as scikit-learn's ``QuantileTransformer`` does, save that values tied
    at an end lie in the middle of their ranks, as all ties do.

    With ``bins`` the numbers are followed by their piecewise-linear encodings (Gorishniy et al. 2022, arXiv 2203.05556,
    equation 1; package rtdl-num-embeddings): of the bins between training quantiles, those below the number are 1, its
    own is the share of the bin that lies below it, those above are 0. Numbers beyond the training rows count as one
    width of the outer bin beyond at most. Out come B more columns then, the bins of all numbers.
    """

    median: Tensor
    gaps: Tensor
    mean: Tensor
    std: Tensor
    quantiles: Tensor

    def __init__(
        self,
        median: Tensor,
        gaps: Tensor,
        mean: Tensor,
        std: Tensor,
        quantiles: Tensor,
        bins: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.encoding = _encoding(bins) if bins else None
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
        numerical: Numerical = "plain",
        gaps: Sequence[int] | None = None,
        n_quantiles: int | None = None,
        n_bins: Sequence[int] | None = None,
    ) -> "Preprocess":
        """Take medians, gaps and scale from training ``rows`` (N, F), of which the first ``numbers`` are numbers.

        ``gaps``, ``n_quantiles`` and ``n_bins`` are those of a trained model, if the result has to have its shapes: its
        bins then are no more than placeholders. ``numerical="periodic"`` is as "plain" here: it is learned, by the
        backbone.

        Raises:
            ValueError: for an unknown scaling or encoding.
        """
        check_choice("scaling", scaling, get_args(Scaling))
        check_choice("numerical", numerical, get_args(Numerical))
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
            sample = _sample(filled).double()
            levels = torch.linspace(0, 1, n_quantiles or min(QUANTILES, len(sample)), dtype=torch.float64)
            # Not all columns at once: torch.quantile takes 16 million values at most.
            quantiles = torch.stack([column.quantile(levels) for column in sample.unbind(1)] or [levels[:0]]).float()
        fitted = cls(median, gap_columns, mean, std, quantiles)
        if n_bins is not None:
            return cls(median, gap_columns, mean, std, quantiles, placeholders(n_bins))
        if numerical != "piecewise" or not numbers:
            return fitted
        return cls(median, gap_columns, mean, std, quantiles, _bins(fitted(_sample(rows))[:, :numbers]))

    @property
    def n_bins(self) -> tuple[int, ...]:
        """The bins of each number's piecewise-linear encoding; empty without."""
        if self.encoding is None:
            return ()
        mask: Tensor | None = self.encoding.impl.mask
        widest = self.encoding.impl.get_max_n_bins()
        return (widest,) * len(self.median) if mask is None else tuple(mask.sum(1).tolist())

    def forward(self, rows: Tensor) -> Tensor:
        """Rows (N, F) → (N, F + M), or (N, F + B + M) with an encoding."""
        numbers = len(self.median)
        values, codes = rows[:, :numbers], rows[:, numbers:]
        missing = values.isnan()
        filled = torch.where(missing, self.median, values)
        scaled = self._normal(filled) if self.quantiles.numel() else (filled - self.mean) / self.std
        encoded = [] if self.encoding is None else [self.encoding(scaled).clamp(-BEYOND, 1 + BEYOND)]
        return torch.cat([scaled, *encoded, missing[:, self.gaps].to(scaled.dtype), codes], 1)

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


def placeholders(n_bins: Sequence[int]) -> list[Tensor]:
    """Bins for an encoding whose state is loaded afterwards."""
    return [torch.arange(n + 1, dtype=torch.float32) for n in n_bins]


def _sample(rows: Tensor) -> Tensor:
    """Evenly spaced rows, about `SAMPLE` at most."""
    return rows[:: max(1, len(rows) // SAMPLE)]


def _bins(scaled: Tensor) -> list[Tensor]:
    """The edges of each column's bins, between quantiles of the scaled training rows (N, K); two edges at least."""
    n = min(BINS, MAX_ENCODED // scaled.shape[1], len(scaled) - 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*just two bin edges")  # as of a column of 0 and 1
        bins = []
        for column in scaled.unbind(1):
            low, high = column.min(), column.max()
            if low == high:  # among these rows
                bins.append(torch.stack([low - 0.5, low + 0.5]))
            else:
                bins.append(compute_bins(column[:, None], n)[0] if n > 1 else torch.stack([low, high]))
        return bins


def _encoding(bins: Sequence[Tensor]) -> PiecewiseLinearEncoding:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*just two bin edges")
        return PiecewiseLinearEncoding(list(bins))


def _median(column: Tensor) -> float:
    """Of the values that are present; the mean of the middle two, and 0 without any."""
    there = column[~column.isnan()].double()
    if not len(there):
        return 0.0
    low = there.kthvalue((len(there) + 1) // 2).values
    high = there.kthvalue(len(there) // 2 + 1).values
    return float(low + high) / 2
