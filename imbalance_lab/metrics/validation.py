"""What every ranking metric is told, and what it takes in: shapes, types and ranges, checked in one place."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

Task = Literal["binary", "multiclass", "multilabel"]
Average = Literal["macro", "weighted", "none"]


def checked_classes(task: Task, num_classes: int | None, num_labels: int | None) -> int:
    """Return the number of score columns, 1 for "binary", or refuse what does not fit the task."""
    if task not in get_args(Task):
        raise ValueError(f"task must be one of {', '.join(get_args(Task))}, got {task!r}")
    if num_labels is not None:
        if task != "multilabel" or num_classes not in (None, num_labels):
            raise ValueError(f"num_labels={num_labels} does not fit task={task!r} with num_classes={num_classes}")
        num_classes = num_labels
    if task == "binary":
        if num_classes not in (None, 1, 2):
            raise ValueError(f"task='binary' has no num_classes, got {num_classes}")
        return 1
    if not isinstance(num_classes, int) or num_classes < 2:
        raise ValueError(f"task={task!r} needs num_classes ≥ 2, got {num_classes}")
    return num_classes


def checked_average(average: Average | None) -> Average:
    """Return ``average``, None meaning "none", or refuse it by naming the choices."""
    if average is None:
        return "none"
    if average not in get_args(Average):
        raise ValueError(f"average must be one of {', '.join(get_args(Average))}, got {average!r}")
    return average


def checked_max_fpr(max_fpr: float | None) -> float | None:
    """Return ``max_fpr``, or refuse what is no rate in (0, 1]."""
    if max_fpr is not None and not 0 < max_fpr <= 1:
        raise ValueError(f"max_fpr must lie in (0, 1], got {max_fpr}")
    return max_fpr


def as_rows(task: Task, num_classes: int, preds: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Bring a batch into the shape of examples.

    Args:
        task: as told to the metric.
        num_classes: C; 1 for "binary".
        preds: floating; (N, …) for "binary", (N, C, …) else.
        target: integer or bool; of the shape of preds, for "multiclass" without C.

    Returns:
        Scores (N, C) and targets (N,) for "multiclass", (N, C) else; other dimensions count as examples.
    """
    if not preds.is_floating_point() or target.is_floating_point():
        raise TypeError(
            f"preds must be floating point and target integer, got preds {preds.dtype} and target {target.dtype}"
        )
    wanted = preds.shape[:1] + preds.shape[2:] if task == "multiclass" else preds.shape
    columns = preds.shape[1] if task != "binary" and preds.ndim > 1 else 1
    if target.shape != wanted or columns != num_classes:
        classes = "" if task == "binary" else f", {num_classes}"
        raise ValueError(
            f"{task} needs preds (N{classes}) and target (N{classes if task == 'multilabel' else ''}), "
            f"got preds {tuple(preds.shape)} and target {tuple(target.shape)}"
        )
    if task == "multiclass":
        return preds.movedim(1, -1).reshape(-1, num_classes), target.reshape(-1)
    if task == "binary":
        return preds.reshape(-1, 1), target.reshape(-1, 1)
    return preds.movedim(1, -1).reshape(-1, num_classes), target.movedim(1, -1).reshape(-1, num_classes)


def validate_scores(
    batches: Sequence[Tensor], target: Tensor, task: Task, *, from_logits: bool, ignore_index: int | None
) -> None:
    """Refuse the first score or target that makes no sense, by its example; nothing is asked of what is ignored.

    Args:
        batches: scores (n, C), N in all, as given: logits must be finite, probabilities in [0, 1].
        target: (N,) for "multiclass", in [0, C); (N, C) else, 0 or 1.
        task: as told to the metric.
        from_logits: as told to the metric.
        ignore_index: as told to the metric.
    """
    limit = torch.finfo(torch.float32).max
    low, high = (-limit, limit) if from_logits else (0, 1)
    start = 0
    for scores, theirs in zip(batches, torch.split(target, [len(batch) for batch in batches]), strict=True):
        if (place := _first_outside(scores, low, high, theirs, ignore_index)) is not None:
            (row, column), value = place, scores[*place]
            need = "finite" if from_logits else "a probability in [0, 1] (or say from_logits=True)"
            raise ValueError(f"the score of example {start + row}, class {column} must be {need}, got {value}")
        start += len(scores)
    top = batches[0].shape[1] - 1 if task == "multiclass" else 1
    if (place := _first_outside(target, 0, top, target, ignore_index)) is not None:
        raise ValueError(f"the target of example {place[0]} must lie in [0, {top}], got {target[place[0]].tolist()}")


def averaged(values: list[float], support: list[int], average: Average) -> Tensor:
    """Reduce a score of each class, NaN where undefined, by ``average``; a single class has nothing to average."""
    each = torch.tensor(values, dtype=torch.float64)
    if average == "none" and len(values) > 1:
        return each.float()
    weights = (torch.tensor(support) if average == "weighted" else torch.ones_like(each)).where(~each.isnan(), 0)
    return ((each.nan_to_num() * weights).sum() / weights.sum()).float()


def _first_outside(
    values: Tensor, low: float, high: float, target: Tensor, ignore_index: int | None
) -> list[int] | None:
    """The place of the first value outside [low, high], NaN included, whose target counts; None if there is none."""
    if values.numel() == 0:
        return None
    smallest, largest = values.aminmax()
    if bool((smallest >= low) & (largest <= high)):
        return None
    outside = ~((values >= low) & (values <= high))
    if ignore_index is not None:
        counts = target != ignore_index
        outside &= counts if counts.ndim == values.ndim else counts[:, None]
    return outside.nonzero()[0].tolist() if bool(outside.any()) else None
