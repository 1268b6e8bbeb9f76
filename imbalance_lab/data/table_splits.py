"""The splits of a table's rows, where neither a file nor a column gives them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imbalance_lab.data.folds import Fold
from imbalance_lab.data.splitting import SplitIndices, fill_missing_splits


def split_rows(
    given: SplitIndices,
    labels: Tensor,
    fractions: tuple[float, float, float],
    seed: int,
    groups: NDArray[np.int64] | None,
    order: NDArray[np.int64] | None,
    fold: Fold | None,
    classes: Sequence[str],
) -> SplitIndices:
    """Fill the splits that are not given, see `fill_missing_splits`; ``fractions`` of validation, test, calibration."""
    val, test, calibration = fractions
    return fill_missing_splits(
        *(given, labels),
        val_fraction=val,
        test_fraction=test,
        calibration_fraction=calibration,
        seed=seed,
        groups=groups,
        order=order,
        fold=fold,
        classes=classes,
    )
