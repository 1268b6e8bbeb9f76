"""TabM (Gorishniy et al. 2025, arXiv 2410.24210): k multilayer perceptrons for tables that share most weights."""

import math
from collections.abc import Sequence

from tabm import EnsembleView, make_tabm_backbone
from torch import Tensor, nn

from imbalance_lab.backbones.embedding import Embedding
from imbalance_lab.backbones.members import MAX_MEMBERS
from imbalance_lab.validation import check_choice, check_integer, check_number

ARCHITECTURES = ("tabm", "tabm-mini")


class TabM(nn.Module):
    """The authors' backbone (package ``tabm``): inputs (N, …) → features (N, k, d_block).

    Each of the k members multiplies inputs and outputs of the shared layers by factors of its own; they differ at the
    start by a random sign for each column (with periodic embeddings, a normal number). Each has its own loss, and their
    probabilities are averaged.

    Args:
        input_shape: shape of one example; it is flattened.
        k: the number of members, ≥ 2.
        n_blocks: the number of blocks: linear layer, ReLU, dropout.
        d_block: features of each block.
        dropout: probability of dropping a feature in training, in [0, 1).
        arch_type: "tabm": factors in every layer; "tabm-mini": only before the first.
        cardinalities: for tables, the number of codes of each categorical column, which come last; see `Embedding`.
        unknown_rate: for those columns, the probability in [0, 1) that a category is replaced by the unknown one in
            training, so that a category which no training row has gets a trained vector; see `Embedding`.
        one_hot, n_periodic: for tables, see `Embedding`.
    """

    shares_weights = True

    def __init__(
        self,
        input_shape: Sequence[int],
        k: int = 32,
        n_blocks: int = 3,
        d_block: int = 512,
        dropout: float = 0.1,
        arch_type: str = "tabm",
        cardinalities: Sequence[int] = (),
        unknown_rate: float = 0.0,
        one_hot: int = 0,
        n_periodic: int = 0,
    ) -> None:
        super().__init__()
        self.num_members = check_integer("k", k, minimum=2, maximum=MAX_MEMBERS)
        self.num_features = check_integer("d_block", d_block, minimum=1)
        self.embedding = Embedding(math.prod(input_shape), cardinalities, unknown_rate, one_hot, n_periodic)
        self.to_members = EnsembleView(k=k)
        self.blocks = make_tabm_backbone(
            d_in=self.embedding.num_features,
            n_blocks=check_integer("n_blocks", n_blocks, minimum=1),
            d_block=d_block,
            dropout=check_number("dropout", dropout, minimum=0, below=1),
            k=k,
            arch_type=check_choice("arch_type", arch_type, ARCHITECTURES),
            start_scaling_init="normal" if n_periodic else "random-signs",  # as the authors choose it
            start_scaling_init_chunks=self.embedding.widths,  # one number for the features of a column
        )

    def forward(self, rows: Tensor) -> Tensor:
        """(N, …) → (N, k, d_block)."""
        features: Tensor = self.blocks(self.to_members(self.embedding(rows.flatten(1))))
        return features
