"""A residual multi-layer perceptron for tables (Gorishniy et al. 2021, arXiv 2106.11959, section 3.2, "ResNet")."""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.backbones.dropout import Dropout
from imbalance_lab.backbones.embedding import Embedding
from imbalance_lab.backbones.member_layers import ToMembers, batch_norm, linear
from imbalance_lab.validation import check_integer, check_number


class ResidualMLP(nn.Module):
    """A linear layer, then blocks x + linear(dropout(ReLU(linear(norm(x))))), then normalization and ReLU.

    Args:
        input_shape: shape of one example; it is flattened.
        width: features between the blocks.
        depth: number of blocks.
        expansion: features inside a block, as a multiple of ``width``.
        dropout: probability of dropping a feature inside a block in training, in [0, 1).
        cardinalities: for tables, the number of codes of each categorical column, which come last; see `Embedding`.
        unknown_rate: for those columns, the probability in [0, 1) that a category is replaced by the unknown one in
            training, so that a category which no training row has gets a trained vector; see `Embedding`.
        one_hot, n_periodic: for tables, see `Embedding`.
        members: k, the nets that are trained side by side; they share the embedding, and nothing else.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        width: int = 192,
        depth: int = 3,
        expansion: float = 2.0,
        dropout: float = 0.2,
        cardinalities: Sequence[int] = (),
        unknown_rate: float = 0.0,
        one_hot: int = 0,
        n_periodic: int = 0,
        members: int = 1,
    ) -> None:
        super().__init__()
        check_integer("width", width, minimum=1)
        check_integer("depth", depth, minimum=1)
        dropout = check_number("dropout", dropout, minimum=0, below=1)
        inner = int(width * check_number("expansion", expansion, minimum=1 / width))
        self.embedding = Embedding(math.prod(input_shape), cardinalities, unknown_rate, one_hot, n_periodic)
        self.num_members = check_integer("members", members, minimum=1)
        self.to_members = nn.Identity() if members == 1 else ToMembers(members)
        self.stem = linear(self.embedding.num_features, width, members)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                batch_norm(width, members),
                linear(width, inner, members),
                nn.ReLU(),
                Dropout(dropout),
                linear(inner, width, members),
            )
            for _ in range(depth)
        )
        self.norm = batch_norm(width, members)
        self.num_features = width

    def forward(self, rows: Tensor) -> Tensor:
        """(N, …) → (N, width); of several members (N, k, width)."""
        x = self.stem(self.to_members(self.embedding(rows.flatten(1))))
        for block in self.blocks:
            x = x + block(x)
        return F.relu(self.norm(x))
