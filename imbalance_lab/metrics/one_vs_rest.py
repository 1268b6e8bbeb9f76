"""The base of the ranking metrics as torchmetrics classes: one-vs-rest rankings, exact and at any world size."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from imbalance_lab.metrics.log_odds import iterate_classes
from imbalance_lab.metrics.ranking import Ranking, rank_columns
from imbalance_lab.metrics.tensor_inputs import (
    Average,
    average_classes,
    flatten_examples,
    resolve_average,
    resolve_num_classes,
    validate_scores,
)
from imbalance_lab.task import Kind


class RankingMetric(Metric):
    """What the exact and the streaming metrics share: arguments, validation and ``compute``.

    Args:
        task: "binary" (preds and target (N, …)), "multiclass" (preds (N, C, …), target (N, …)) or "multilabel" (preds
            and target (N, C, …)).
        num_classes: C; not needed for "binary".
        from_logits: whether preds are logits; if not, they are probabilities. It is never guessed from a batch.
        num_labels: another name of C for "multilabel", as in torchmetrics.
        ignore_index: examples (for "multilabel": labels of an example) with this target are left out.
        kwargs: further arguments of `torchmetrics.Metric`.

    Attributes:
        n_defined: for how many classes the last computed score is defined, as in "macro over 9 of 10 classes".
    """

    is_differentiable = False
    full_state_update = False

    def __init__(
        self,
        task: Kind,
        num_classes: int | None = None,
        *,
        from_logits: bool = False,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.task = task
        self.num_classes = resolve_num_classes(task, num_classes, num_labels)
        self.from_logits = from_logits
        self.ignore_index = ignore_index
        self.n_defined = 0

    def compute(self) -> Any:
        """One `Ranking` for each class."""
        rankings = self.rankings()
        self.n_defined = sum(ranking.is_defined for ranking in rankings)
        return rankings

    @abstractmethod
    def rankings(self) -> list[Ranking]:
        """The rankings of this process's examples (inside ``compute``: of all processes')."""

    def flatten(self, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (N, C) and targets (N,) or (N, C) of a batch, detached."""
        return flatten_examples(self.task, self.num_classes, preds.detach(), target.detach())

    def validate(self, batches: list[Tensor], target: Tensor) -> None:
        """Raise ValueError for scores or targets out of range."""
        validate_scores(batches, target, self.task, from_logits=self.from_logits, ignore_index=self.ignore_index)


class OneVsRest(RankingMetric):
    """Collects scores and targets; computes a `Ranking` for each class.

    The arguments are `RankingMetric`'s. Scores are kept as float32. Those that are not finite or not probabilities, and
    targets out of range, raise a ValueError that names the example in ``compute``, so that every process of a
    distributed run raises it. Infinite logits are an error too: a net that overflows does not rank its examples.
    Under DDP the processes may have different numbers of examples, or none.
    """

    scores: list[Tensor]
    target: list[Tensor]

    def __init__(self, task: Kind, num_classes: int | None = None, **kwargs: Any) -> None:
        super().__init__(task, num_classes, **kwargs)
        # The raw inputs, whatever the arguments, so that the metrics of one MetricCollection can share their state.
        self.add_state("scores", default=[], dist_reduce_fx="cat")
        self.add_state("target", default=[], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add a batch; the shapes depend on the task."""
        scores, target = self.flatten(preds, target)
        # Copies: a state that shares memory with the caller's tensor changes when the caller reuses it.
        self.scores.append(scores.to(torch.float32, copy=True))
        self.target.append(target.to(torch.long, copy=True))

    def rankings(self) -> list[Ranking]:
        self._fill_empty_state()
        batches = self.scores if isinstance(self.scores, list) else [self.scores]
        target: Any = dim_zero_cat(self.target)
        self.validate(batches, target)
        columns: Iterator[Any] = iterate_classes(batches, softmax=self.task == "multiclass" and self.from_logits)
        if target.device.type == "cpu":  # NumPy sorts faster there
            columns, target = (column.numpy() for column in columns), target.numpy()
        return rank_columns(columns, target, self.num_classes, ignore_index=self.ignore_index)

    def _fill_empty_state(self) -> None:
        """Give a process without examples empty tensors of the right shape and dtype: torchmetrics sends 1-D floats."""
        if isinstance(self.scores, list) and not self.scores:
            shape = (0,) if self.task == "multiclass" else (0, self.num_classes)
            self.scores.append(torch.empty(0, self.num_classes, device=self.device))
            self.target.append(torch.empty(shape, dtype=torch.long, device=self.device))

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:
        self._fill_empty_state()
        super()._sync_dist(*args, **kwargs)


class ExactScore(OneVsRest):
    """A score of each class's exact ranking, averaged over the classes; subclasses define ``score``.

    Args:
        task: as for `RankingMetric`.
        num_classes: as for `RankingMetric`.
        average: "macro" (the mean over the classes for which the score is defined), "weighted" (by the number of
            positives), or "none" (one value for each class, NaN where undefined).
        thresholds: not supported; an exact score has no grid of thresholds.
        kwargs: further arguments of `RankingMetric`.
    """

    higher_is_better = True

    def __init__(
        self,
        task: Kind,
        num_classes: int | None = None,
        average: Average | None = "macro",
        *,
        thresholds: None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(task, num_classes, **kwargs)
        if thresholds is not None:
            raise ValueError(
                f"thresholds={thresholds!r} is not supported, the score is exact; for bounded memory use "
                "StreamingAUROC or StreamingAveragePrecision"
            )
        self.average = resolve_average(average)

    @abstractmethod
    def score(self, ranking: Ranking) -> float:
        """The score of one class, NaN where undefined."""

    def compute(self) -> Tensor:
        """A scalar, or (C,) for average "none"; sets ``n_defined``."""
        rankings = self.rankings()
        values = [self.score(ranking) for ranking in rankings]
        self.n_defined = sum(value == value for value in values)
        return average_classes(values, [ranking.n_positive for ranking in rankings], self.average).to(self.device)
