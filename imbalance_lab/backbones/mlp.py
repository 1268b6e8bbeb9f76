"""A multilayer perceptron, for inputs of any shape."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from imbalance_lab.backbones.arguments import check_widths
from imbalance_lab.backbones.dropout import Dropout
from imbalance_lab.backbones.embedding import Embedding
from imbalance_lab.backbones.member_layers import ToMembers, linear
from imbalance_lab.validation import check_integer, check_number


class MLP(nn.Module):
    """Linear layers, each followed by ReLU.

    Args:
        input_shape: shape of one example; it is flattened.
        widths: features of each hidden layer.
        dropout: probability of dropping a hidden feature in training, in [0, 1).
        cardinalities: for tables, the number of codes of each categorical column, which come last; see `Embedding`.
        unknown_rate: for those columns, the probability in [0, 1) that a category is replaced by the unknown one in
            training, so that a category which no training row has gets a trained vector; see `Embedding`.
        one_hot, n_periodic: for tables, see `Embedding`.
        members: k, the nets that are trained side by side; they share the embedding, and nothing else.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        widths: Sequence[int] = (256, 128),
        dropout: float = 0.0,
        cardinalities: Sequence[int] = (),
        unknown_rate: float = 0.0,
        one_hot: int = 0,
        n_periodic: int = 0,
        members: int = 1,
    ) -> None:
        super().__init__()
        dropout = check_number("dropout", dropout, minimum=0, below=1)
        embedding = Embedding(math.prod(input_shape), cardinalities, unknown_rate, one_hot, n_periodic)
        layers: list[nn.Module] = [nn.Flatten(), embedding] if cardinalities or n_periodic else [nn.Flatten()]
        features = embedding.num_features
        self.num_members = check_integer("members", members, minimum=1)
        if members > 1:
            layers.append(ToMembers(members))
        for width in check_widths("widths", widths):
            layers += [linear(features, width, members), nn.ReLU()]
            if dropout:
                layers.append(Dropout(dropout))
            features = width
        self.layers = nn.Sequential(*layers)
        self.num_features = features

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, …) → (N, num_features); of several members (N, k, num_features)."""
        features: Tensor = self.layers(inputs)
        return features
