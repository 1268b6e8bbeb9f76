"""A multi-layer perceptron, for anything that can be flattened."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from imbalance_lab.backbones.embedding import Embedding


class MLP(nn.Module):
    """Linear layers with ReLU between.

    Args:
        input_shape: shape of one example; it is flattened.
        widths: features of each hidden layer.
        dropout: share of hidden features that is dropped in training, in [0, 1).
        cardinalities: of the rows of a table, codes of each of the last columns, which are categories; see `Embedding`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        widths: Sequence[int] = (256, 128),
        dropout: float = 0.0,
        cardinalities: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if isinstance(widths, int | float | str) or not all(isinstance(w, int) and w >= 1 for w in widths):
            raise ValueError(f"widths must be a list of whole numbers ≥ 1, got {widths!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        embedding = Embedding(math.prod(input_shape), cardinalities)
        layers: list[nn.Module] = [nn.Flatten(), embedding] if cardinalities else [nn.Flatten()]
        features = embedding.num_features
        for width in widths:
            layers += [nn.Linear(features, width), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            features = width
        self.layers = nn.Sequential(*layers)
        self.num_features = features

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, …) → (N, num_features)."""
        features: Tensor = self.layers(inputs)
        return features
