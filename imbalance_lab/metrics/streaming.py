"""One-vs-rest rankings in bounded memory, with the error bound that their own state gives.

For data sets that do not fit into memory: a histogram of each class's log-odds, whose size does not depend on the
number of examples. Scores in one bin count as tied; that is the only error, and the counts in the bins bound it.
"""

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics.log_odds import softmax_log_odds
from imbalance_lab.metrics.one_vs_rest import RankingMetric
from imbalance_lab.metrics.ranking import Ranking
from imbalance_lab.metrics.tensor_inputs import Average, average_classes, resolve_average
from imbalance_lab.metrics.types import Counts
from imbalance_lab.task import Kind
from imbalance_lab.validation import check_integer

HALF_RANGE = 16.0
"""Half of the bins lie within ±16, a quarter beyond on either side, ever wider: every finite score has a bin."""


class StreamingOneVsRest(RankingMetric):
    """Counts scores in bins; computes a `Ranking` for each class, in which the scores of one bin tie.

    Args:
        task: "binary", "multiclass" or "multilabel", as for `OneVsRest`.
        num_classes: C; not needed for "binary".
        bins: of the histogram of log-odds; those around 0 are 32 / bins wide, 0.002 by default. The state takes
            16 · C · bins bytes.
        kwargs: further arguments of `OneVsRest`.

    A batch with scores or targets out of range raises a ValueError in ``update`` and leaves the state unchanged.
    Under DDP the counts are summed. The rankings' thresholds are the lower edges of the bins, in log-odds.
    """

    positives: Tensor
    examples: Tensor

    def __init__(self, task: Kind, num_classes: int | None = None, *, bins: int = 2**14, **kwargs: Any) -> None:
        super().__init__(task, num_classes, **kwargs)
        self.bins = check_integer("bins", bins, minimum=2, maximum=2**20)
        for name in ("positives", "examples"):
            self.add_state(name, torch.zeros(self.num_classes, bins, dtype=torch.long), dist_reduce_fx="sum")
        # A MetricCollection lets metrics with equally named, equal states share them: only those that count the same
        # examples in the same way may.
        from_logits, ignore_index = self.from_logits, self.ignore_index
        self.add_state(f"{task}, {from_logits=}, {ignore_index=}", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; the shapes depend on the task."""
        scores, target = self.flatten(preds, target)
        scores, target = scores.float(), target.long()
        self.validate([scores], target)
        bins = self._flat_bins(scores)
        if self.ignore_index is not None:
            kept = target != self.ignore_index
            bins, target = bins[kept], target[kept]
        positive = bins.gather(1, target[:, None]) if self.task == "multiclass" else bins[target == 1]
        for state, found in ((self.positives, positive.flatten()), (self.examples, bins.flatten())):
            state.view(-1).scatter_add_(0, found, torch.ones_like(found))

    def rankings(self) -> list[Ranking]:
        edges = _lower_edges(self.bins)
        counts = zip(self.positives.cpu().numpy(), self.examples.cpu().numpy(), strict=True)
        return [_rank_histogram(edges, positives, examples) for positives, examples in counts]

    def _flat_bins(self, scores: Tensor) -> Tensor:
        """The bin of each score (N, C) as an index of the flattened state; monotone in floating point, too."""
        if not self.from_logits:
            odds = scores.double().logit().float()
        else:
            odds = softmax_log_odds(scores) if self.task == "multiclass" else scores
        # In [−1, 1], ±1 where p is 0 or 1.
        position = torch.copysign(1 - HALF_RANGE / (odds.abs() + HALF_RANGE), odds)
        index = ((position + 1) * (self.bins / 2)).long().clamp_(max=self.bins - 1)
        return index + self.bins * torch.arange(self.num_classes, device=index.device)


class StreamingScore(StreamingOneVsRest):
    """A score of each class's binned ranking, with bounds on the exact one; subclasses define ``bounded_score``.

    Args:
        task: as for `StreamingOneVsRest`.
        num_classes: as for `StreamingOneVsRest`.
        average: as for `AUROC`; bounds are averaged likewise.
        kwargs: further arguments of `StreamingOneVsRest`.

    Attributes:
        bounds: the lowest and the highest value that the exact score can have, in the shape of the last value;
            printing the metric shows both.
    """

    higher_is_better = True

    def __init__(
        self, task: Kind, num_classes: int | None = None, average: Average | None = "macro", **kwargs: Any
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        self.average = resolve_average(average)
        self.bounds: tuple[Tensor, Tensor] | None = None

    @staticmethod
    @abstractmethod
    def bounded_score(ranking: Ranking) -> tuple[float, float, float]:
        """The value of one class, and the lowest and the highest that the exact score can have."""

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"; sets ``bounds`` and ``n_defined``."""
        rankings = self.rankings()
        support = [ranking.n_positive for ranking in rankings]
        scores = np.array([self.bounded_score(ranking) for ranking in rankings])
        self.n_defined = int((~np.isnan(scores[:, 0])).sum())
        value, low, high = (
            average_classes(column, support, self.average).to(self.device) for column in scores.T.tolist()
        )
        # Rounding to float32 may have moved an end inward: take the next number outward.
        self.bounds = low.nextafter(torch.zeros_like(low)), high.nextafter(torch.ones_like(high))
        return value

    def extra_repr(self) -> str:
        value: Tensor | None = self._computed
        if value is None or self.bounds is None:
            return ""
        low, high = self.bounds
        if value.ndim:
            widest = (high - low).nan_to_num().max()
            return f"{self.n_defined} of {self.num_classes} classes, bounds up to {widest:.1e} apart"
        over = f", {self.average} over {self.n_defined} of {self.num_classes} classes" if self.num_classes > 1 else ""
        return f"{value:.6f} in [{low:.6f}, {high:.6f}]{over}"


def _rank_histogram(edges: NDArray[np.float64], positives: Counts, examples: Counts) -> Ranking:
    """The ranking of a histogram; its thresholds are the bins with a positive."""
    negatives = examples - positives
    up_to = np.cumsum(negatives)
    used = np.flatnonzero(positives)[::-1]
    return Ranking(
        threshold=edges[used],
        tp=np.cumsum(positives[used]),
        fp=up_to[-1] - up_to[used] + negatives[used],
        fp_above=up_to[-1] - up_to[used],
        n_positive=int(positives.sum()),
        n_negative=int(up_to[-1]),
    )


def _lower_edges(bins: int) -> NDArray[np.float64]:
    """The lowest log-odds of each bin."""
    position = np.arange(bins) * 2 / bins - 1
    with np.errstate(divide="ignore"):
        return np.asarray(HALF_RANGE * position / (1 - np.abs(position)))
