"""AUROC and average precision as torchmetrics: exact, one-vs-rest, undefined when undefined, at any world size."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from imbalance_lab.metrics.log_odds import by_class
from imbalance_lab.metrics.ranking import Ranking, rank_columns
from imbalance_lab.metrics.validation import (
    Average,
    Task,
    as_rows,
    averaged,
    checked_average,
    checked_classes,
    checked_max_fpr,
    validate_scores,
)


class OneVsRest(Metric):
    """Collects scores and targets; computes a `Ranking` for each class.

    Args:
        task: "binary" (preds and target (N, …)), "multiclass" (preds (N, C, …), target (N, …)) or "multilabel" (preds
            and target (N, C, …)).
        num_classes: C; for "binary" it is left out.
        from_logits: whether preds are logits. If not they are probabilities. It is never guessed from a batch.
        num_labels: another name of C for "multilabel".
        ignore_index: examples (or labels of an example) with this target are left out.
        kwargs: `torchmetrics.Metric`'s.

    Scores are kept as float32. Those that are not finite, or no probability where that was said, and targets out of
    range are refused by example when it comes to computing: then every process of a distributed run refuses. Infinite
    logits are refused as well: a net that overflows says nothing about the order of its examples.
    A rank without an example, and shares of different length, are fine under DDP.

    Attributes:
        n_defined: for how many classes the last computed score is defined: "macro over 9 of 10 classes".
    """

    is_differentiable = False
    full_state_update = False
    scores: list[Tensor]
    target: list[Tensor]

    def __init__(
        self,
        task: Task,
        num_classes: int | None = None,
        *,
        from_logits: bool = False,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.task = task
        self.num_classes = checked_classes(task, num_classes, num_labels)
        self.from_logits = from_logits
        self.ignore_index = ignore_index
        self.n_defined = 0
        # What was given, whatever the arguments: so metrics of one MetricCollection may share a state at any time.
        self.add_state("scores", default=[], dist_reduce_fx="cat")
        self.add_state("target", default=[], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take a batch in; shapes as the task says."""
        scores, target = as_rows(self.task, self.num_classes, preds.detach(), target.detach())
        # Copies: a state that shares memory with the caller's tensor changes when the caller reuses it.
        self.scores.append(scores.to(torch.float32, copy=True))
        self.target.append(target.to(torch.long, copy=True))

    def compute(self) -> Any:
        """One `Ranking` a class."""
        rankings = self.rankings()
        self.n_defined = sum(ranking.is_defined for ranking in rankings)
        return rankings

    def rankings(self) -> list[Ranking]:
        """Rank what this process holds (inside ``compute``, what all processes hold)."""
        self._ensure_state()
        batches = self.scores if isinstance(self.scores, list) else [self.scores]
        target: Any = dim_zero_cat(self.target)
        validate_scores(batches, target, self.task, from_logits=self.from_logits, ignore_index=self.ignore_index)
        columns: Iterator[Any] = by_class(batches, softmax=self.task == "multiclass" and self.from_logits)
        if target.device.type == "cpu":  # NumPy sorts faster there
            columns, target = (column.numpy() for column in columns), target.numpy()
        return rank_columns(columns, target, self.num_classes, ignore_index=self.ignore_index)

    def _averaged(self, values: list[float], rankings: list[Ranking], average: Average) -> Tensor:
        self.n_defined = sum(value == value for value in values)
        return averaged(values, [ranking.n_positive for ranking in rankings], average).to(self.device)

    def _ensure_state(self) -> None:
        """Give a rank without examples tensors of the right shape and dtype; torchmetrics would send 1-D floats."""
        if isinstance(self.scores, list) and not self.scores:
            shape = (0,) if self.task == "multiclass" else (0, self.num_classes)
            self.scores.append(torch.empty(0, self.num_classes, device=self.device))
            self.target.append(torch.empty(shape, dtype=torch.long, device=self.device))

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:
        self._ensure_state()
        super()._sync_dist(*args, **kwargs)


class AUROC(OneVsRest):
    """The area under the ROC curve, exact.

    Args:
        average: "macro" (mean over the classes for which it is defined), "weighted" (by number of positives), or
            "none" (one a class, NaN where undefined).
        max_fpr: take the area up to this false-positive rate only, standardised (`Ranking.partial_auroc`).

    The other arguments are `OneVsRest`'s. `torchmetrics.AUROC` agrees wherever every class is present and no
    probability saturates. Its ``thresholds`` have no place in an exact score: see `StreamingAUROC`.

    >>> auroc = AUROC(task="binary")
    >>> auroc(torch.tensor([0.13, 0.26, 0.08, 0.19, 0.34]), torch.tensor([0, 0, 1, 1, 1]))
    tensor(0.5000)
    """

    higher_is_better = True

    def __init__(
        self,
        task: Task,
        num_classes: int | None = None,
        average: Average | None = "macro",
        *,
        max_fpr: float | None = None,
        thresholds: None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        _refuse_thresholds(thresholds, "StreamingAUROC")
        self.average = checked_average(average)
        self.max_fpr = checked_max_fpr(max_fpr)

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"."""
        rankings = self.rankings()
        if self.max_fpr is None:
            return self._averaged([ranking.auroc for ranking in rankings], rankings, self.average)
        return self._averaged([ranking.partial_auroc(self.max_fpr) for ranking in rankings], rankings, self.average)


class AveragePrecision(OneVsRest):
    """Average precision, exact (the step-wise area under the precision-recall curve, as scikit-learn has it).

    Arguments as for `AUROC`, without ``max_fpr``.

    >>> average_precision = AveragePrecision(task="binary")
    >>> average_precision(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 1, 1]))
    tensor(0.8333)
    """

    higher_is_better = True

    def __init__(
        self,
        task: Task,
        num_classes: int | None = None,
        average: Average | None = "macro",
        *,
        thresholds: None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        _refuse_thresholds(thresholds, "StreamingAveragePrecision")
        self.average = checked_average(average)

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"."""
        rankings = self.rankings()
        return self._averaged([ranking.average_precision for ranking in rankings], rankings, self.average)


def _refuse_thresholds(thresholds: object, instead: str) -> None:
    if thresholds is not None:
        raise ValueError(f"thresholds={thresholds!r}: this score is exact; in bounded memory, take {instead}")
