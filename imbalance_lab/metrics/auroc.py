"""AUROC and average precision as torchmetrics: exact, one-vs-rest, undefined when undefined, at any world size."""

from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from imbalance_lab.metrics.ranking import Ranking, log_odds, macro, rank_one_vs_rest

Task = Literal["binary", "multiclass", "multilabel"]
Average = Literal["macro", "weighted", "none"]


class OneVsRest(Metric):
    """Collects scores and targets; computes a `Ranking` for each class.

    Args:
        task: "binary" (preds (N,), target 0/1 (N,)), "multiclass" (preds (N, C), target (N,)) or "multilabel"
            (preds (N, C), target 0/1 (N, C)).
        num_classes: C; for "binary" it is left out.
        from_logits: whether preds are logits. If not they are probabilities, and anything outside [0, 1] is refused:
            it is never guessed from a batch.

    A rank without an example, and shares of different length, are fine under DDP.
    """

    is_differentiable = False
    full_state_update = False
    scores: list[Tensor]
    target: list[Tensor]

    def __init__(self, task: Task, num_classes: int | None = None, *, from_logits: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if task not in get_args(Task):
            raise ValueError(f"task must be one of {', '.join(get_args(Task))}, got {task!r}")
        if task != "binary" and (num_classes is None or num_classes < 2):
            raise ValueError(f"task={task!r} needs num_classes ≥ 2, got {num_classes}")
        self.task = task
        self.num_classes = 1 if num_classes is None else num_classes
        self.from_logits = from_logits
        self.add_state("scores", default=[], dist_reduce_fx="cat")
        self.add_state("target", default=[], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take a batch in; shapes as the task says."""
        scores = preds.detach().float()
        if self.task == "binary":
            scores, target = scores.reshape(-1, 1), target.reshape(-1, 1)
        elif self.task == "multiclass" and self.from_logits:
            scores = log_odds(scores)
        expected = (len(scores), self.num_classes)
        if scores.shape != expected or target.shape != expected[: target.ndim] or target.ndim > 2:
            raise ValueError(
                f"{self.task} needs preds (N, {self.num_classes}) and as many targets, "
                f"got preds {tuple(preds.shape)} and target {tuple(target.shape)}"
            )
        # Copies: a state that shares memory with the caller's tensor changes when the caller reuses it.
        self.scores.append(scores.clone() if scores.data_ptr() == preds.data_ptr() else scores)
        self.target.append(target.detach().long().clone())

    def compute(self) -> Any:
        """One `Ranking` a class."""
        return self.rankings()

    def rankings(self) -> list[Ranking]:
        """Rank what this process holds (inside ``compute``, what all processes hold)."""
        self._ensure_state()
        scores, target = dim_zero_cat(self.scores).cpu(), dim_zero_cat(self.target).cpu()
        self._refuse_nonsense(scores, target)
        return rank_one_vs_rest(scores.numpy(), target.numpy())

    def _refuse_nonsense(self, scores: Tensor, target: Tensor) -> None:
        bad = ~torch.isfinite(scores) if self.from_logits else ~((scores >= 0) & (scores <= 1))
        if bool(bad.any()):
            row, column = bad.nonzero()[0].tolist()
            need = "finite" if self.from_logits else "a probability in [0, 1] (or say from_logits=True)"
            raise ValueError(f"the score of example {row}, class {column} must be {need}, got {scores[row, column]}")
        top = self.num_classes - 1 if self.task == "multiclass" else 1
        bad = (target < 0) | (target > top)
        if bool(bad.any()):
            row = int(bad.nonzero()[0, 0])
            raise ValueError(f"the target of example {row} must lie in [0, {top}], got {target[row].tolist()}")

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

    The other arguments are `OneVsRest`'s. `torchmetrics.AUROC` agrees wherever every class is present and no
    probability saturates.

    >>> auroc = AUROC(task="binary")
    >>> auroc(torch.tensor([0.13, 0.26, 0.08, 0.19, 0.34]), torch.tensor([0, 0, 1, 1, 1]))
    tensor(0.5000)
    """

    higher_is_better = True

    def __init__(
        self, task: Task, num_classes: int | None = None, average: Average | None = "macro", **kwargs: Any
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        self.average = _checked_average(average)

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"."""
        rankings = self.rankings()
        return _averaged([ranking.auroc for ranking in rankings], rankings, self.average)


class AveragePrecision(OneVsRest):
    """Average precision, exact (the step-wise area under the precision-recall curve, as scikit-learn has it).

    Arguments as for `AUROC`.

    >>> average_precision = AveragePrecision(task="binary")
    >>> average_precision(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 1, 1]))
    tensor(0.8333)
    """

    higher_is_better = True

    def __init__(
        self, task: Task, num_classes: int | None = None, average: Average | None = "macro", **kwargs: Any
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        self.average = _checked_average(average)

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"."""
        rankings = self.rankings()
        return _averaged([ranking.average_precision for ranking in rankings], rankings, self.average)


def _checked_average(average: Average | None) -> Average:
    if average is None:
        return "none"
    if average not in get_args(Average):
        raise ValueError(f"average must be one of {', '.join(get_args(Average))}, got {average!r}")
    return average


def _averaged(values: list[float], rankings: list[Ranking], average: Average) -> Tensor:
    if len(values) == 1:
        return torch.tensor(values[0])
    if average == "macro":
        return torch.tensor(macro(values))
    each = torch.tensor(values)
    if average == "none":
        return each
    support = torch.tensor([float(ranking.n_positive) for ranking in rankings]).where(~each.isnan(), 0)
    return (each.nan_to_num() * support).sum() / support.sum()
