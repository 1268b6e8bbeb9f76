"""The columns of a table as the features of a net: categories one-hot or embedded, numbers plain or periodic.

Learned embeddings of categories: Guo and Berkhahn 2016, arXiv 1604.06737. Of numbers: periodic functions with learned
frequencies (Gorishniy et al. 2022, arXiv 2203.05556, section 3.3; package rtdl-num-embeddings).

A table without missing values never shows code 0 in training, so its vector would stay as it was drawn. Replacing codes
by 0 at random in training trains it. In texts this is word dropout: Iyyer et al. 2015 (ACL, "Deep Unordered Composition
Rivals Syntactic Methods for Text Classification") leave words out at random, Bowman et al. 2016 (arXiv 1511.06349,
section 3.1) replace them by the token of unknown words, as here.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from rtdl_num_embeddings import PeriodicEmbeddings
from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_widths
from imbalance_lab.validation import check_integer, check_number

MAX_WIDTH = 50
FREQUENCIES, SIGMA, PERIODIC_WIDTH = 24, 0.1, 8
"""Of each number's periodic embedding: how many, their deviation at the start, and the features that come out."""


class Embedding(nn.Module):
    """Replaces category codes, the last K columns, by features: one-hot at low cardinality, else learned vectors.

    A vector has the length min(50, ⌈n / 2⌉) for n codes. The first ``n_periodic`` columns, numbers, are kept and get
    features of cosines and sines with learned frequencies beside them.

    Args:
        features: F, the number of input columns.
        cardinalities: the number of codes n of each of the last K columns; code 0 is missing or unseen.
        unknown_rate: probability, in [0, 1), that a code is replaced by 0 in training: each on its own, by torch's
            default generator (of the device), as dropout draws. 0 draws nothing, and is the embedding without it.
        one_hot: categories with at most this many codes become n features, 1 for the code and else 0.
        n_periodic: how many numbers, which come first, are embedded periodically.

    ``widths`` says how many of the features belong together, in their order.
    """

    def __init__(
        self,
        features: int,
        cardinalities: Sequence[int] = (),
        unknown_rate: float = 0.0,
        one_hot: int = 0,
        n_periodic: int = 0,
    ) -> None:
        super().__init__()
        self.unknown_rate = check_number("unknown_rate", unknown_rate, minimum=0, below=1)
        check_integer("cardinalities: number of columns", len(cardinalities), maximum=features)
        check_integer("n_periodic", n_periodic, minimum=0, maximum=features - len(cardinalities))
        self.sizes = check_widths("cardinalities", cardinalities)
        self.one_hot = check_integer("one_hot", one_hot, minimum=0)
        self.n_periodic = n_periodic
        self.tables = nn.ModuleList(
            nn.Identity() if n <= one_hot else _embedding(n, is_small=one_hot > 0) for n in self.sizes
        )
        widths = [getattr(table, "embedding_dim", n) for n, table in zip(self.sizes, self.tables, strict=True)]
        self.widths = [1] * (features - len(widths)) + [PERIODIC_WIDTH] * n_periodic + widths
        self.num_features = sum(self.widths)
        self.periodic = (
            PeriodicEmbeddings(
                n_periodic, PERIODIC_WIDTH, n_frequencies=FREQUENCIES, frequency_init_scale=SIGMA, lite=False
            )
            if n_periodic
            else None
        )

    def forward(self, rows: Tensor) -> Tensor:
        """(N, F) → (N, num_features)."""
        parts = [] if self.periodic is None else [self.periodic(rows[:, : self.n_periodic]).flatten(1)]
        if not self.tables:
            return torch.cat([rows, *parts], 1) if parts else rows
        numbers = rows.shape[1] - len(self.tables)
        codes = rows[:, numbers:].long()
        if self.training and self.unknown_rate:
            codes = codes.masked_fill(torch.rand(codes.shape, device=codes.device) < self.unknown_rate, 0)
        for k, (n, table) in enumerate(zip(self.sizes, self.tables, strict=True)):
            is_one_hot = isinstance(table, nn.Identity)
            parts.append(F.one_hot(codes[:, k], n).to(rows.dtype) if is_one_hot else table(codes[:, k]))
        return torch.cat([rows[:, :numbers], *parts], 1)


def _embedding(n: int, *, is_small: bool) -> nn.Embedding:
    """Vectors for n codes, drawn from N(0, 1); small: as a linear layer's weights on one-hot codes would be."""
    table = nn.Embedding(n, min(MAX_WIDTH, (n + 1) // 2))
    if is_small:
        bound = 1 / math.sqrt(n)
        nn.init.uniform_(table.weight, -bound, bound)
    return table
