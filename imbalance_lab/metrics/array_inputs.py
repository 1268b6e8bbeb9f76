"""Validation of NumPy inputs: arrays, lists and tensors are checked and converted to one dtype, in one place.

Used by every function on arrays; `tensor_inputs` does the same for the torchmetrics classes. Without it small integers
overflow (200 · 4 + 1 is 33 in uint8), and 0/1 integers are taken for indices where a mask is meant.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.metrics.types import Mask


def as_scores(values: Any, name: str = "scores") -> NDArray[Any]:
    """Scores, logits or probabilities of any shape as an array; floats and signed integers keep their dtype.

    Raises:
        TypeError: if they are not real numbers.
    """
    array = _as_array(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}")
    return array if array.dtype.kind in "fi" else array.astype(np.float64)


def as_target(target: Any, name: str = "target", *, ignore_index: int | None = None) -> NDArray[np.int64]:
    """Class indices (N,), or 0/1 labels (N, C), of any integer dtype or bool, as int64.

    Raises:
        TypeError: for other dtypes, floating point too.
        ValueError: for other shapes, and for labels other than 0, 1 and ``ignore_index``.
    """
    array = _as_array(target)
    if array.dtype.kind not in "iub" and array.size:
        raise TypeError(f"{name} must be integer or bool, got {array.dtype}: convert it with .astype(int)")
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must be class indices (N,) or 0/1 labels (N, C), got shape {array.shape}")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must be class indices or 0/1 labels, got {array.max()}")
    integers = array.astype(np.int64, copy=False)
    if integers.ndim == 2:
        _check_binary(integers, name, ignore_index)
    return integers


def as_mask(values: Any, name: str = "positive") -> Mask:
    """0/1 or bool values (N,) or (N, C) of any integer dtype, as bool.

    Raises:
        TypeError: for other dtypes.
        ValueError: for other shapes, and for values other than 0 and 1.
    """
    integers = as_target(values, name)
    _check_binary(integers, name, None)
    return np.asarray(integers == 1)


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


def _check_binary(values: NDArray[np.int64], name: str, ignore_index: int | None) -> None:
    if not values.size or (values.min() >= 0 and values.max() <= 1):
        return
    invalid = (values < 0) | (values > 1)
    if ignore_index is not None:
        invalid &= values != ignore_index
    if invalid.any():
        place = tuple(np.argwhere(invalid)[0].tolist())
        raise ValueError(f"{name} must be 0 or 1, got {values[place]} for example {place[0]}")


def _as_array(values: Any) -> NDArray[Any]:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return np.asarray((values.float() if values.dtype == torch.bfloat16 else values).numpy())
    return np.asarray(values)
