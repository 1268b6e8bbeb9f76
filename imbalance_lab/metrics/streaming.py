"""AUROC and average precision in bounded memory, with the error bound that their own state gives.

For what does not fit: a histogram of each class's log-odds, whose size does not depend on the number of examples.
Scores in one bin are not told apart. That is the only error, and the counts in the bins say how large it can be.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import digamma
from torch import Tensor
from torchmetrics import Metric

from imbalance_lab.metrics.log_odds import log_odds
from imbalance_lab.metrics.ranking import Counts, Ranking
from imbalance_lab.metrics.validation import (
    Average,
    Task,
    as_rows,
    averaged,
    checked_average,
    checked_classes,
    validate_scores,
)

HALF = 16.0
"""Half of the bins lie within ±16, a quarter beyond on either side, ever wider: no score is too large."""


class StreamingOneVsRest(Metric):
    """Counts scores in bins; computes a `Ranking` for each class, in which scores of one bin tie.

    Args:
        bins: of the log-odds' histogram; those about 0 are 32 / bins wide, 0.002 by default. The state takes
            16 · C · bins bytes.

    The other arguments are `imbalance_lab.metrics.OneVsRest`'s. A batch that makes no sense is refused on the spot, and
    leaves the state as it was. Processes add up their counts. Thresholds are the bins' lower ends, as log-odds.
    """

    is_differentiable = False
    full_state_update = False
    positives: Tensor
    examples: Tensor

    def __init__(
        self,
        task: Task,
        num_classes: int | None = None,
        *,
        from_logits: bool = False,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        bins: int = 2**14,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.task = task
        self.num_classes = checked_classes(task, num_classes, num_labels)
        self.from_logits = from_logits
        self.ignore_index = ignore_index
        if not isinstance(bins, int) or not 2 <= bins <= 2**20:
            raise ValueError(f"bins must be an integer from 2 to {2**20}, got {bins}")
        self.bins = bins
        self.n_defined = 0
        for name in ("positives", "examples"):
            self.add_state(name, torch.zeros(self.num_classes, bins, dtype=torch.long), dist_reduce_fx="sum")
        # A MetricCollection lets metrics share a state whose names and first values are equal: these must not, unless
        # they count the same.
        self.add_state(f"{task}, {from_logits=}, {ignore_index=}", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count a batch; shapes as the task says."""
        scores, target = as_rows(self.task, self.num_classes, preds.detach(), target.detach())
        scores, target = scores.float(), target.long()
        validate_scores([scores], target, self.task, from_logits=self.from_logits, ignore_index=self.ignore_index)
        slots = self._slots(scores)
        if self.ignore_index is not None:
            counted = target != self.ignore_index
            slots, target = slots[counted], target[counted]
        positive = slots.gather(1, target[:, None]) if self.task == "multiclass" else slots[target == 1]
        for state, found in ((self.positives, positive.flatten()), (self.examples, slots.flatten())):
            state.view(-1).scatter_add_(0, found, torch.ones_like(found))

    def compute(self) -> Any:
        """One `Ranking` a class."""
        rankings = self.rankings()
        self.n_defined = sum(ranking.is_defined for ranking in rankings)
        return rankings

    def rankings(self) -> list[Ranking]:
        """Rank what this process holds (inside ``compute``, what all processes hold)."""
        edges = _lower_ends(self.bins)
        counts = zip(self.positives.cpu().numpy(), self.examples.cpu().numpy(), strict=True)
        return [_ranking(edges, positives, examples) for positives, examples in counts]

    def _slots(self, scores: Tensor) -> Tensor:
        """The place of each score (N, C) in the flattened state. Every step is monotone in floating point, too."""
        if not self.from_logits:
            odds = scores.double().logit().float()
        else:
            odds = log_odds(scores) if self.task == "multiclass" else scores
        place = torch.copysign(1 - HALF / (odds.abs() + HALF), odds)  # in [−1, 1], ±1 where p is 0 or 1
        slot = ((place + 1) * (self.bins / 2)).long().clamp_(max=self.bins - 1)
        return slot + self.bins * torch.arange(self.num_classes, device=slot.device)


class _Bounded(StreamingOneVsRest):
    """A score, and the bounds between which the exact one lies; printing the metric shows them side by side."""

    def __init__(
        self, task: Task, num_classes: int | None = None, average: Average | None = "macro", **kwargs: Any
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        self.average = checked_average(average)
        self.bounds: tuple[Tensor, Tensor] | None = None

    @staticmethod
    def bounded(ranking: Ranking) -> tuple[float, float, float]:
        """The value of a class whose scores tie in bins, and the least and the greatest that the exact one may be."""
        raise NotImplementedError

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"; sets ``bounds`` and ``n_defined``."""
        rankings = self.rankings()
        support = [ranking.n_positive for ranking in rankings]
        each = np.array([self.bounded(ranking) for ranking in rankings])
        self.n_defined = int((~np.isnan(each[:, 0])).sum())
        value, low, high = (averaged(column, support, self.average).to(self.device) for column in each.T.tolist())
        # Told in float32, an end may have been rounded inwards: take the next number outwards.
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


class StreamingAUROC(_Bounded):
    """The area under the ROC curve in bounded memory, with bounds.

    Scores in one bin count as tied. Whatever their order, the exact area is no further away than half the share of
    pairs in one bin, Σ_b p_b n_b / (2 P Q).

    Args:
        average: as for `imbalance_lab.metrics.AUROC`; bounds are averaged likewise.

    The other arguments are `StreamingOneVsRest`'s.

    Attributes:
        bounds: the least and the greatest value that the exact one may have, in the last computed value's shape.
        n_defined: for how many classes it is defined.

    >>> auroc = StreamingAUROC("binary")
    >>> auroc.update(torch.tensor([0.13, 0.26, 0.08, 0.19, 0.34]), torch.tensor([0, 0, 1, 1, 1]))
    >>> auroc.compute()
    tensor(0.5000)
    >>> auroc
    StreamingAUROC(0.500000 in [0.500000, 0.500000])
    """

    higher_is_better = True

    @staticmethod
    def bounded(ranking: Ranking) -> tuple[float, float, float]:
        if not ranking.is_defined:
            return np.nan, np.nan, np.nan
        pairs = int(np.dot(_positives_here(ranking), ranking.fp - ranking.fp_above))
        error = pairs / (2 * ranking.n_positive * ranking.n_negative)
        return ranking.auroc, ranking.auroc - error, ranking.auroc + error


class StreamingAveragePrecision(_Bounded):
    """Average precision in bounded memory, with bounds.

    The value takes the p positives and n negatives of a bin as evenly mixed. It is least if each positive comes after
    all n negatives, Σ_{k=1…p} (T + k) / (T + k + F + n) for the T positives and F negatives above, and greatest if the
    positives tie before them, p (T + p) / (T + p + F).

    Arguments and attributes as for `StreamingAUROC`.
    """

    higher_is_better = True

    @staticmethod
    def bounded(ranking: Ranking) -> tuple[float, float, float]:
        if ranking.n_positive == 0:
            return np.nan, np.nan, np.nan
        here, tp, fp = _positives_here(ranking), ranking.tp, ranking.fp
        middle = tp - (here - 1) / 2
        mixed = here * middle / (middle + (fp + ranking.fp_above) / 2)
        least = here - fp * (digamma(tp + fp + 1) - digamma(tp - here + fp + 1))  # the sum above, closed
        greatest = here * tp / (tp + ranking.fp_above)
        value, low, high = (float(part.sum()) / ranking.n_positive for part in (mixed, least, greatest))
        return value, low, high


def _ranking(edges: NDArray[np.float64], positives: Counts, examples: Counts) -> Ranking:
    """The ranking of a histogram; only bins with a positive show in it."""
    negatives = examples - positives
    at_most = np.cumsum(negatives)
    held = np.flatnonzero(positives)[::-1]
    return Ranking(
        threshold=edges[held],
        tp=np.cumsum(positives[held]),
        fp=at_most[-1] - at_most[held] + negatives[held],
        fp_above=at_most[-1] - at_most[held],
        n_positive=int(positives.sum()),
        n_negative=int(at_most[-1]),
    )


def _positives_here(ranking: Ranking) -> Counts:
    return np.diff(ranking.tp, prepend=0)


def _lower_ends(bins: int) -> NDArray[np.float64]:
    """The least log-odds of each bin."""
    place = np.arange(bins) * 2 / bins - 1
    with np.errstate(divide="ignore"):
        return np.asarray(HALF * place / (1 - np.abs(place)))
