"""Heads of a frozen backbone that keep the training examples: nearest neighbors and kernel ridge regression."""

from collections.abc import Sequence
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.backbones.fitted_heads import FittedHead
from imbalance_lab.validation import check_integer, check_list, check_number

TEMPERATURES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Of the scores of a kernel ridge regression, about 1 for the class and 0 for others; without validation 0.2."""


class KNNHead(FittedHead):
    """The classes of the k nearest training examples by the cosine of their features, nearer ones weighing more.

    p_c ∝ Σ_{i of the k, y_i = c} exp(cos(x, x_i) / T) (Wu et al. 2018, arXiv 1805.01978, section 3.4), of which a
    hundredth goes to the classes' shares in training, so that no class has probability 0.

    Args:
        in_features: F.
        out_features: C.
        k: the number of neighbors.
        temperature: T > 0.
        balanced: whether a neighbor is weighted by 1 / n of its class.
        num_examples: N, the number of training examples, which are part of the model.
    """

    features: Tensor
    target: Tensor
    class_weight: Tensor
    prior: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        num_examples: int,
        k: int = 50,
        temperature: float = 0.07,
        balanced: bool = False,
    ) -> None:
        super().__init__(in_features, out_features, balanced)
        self.num_examples = check_integer("num_examples", num_examples, minimum=1)
        self.k = check_integer("k", k, minimum=1, maximum=self.num_examples)
        self.temperature = check_number("temperature", temperature, above=0)
        self.register_buffer("features", torch.zeros(num_examples, in_features))
        self.register_buffer("target", torch.zeros(num_examples, dtype=torch.long))
        self.register_buffer("class_weight", torch.ones(out_features))
        self.register_buffer("prior", torch.full((out_features,), 1 / out_features))

    def fit(self, features: Tensor, target: Tensor, val: tuple[Tensor, Tensor] | None) -> str:
        """Remember the training examples."""
        counts = torch.bincount(target, minlength=self.out_features)
        self.features.copy_(F.normalize(features))
        self.target.copy_(target)
        self.prior.copy_(torch.tensor(self.implied_prior(counts)))
        if self.balanced:
            self.class_weight.copy_(1 / counts)
        return ""

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) → logits (N, C), log-probabilities."""
        nearest = F.linear(F.normalize(features.float()), self.features).topk(self.k)
        weight = torch.exp((nearest.values - nearest.values[:, :1]) / self.temperature)
        votes = F.one_hot(self.target, self.out_features).float()[nearest.indices] * self.class_weight
        shares = (weight.unsqueeze(2) * votes).sum(1)
        return torch.log(0.99 * shares / shares.sum(1, keepdim=True) + 0.01 * self.prior)


class KernelRidgeHead(FittedHead):
    """Regression of the classes, 1 or 0, on a Gaussian kernel of the features; not linear, and of a closed form.

    f(x) = ȳ + Σ_i a_i exp(−γ |x − x_i|² / m), a = (K + λ I)⁻¹ (Y − ȳ), with m the median of |x_i − x_j|²
    (Saunders et al. 1998, Ridge Regression Learning Algorithm in Dual Variables). Logits are f / T; T makes the log
    loss on validation lowest, as γ and λ do if there are several.

    Args:
        in_features: F.
        out_features: C.
        gamma: γ > 0, or several.
        ridge: λ > 0, or several.
        balanced: whether λ of an example is multiplied by n of its class over the mean of all classes.
        num_examples: N, the number of training examples, which are part of the model: fitting takes N² numbers.
    """

    features: Tensor
    coefficients: Tensor
    offset: Tensor
    scale: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        num_examples: int,
        gamma: float | Sequence[float] = (1, 3, 10),
        ridge: float | Sequence[float] = (0.1, 0.3, 1),
        balanced: bool = False,
    ) -> None:
        super().__init__(in_features, out_features, balanced)
        self.num_examples = check_integer("num_examples", num_examples, minimum=2, maximum=MAX_EXAMPLES)
        self.gammas = _numbers("gamma", gamma)
        self.ridges = _numbers("ridge", ridge)
        self.register_buffer("features", torch.zeros(num_examples, in_features))
        self.register_buffer("coefficients", torch.zeros(num_examples, out_features))
        self.register_buffer("offset", torch.zeros(out_features))
        self.register_buffer("scale", torch.ones(()))

    def fit(self, features: Tensor, target: Tensor, val: tuple[Tensor, Tensor] | None) -> str:
        """One linear system (N, N) for each γ and λ, in float64."""
        if val is None and len(self.gammas) * len(self.ridges) > 1:
            raise ValueError(
                "head.gamma and head.ridge are chosen on validation, which there is none of: give one value each, "
                "head.gamma=3 head.ridge=0.3"
            )
        counts = torch.bincount(target, minlength=self.out_features).double()
        classes = F.one_hot(target, self.out_features).double()
        offset = torch.tensor(self.implied_prior(counts), dtype=torch.float64)
        weight = (counts / counts.mean())[target] if self.balanced else torch.ones(len(target), dtype=torch.float64)
        distances = _squared_distances(features.double(), features.double())
        median = distances[~torch.eye(len(target), dtype=torch.bool)].median().clamp(min=1e-12)
        far = None if val is None else _squared_distances(val[0].double(), features.double())
        best = float("inf")
        said = ""
        for gamma, ridge in product(self.gammas, self.ridges):
            kernel = torch.exp(-gamma / median * distances)
            coefficients = torch.linalg.solve(kernel + ridge * torch.diag(weight), classes - offset)
            loss, temperature = 0.0, 0.2
            if far is not None and val is not None:
                scores = torch.exp(-gamma / median * far) @ coefficients + offset
                loss, temperature = min((float(F.cross_entropy(scores / each, val[1])), each) for each in TEMPERATURES)
            if loss < best:
                best, said = loss, f"gamma {gamma:g}, ridge {ridge:g}"
                self.coefficients.copy_(coefficients / temperature)
                self.offset.copy_(offset / temperature)
                self.scale.copy_(gamma / median)
        self.features.copy_(features)
        return said if val is not None else ""

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) → logits (N, C), float32."""
        # Differences of large squares times large coefficients: in float32 the last digits depend on the machine.
        wide = torch.float32 if features.device.type == "mps" else torch.float64
        kernel = torch.exp(-self.scale * _squared_distances(features.to(wide), self.features.to(wide)))
        return (kernel @ self.coefficients.to(wide) + self.offset).float()


MAX_EXAMPLES = 20_000
"""Of a kernel ridge regression: its matrix takes 3.2 GB then."""


def _squared_distances(one: Tensor, other: Tensor) -> Tensor:
    """|x_i − z_j|² of (N, F) and (M, F), (N, M)."""
    squares = one.square().sum(1)[:, None] + other.square().sum(1)
    return (squares - 2 * one @ other.T).clamp(min=0)


def _numbers(name: str, value: float | Sequence[float]) -> list[float]:
    given = [value] if isinstance(value, int | float) else check_list(name, value)
    return [check_number(name, each, above=0) for each in given]
