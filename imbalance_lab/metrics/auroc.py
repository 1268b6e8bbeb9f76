"""The area under the ROC curve as torchmetrics classes: exact, or in bounded memory."""

from typing import Any

import numpy as np

from imbalance_lab.metrics.one_vs_rest import ExactScore
from imbalance_lab.metrics.ranking import Ranking
from imbalance_lab.metrics.streaming import StreamingScore
from imbalance_lab.metrics.tensor_inputs import Average
from imbalance_lab.task import Kind
from imbalance_lab.validation import check_number


class AUROC(ExactScore):
    """The area under the ROC curve, exact.

    Args:
        task: "binary", "multiclass" or "multilabel", as for `OneVsRest`.
        num_classes: C; not needed for "binary".
        average: "macro", "weighted" or "none", as for `torchmetrics.AUROC`; undefined classes are left out of means.
        max_fpr: compute the standardized partial area up to this false positive rate (`Ranking.partial_auroc`).
        kwargs: further arguments of `OneVsRest`.

    `torchmetrics.AUROC` agrees wherever every class is present and no probability saturates. There is no
    ``thresholds``, because the score is exact: see `StreamingAUROC`.

    >>> import torch
    >>> auroc = AUROC(task="binary")
    >>> auroc(torch.tensor([0.13, 0.26, 0.08, 0.19, 0.34]), torch.tensor([0, 0, 1, 1, 1]))
    tensor(0.5000)
    """

    def __init__(
        self,
        task: Kind,
        num_classes: int | None = None,
        average: Average | None = "macro",
        *,
        max_fpr: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(task, num_classes, average, **kwargs)
        self.max_fpr = None if max_fpr is None else check_number("max_fpr", max_fpr, above=0, maximum=1)

    def score(self, ranking: Ranking) -> float:
        return ranking.auroc if self.max_fpr is None else ranking.partial_auroc(self.max_fpr)


class StreamingAUROC(StreamingScore):
    """The area under the ROC curve in bounded memory, with bounds.

    Scores in one bin count as tied. Whatever their order, the exact area differs by at most half the share of pairs in
    one bin, Σ_b p_b n_b / (2 P Q), for p_b of P positives and n_b of Q negatives in bin b.

    The arguments are `StreamingOneVsRest`'s, and ``average`` as for `AUROC`; bounds are averaged likewise.

    Attributes:
        bounds: the lowest and the highest value that the exact score can have, in the shape of the last value.
        n_defined: for how many classes it is defined.

    >>> import torch
    >>> auroc = StreamingAUROC("binary")
    >>> auroc.update(torch.tensor([0.13, 0.26, 0.08, 0.19, 0.34]), torch.tensor([0, 0, 1, 1, 1]))
    >>> auroc.compute()
    tensor(0.5000)
    >>> auroc
    StreamingAUROC(0.500000 in [0.500000, 0.500000])
    """

    @staticmethod
    def bounded_score(ranking: Ranking) -> tuple[float, float, float]:
        if not ranking.is_defined:
            return np.nan, np.nan, np.nan
        tied_pairs = int(np.dot(ranking.positives_at, ranking.fp - ranking.fp_above))
        error = tied_pairs / (2 * ranking.n_positive * ranking.n_negative)
        return ranking.auroc, ranking.auroc - error, ranking.auroc + error
