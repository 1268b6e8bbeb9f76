"""Learned embeddings of the categories of a table."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_widths
from imbalance_lab.validation import check_integer

MAX_WIDTH = 50


class Embedding(nn.Module):
    """Replaces each of the last K columns, category codes, by a vector of length min(50, ⌈n / 2⌉) for n codes.

    Args:
        features: F, the number of input columns.
        cardinalities: the number of codes n of each of the last K columns; code 0 is missing or unseen.
    """

    def __init__(self, features: int, cardinalities: Sequence[int] = ()) -> None:
        super().__init__()
        check_integer("cardinalities: number of columns", len(cardinalities), maximum=features)
        sizes = check_widths("cardinalities", cardinalities)
        widths = [min(MAX_WIDTH, (n + 1) // 2) for n in sizes]
        self.tables = nn.ModuleList(nn.Embedding(n, width) for n, width in zip(sizes, widths, strict=True))
        self.num_features = features - len(widths) + sum(widths)

    def forward(self, rows: Tensor) -> Tensor:
        """(N, F) → (N, num_features)."""
        if not self.tables:
            return rows
        numbers = rows.shape[1] - len(self.tables)
        codes = rows[:, numbers:].long()
        vectors = [table(codes[:, k]) for k, table in enumerate(self.tables)]
        return torch.cat([rows[:, :numbers], *vectors], 1)
