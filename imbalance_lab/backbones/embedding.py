"""Learnt vectors for the categories of a table."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WIDEST = 50


class Embedding(nn.Module):
    """Replaces the last K columns, category codes, by a vector each, min(50, ⌈n / 2⌉) long for n codes.

    Args:
        features: F, columns that come in.
        cardinalities: for each of the last K columns its number of codes n: 0 is missing or unseen.
    """

    def __init__(self, features: int, cardinalities: Sequence[int] = ()) -> None:
        super().__init__()
        widths = [min(WIDEST, (n + 1) // 2) for n in cardinalities]
        self.tables = nn.ModuleList(nn.Embedding(n, width) for n, width in zip(cardinalities, widths, strict=True))
        self.num_features = features - len(widths) + sum(widths)

    def forward(self, rows: Tensor) -> Tensor:
        """(N, F) → (N, num_features)."""
        if not self.tables:
            return rows
        numbers = rows.shape[1] - len(self.tables)
        codes = rows[:, numbers:].long()
        vectors = [table(codes[:, k]) for k, table in enumerate(self.tables)]
        return torch.cat([rows[:, :numbers], *vectors], 1)
