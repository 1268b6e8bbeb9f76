"""What the NumPy side takes in: arrays, lists and tensors, brought into one form and checked in one place.

Left in the dtype that they come in, small integers wrap (200 · 4 + 1 is 33 in uint8) and 0/1 integers index where a
mask is meant.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_scores(values: Any, name: str = "scores") -> NDArray[Any]:
    """Scores, logits or probabilities of any shape, as an array; float and signed integers keep their dtype.

    Raises:
        TypeError: for what are no real numbers.
    """
    array = _as_array(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, got {array.dtype}")
    return array if array.dtype.kind in "fi" else array.astype(np.float64)


def as_target(target: Any, name: str = "target", *, ignore_index: int | None = None) -> NDArray[np.int64]:
    """Class numbers (N,), or 0/1 of each label (N, C), as int64, from any integer dtype or bool.

    Raises:
        TypeError: for anything else, floats too.
        ValueError: for other shapes, and for labels that are neither 0 nor 1 nor ``ignore_index``.
    """
    array = _as_array(target)
    if array.dtype.kind not in "iub" and array.size:
        raise TypeError(f"{name} must be integer or bool, got {array.dtype}: convert it with .astype(int)")
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} must be class numbers (N,) or 0/1 (N, C), got shape {array.shape}")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must be class numbers or 0/1, got {array.max()}")
    whole = array.astype(np.int64, copy=False)
    if whole.ndim == 2:
        _check_binary(whole, name, ignore_index)
    return whole


def as_mask(values: Any, name: str = "positive") -> NDArray[np.bool_]:
    """Yes or no of each example, (N,) or (N, C), as bool, from any integer dtype or bool: 0/1 is never an index.

    Raises:
        TypeError, ValueError: as `as_target`, and for numbers but 0 and 1 in (N,) too.
    """
    whole = as_target(values, name)
    _check_binary(whole, name, None)
    return np.asarray(whole == 1)


def _check_binary(whole: NDArray[np.int64], name: str, ignore_index: int | None) -> None:
    if not whole.size or (whole.min() >= 0 and whole.max() <= 1):
        return
    strange = (whole < 0) | (whole > 1)
    if ignore_index is not None:
        strange &= whole != ignore_index
    if strange.any():
        place = tuple(np.argwhere(strange)[0].tolist())
        raise ValueError(f"{name} must be 0 or 1, got {whole[place]} for example {place[0]}")


def _as_array(values: Any) -> NDArray[Any]:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return np.asarray((values.float() if values.dtype == torch.bfloat16 else values).numpy())
    return np.asarray(values)
