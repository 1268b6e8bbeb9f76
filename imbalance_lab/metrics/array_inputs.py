"""The checked entrance of every function on arrays: arrays, lists and tensors become one dtype, or raise a sentence.

`tensor_inputs` does the same for the torchmetrics classes. Without it small integers overflow (200 · 4 + 1 is 33 in
uint8), 0/1 integers are taken for indices where a mask is meant, and NaN is sorted among the scores. Each public
function checks its arguments once; what it calls inside does not check again.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics.types import Counts, Mask
from imbalance_lab.validation import check_number

SHAPES = {1: "(N,)", 2: "(N, C)"}


def as_scores(
    values: Any, name: str = "scores", *, ndim: int | None = None, finite: bool | None = False, empty: bool = False
) -> NDArray[Any]:
    """Scores, logits or probabilities as an array; floats and signed integers keep their dtype.

    Args:
        values: an array, list or tensor of real numbers.
        name: the argument's name.
        ndim: 1 for (N,), 2 for (N, C); None for any shape.
        finite: whether infinities are refused as well as NaN; None if the caller checks both.
        empty: whether there may be none.

    Raises:
        TypeError: if they are not real numbers.
        ValueError: for other shapes, NaN, or none.
    """
    array = _as_array(values, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}: convert them to float")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have shape {SHAPES[ndim]}, got {array.shape}")
    if array.size == 0 and not empty:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}: pass at least one example")
    if array.dtype.kind == "f" and finite is not None:
        _check_finite(array, name, finite=finite)
    return array if array.dtype.kind in "fi" else array.astype(np.float64)


def as_target(
    target: Any, name: str = "target", *, num_classes: int | None = None, ignore_index: int | None = None
) -> NDArray[np.int64]:
    """Class indices (N,), or 0/1 labels (N, C), of any integer dtype or bool, as int64.

    Args:
        target: an array, list or tensor.
        name: the argument's name.
        num_classes: C, if the range of class indices and the width of labels are to be checked.
        ignore_index: allowed besides the classes.

    Raises:
        TypeError: for other dtypes, floating point too.
        ValueError: for other shapes, for none, and for class indices or labels out of range.
    """
    array = _as_array(target, name)
    if array.dtype.kind not in "iub" and array.size:
        raise TypeError(f"{name} must be integer or bool, got {array.dtype}: convert it to integers")
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must be class indices (N,) or 0/1 labels (N, C), got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}: pass at least one example")
    if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must be class indices or 0/1 labels, got {array.max()}: check how it was read")
    integers = array.astype(np.int64, copy=False)
    if integers.ndim == 2:
        _check_labels(integers, name, num_classes, ignore_index)
    elif num_classes is not None:
        _check_class_indices(integers, name, num_classes, ignore_index)
    return integers


def as_mask(values: Any, name: str = "positive", *, ndim: int | None = None) -> Mask:
    """0/1 or bool values (N,) or (N, C) of any integer dtype, as bool.

    Raises:
        TypeError: for other dtypes.
        ValueError: for other shapes, for none, and for values other than 0 and 1.
    """
    integers = as_target(values, name)
    if ndim is not None and integers.ndim != ndim:
        raise ValueError(f"{name} must have shape {SHAPES[ndim]}, got {integers.shape}")
    _check_binary(integers, name, None)
    return np.asarray(integers == 1)


def as_examples(
    scores: Any, target: Any, name: str = "scores", *, ignore_index: int | None = None, finite: bool = False
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Scores (N, C), and class indices (N,) or 0/1 labels (N, C) of the same examples.

    Raises:
        TypeError, ValueError: as `as_scores` and `as_target`, and for different numbers of examples.
    """
    array = as_scores(scores, name, ndim=2, finite=finite)
    labels = as_target(target, num_classes=array.shape[1], ignore_index=ignore_index)
    if len(array) != len(labels):
        raise ValueError(f"{name} and target must be of the same examples, got {len(array)} and {len(labels)} of them")
    return array, labels


def as_confusion(confusion: Any, *, of_labels: bool = False) -> Counts:
    """A confusion matrix (C, C), or with ``of_labels`` one for each label (L, 2, 2), of any integer dtype, as int64.

    Raises:
        TypeError: if it does not hold integers.
        ValueError: for other shapes and negative counts.
    """
    array = _as_array(confusion, "confusion")
    if array.dtype.kind not in "iu":
        raise TypeError(f"confusion must hold counts, integers, got {array.dtype}: do not normalize it")
    fits = array.shape[1:] == (2, 2) if of_labels else array.ndim == 2 and array.shape[0] == array.shape[1]
    if not fits or array.size == 0:
        shape = "(L, 2, 2)" if of_labels else "(C, C)"
        remedy = "label_confusion" if of_labels else "confusion_matrix"
        raise ValueError(f"confusion must have shape {shape}, got {array.shape}: make it with {remedy}")
    if array.min() < 0:
        raise ValueError(f"confusion must hold counts ≥ 0, got {array.min()}: make it with confusion_matrix")
    return array.astype(np.int64, copy=False)


def as_values(values: Any, name: str) -> list[float]:
    """Real numbers (K,), such as one score for each class, as floats; NaN, an undefined score, is allowed.

    Raises:
        TypeError: if they are not real numbers.
        ValueError: for other shapes.
    """
    array = _as_array(values, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}: convert them to float")
    if array.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, got shape {array.shape}")
    return [float(value) for value in array]


def check_level(level: object) -> float:
    """A confidence level in (0, 1).

    Raises:
        TypeError, ValueError: for anything else, 95 and "95 %" too.
    """
    return check_number("level", level, above=0, below=1)


def one_class_mask(target: NDArray[np.int64], index: int) -> Mask:
    """Which examples (N,) have the class or label ``index``; target (N,) or 0/1 (N, C)."""
    return np.asarray(target == index if target.ndim == 1 else target[:, index] > 0)


def check_same_shape(**arrays: NDArray[Any]) -> None:
    """Check that paired arrays have one shape.

    Raises:
        ValueError: naming each array with its shape.
    """
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"all arguments must be of the same examples, got {shapes}")


def _check_finite(array: NDArray[Any], name: str, *, finite: bool) -> None:
    if not array.size:
        return
    ends = array.min(), array.max()  # both NaN if any value is; they need no memory
    if not np.isnan(ends[0]) and (not finite or np.isfinite(ends).all()):
        return
    place = np.argwhere(~np.isfinite(array) if finite else np.isnan(array))[0].tolist()
    need = "finite" if finite else "numbers"
    raise ValueError(
        f"{name} must be {need}, got {array[tuple(place)]} for example {place[0]}: "
        "leave such examples out, or find out why the model gives it"
    )


def _check_class_indices(target: NDArray[np.int64], name: str, num_classes: int, ignore_index: int | None) -> None:
    low, high = target.min(), target.max()
    if low >= 0 and high < num_classes:
        return
    if ignore_index is not None:
        counted = target[target != ignore_index]
        if not counted.size or (counted.min() >= 0 and counted.max() < num_classes):
            return
    raise ValueError(
        f"{name} must lie in [0, {num_classes - 1}], got {low} to {high}: "
        f"there are {num_classes} classes, counted from 0"
    )


def _check_labels(target: NDArray[np.int64], name: str, num_classes: int | None, ignore_index: int | None) -> None:
    if num_classes is not None and target.shape[1] != num_classes:
        raise ValueError(
            f"{name} {target.shape} must have a column for each of {num_classes} labels, or be class indices (N,)"
        )
    _check_binary(target, name, ignore_index)


def _check_binary(values: NDArray[np.int64], name: str, ignore_index: int | None) -> None:
    if values.min() >= 0 and values.max() <= 1:
        return
    invalid = (values < 0) | (values > 1)
    if ignore_index is not None:
        invalid &= values != ignore_index
    if invalid.any():
        place = tuple(np.argwhere(invalid)[0].tolist())
        raise ValueError(
            f"{name} must be 0 or 1, got {values[place]} for example {place[0]}: pass a mask or 0/1 labels, not indices"
        )


def _as_array(values: Any, name: str) -> NDArray[Any]:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return np.asarray((values.float() if values.dtype == torch.bfloat16 else values).numpy())
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        raise ValueError(f"{name} must not be masked: leave the masked examples out with .compressed()")
    try:
        return np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be an array, or a list with rows of one length: {error}") from error
