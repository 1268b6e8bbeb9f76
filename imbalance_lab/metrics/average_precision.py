"""Average precision as torchmetrics classes: exact, or in bounded memory."""

import numpy as np

from imbalance_lab.metrics.one_vs_rest import ExactScore
from imbalance_lab.metrics.ranking import Ranking
from imbalance_lab.metrics.streaming import StreamingScore


class AveragePrecision(ExactScore):
    """Average precision, exact: the step-wise area under the precision-recall curve, as scikit-learn defines it.

    Arguments as for `AUROC`, without ``max_fpr``.

    >>> import torch
    >>> average_precision = AveragePrecision(task="binary")
    >>> average_precision(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 1, 1]))
    tensor(0.8333)
    """

    def score(self, ranking: Ranking) -> float:
        return ranking.average_precision


class StreamingAveragePrecision(StreamingScore):
    """Average precision in bounded memory, with bounds.

    The value takes the p positives and n negatives of a bin as evenly mixed. It is lowest if each positive comes after
    all n negatives, Σ_{k=1…p} (T + k) / (T + k + F + n) for the T positives and F negatives above, and highest if the
    positives tie before them, p (T + p) / (T + p + F).

    Arguments and attributes as for `StreamingAUROC`.
    """

    @staticmethod
    def bounded_score(ranking: Ranking) -> tuple[float, float, float]:
        from scipy.special import digamma  # imported when first used: it takes 0.2 s

        if ranking.n_positive == 0:
            return np.nan, np.nan, np.nan
        positives, tp, fp = ranking.positives_at, ranking.tp, ranking.fp
        middle = tp - (positives - 1) / 2
        mixed = positives * middle / (middle + (fp + ranking.fp_above) / 2)
        # The lowest value's sum in closed form, by digamma.
        lowest = positives - fp * (digamma(tp + fp + 1) - digamma(tp - positives + fp + 1))
        highest = positives * tp / (tp + ranking.fp_above)
        value, low, high = (float(part.sum()) / ranking.n_positive for part in (mixed, lowest, highest))
        return value, low, high
