"""Learned embeddings of the categories of a table (Guo and Berkhahn 2016, arXiv 1604.06737), and of the unseen ones.

A table without missing values never shows code 0 in training, so its vector would stay as it was drawn. Replacing codes
by 0 at random in training trains it. In texts this is word dropout: Iyyer et al. 2015 (ACL, "Deep Unordered Composition
Rivals Syntactic Methods for Text Classification") leave words out at random, Bowman et al. 2016 (arXiv 1511.06349,
section 3.1) replace them by the token of unknown words, as here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_widths
from imbalance_lab.validation import check_integer, check_number

MAX_WIDTH = 50


class Embedding(nn.Module):
    """Replaces each of the last K columns, category codes, by a vector of length min(50, ⌈n / 2⌉) for n codes.

    Args:
        features: F, the number of input columns.
        cardinalities: the number of codes n of each of the last K columns; code 0 is missing or unseen.
        unknown_rate: probability, in [0, 1), that a code is replaced by 0 in training: each on its own, by torch's
            default generator (of the device), as dropout draws. 0 draws nothing, and is the embedding without it.
    """

    def __init__(self, features: int, cardinalities: Sequence[int] = (), unknown_rate: float = 0.0) -> None:
        super().__init__()
        self.unknown_rate = check_number("unknown_rate", unknown_rate, minimum=0, below=1)
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
        if self.training and self.unknown_rate:
            codes = codes.masked_fill(torch.rand(codes.shape, device=codes.device) < self.unknown_rate, 0)
        vectors = [table(codes[:, k]) for k, table in enumerate(self.tables)]
        return torch.cat([rows[:, :numbers], *vectors], 1)
