"""Training strategies: how one trains, beyond loss and sampler. One strategy per file."""

from imbalance_lab.training.strategies.deferred_resampling import DeferredResampling
from imbalance_lab.training.strategies.deferred_reweighting import DeferredReweighting
from imbalance_lab.training.strategies.ema import EMA
from imbalance_lab.training.strategies.max_norm import MaxNorm
from imbalance_lab.training.strategies.strategy import Prior, Strategy, epoch_at, fold_priors
from imbalance_lab.training.strategies.swa import SWA
from imbalance_lab.training.strategies.weight_average import WeightAverage

__all__ = [
    "EMA",
    "SWA",
    "DeferredResampling",
    "DeferredReweighting",
    "MaxNorm",
    "Prior",
    "Strategy",
    "WeightAverage",
    "epoch_at",
    "fold_priors",
]
