"""Heads that are fitted at once to the features of a frozen backbone, by a formula or a solver, without epochs."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imbalance_lab.validation import check_bool, check_integer, check_list, check_number

MAX_ITERATIONS = 200
"""Steps of the solver of a logistic regression."""


class FittedHead(nn.Module, ABC):
    """A head with `fit`; its logits (N, C) are log-probabilities up to a constant.

    A classifier of the training examples as they are: neither loss nor sampler changes what it fits.

    Args:
        in_features: F.
        out_features: C.
        balanced: whether all classes count the same, whatever their number of examples.
    """

    def __init__(self, in_features: int, out_features: int, balanced: bool) -> None:
        super().__init__()
        self.in_features = check_integer("in_features", in_features, minimum=1)
        self.out_features = check_integer("out_features", out_features, minimum=2)
        self.balanced = check_bool("balanced", balanced)

    @abstractmethod
    def fit(self, features: Tensor, target: Tensor, val: tuple[Tensor, Tensor] | None) -> str:
        """Fit to training examples, and choose what is to be chosen by the log loss on the validation examples.

        Args:
            features: (N, F) float32.
            target: class indices (N,); every class has a training example.
            val: features and targets of the validation examples; None without.

        Returns:
            what was chosen, in a few words; "" for nothing.

        Raises:
            ValueError: if there is something to choose, but no validation.
        """

    def implied_prior(self, counts: Tensor) -> tuple[float, ...]:
        """The class priors (C,) that the logits stand for, from the training counts (C,)."""
        shares = torch.ones(len(counts)) if self.balanced else counts
        return tuple((shares.double() / shares.double().sum()).tolist())


class _LinearHead(FittedHead):
    """Logits that are linear in the features; weight (C, F) and bias (C,) as of `torch.nn.Linear`."""

    def __init__(self, in_features: int, out_features: int, balanced: bool) -> None:
        super().__init__(in_features, out_features, balanced)
        self.weight = nn.Parameter(torch.zeros(out_features, in_features), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(out_features), requires_grad=False)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, F) → logits (N, C)."""
        return F.linear(features, self.weight, self.bias)

    def _choose(
        self, key: str, candidates: Mapping[float, tuple[Tensor, Tensor]], val: tuple[Tensor, Tensor] | None
    ) -> float:
        """Take the weights (C, F) and biases (C,) with the lowest log loss on validation; return their key."""
        if len(candidates) > 1 and val is None:
            raise ValueError(f"{key} is chosen on validation, which there is none of: give one value, {key}=…")
        losses = {each: 0.0 if val is None else _log_loss(val, *candidates[each]) for each in candidates}
        chosen = min(losses, key=lambda each: losses[each])
        weight, bias = candidates[chosen]
        self.weight.data.copy_(weight - weight.mean(0))  # the mean over the classes changes no probability
        self.bias.data.copy_(bias - bias.mean())
        return chosen


class LDAHead(_LinearHead):
    """Linear discriminant analysis: classes with means of their own and one covariance.

    log p(c | x) = μ_c' Σ⁻¹ x − ½ μ_c' Σ⁻¹ μ_c + log π_c + constant, with the pooled covariance within classes shrunk
    towards a multiple of the identity, Σ = (1 − s) S + s tr(S)/F I (Friedman 1989, Regularized Discriminant Analysis).

    Args:
        in_features: F.
        out_features: C.
        shrinkage: s in (0, 1], or several, of which the best on validation is taken.
        balanced: whether π is uniform; else it is that of the training examples.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        shrinkage: float | Sequence[float] = (0.03, 0.1, 0.3, 0.5, 0.7, 0.9),
        balanced: bool = False,
    ) -> None:
        super().__init__(in_features, out_features, balanced)
        given = [shrinkage] if isinstance(shrinkage, int | float) else check_list("shrinkage", shrinkage)
        self.shrinkages = [check_number("shrinkage", each, above=0, maximum=1) for each in given]

    def fit(self, features: Tensor, target: Tensor, val: tuple[Tensor, Tensor] | None) -> str:
        """One eigendecomposition (F, F) serves all shrinkages; in float64."""
        x, C = features.double(), self.out_features
        counts = torch.bincount(target, minlength=C).double()
        means = torch.zeros(C, x.shape[1], dtype=x.dtype).index_add_(0, target, x) / counts[:, None]
        within = x - means[target]
        values, vectors = torch.linalg.eigh(within.T @ within / len(x))
        rotated = means @ vectors
        log_prior = torch.log(torch.tensor(self.implied_prior(counts), dtype=x.dtype))
        candidates = {}
        for shrinkage in self.shrinkages:
            weight = rotated / ((1 - shrinkage) * values.clamp(min=0) + shrinkage * values.mean()) @ vectors.T
            candidates[shrinkage] = weight, log_prior - (weight * means).sum(1) / 2
        chosen = self._choose("head.shrinkage", candidates, val)
        return f"shrinkage {chosen:g}"


class LogisticHead(_LinearHead):
    """Multinomial logistic regression with a quadratic penalty; scikit-learn's.

    The features are centered, and divided by one number, their deviation over all F together: a C so means the same for
    every net, and features that hardly vary stay as small as they are.

    Args:
        in_features: F.
        out_features: C.
        C: inverse strength of the penalty, > 0, or several, of which the best on validation is taken.
        balanced: whether an example is weighted by 1 / n of its class.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        C: float | Sequence[float] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),  # scikit-learn's name
        balanced: bool = False,
    ) -> None:
        super().__init__(in_features, out_features, balanced)
        given = [C] if isinstance(C, int | float) else check_list("C", C)
        self.penalties = sorted(check_number("C", each, above=0) for each in given)

    def fit(self, features: Tensor, target: Tensor, val: tuple[Tensor, Tensor] | None) -> str:
        """From the strongest penalty to the weakest, each from where the one before ended."""
        from sklearn.linear_model import LogisticRegression  # here: it takes a second

        mean = features.double().mean(0)
        std = (features - mean).square().mean().sqrt().clamp(min=1e-12)
        x, y = ((features - mean) / std).float().numpy(), target.numpy()  # in float64 a third slower, and no closer
        weights = "balanced" if self.balanced else None
        model = LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True, class_weight=weights)
        candidates = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a few steps more would change little
            for penalty in self.penalties:
                model.set_params(C=penalty).fit(x, y)
                scaled, bias = (torch.from_numpy(each.astype(np.float64)) for each in (model.coef_, model.intercept_))
                weight, bias = scaled / std, bias - scaled @ (mean / std)
                if len(weight) == 1:  # of two classes the log-odds of the second
                    weight, bias = (torch.cat([-each / 2, each / 2]) for each in (weight, bias))
                candidates[penalty] = weight, bias
        chosen = self._choose("head.C", candidates, val)
        return f"C = {chosen:g}"


def _log_loss(val: tuple[Tensor, Tensor], weight: Tensor, bias: Tensor) -> float:
    return float(F.cross_entropy(F.linear(val[0].double(), weight, bias), val[1]))
