"""Training strategies: how one trains, beyond loss and sampler. One strategy per file."""

from imbalance_lab.training.strategies.class_means import ClassMeans
from imbalance_lab.training.strategies.classifier_retraining import ClassifierRetraining
from imbalance_lab.training.strategies.cutmix import CutMix
from imbalance_lab.training.strategies.deferred_resampling import DeferredResampling
from imbalance_lab.training.strategies.deferred_reweighting import DeferredReweighting
from imbalance_lab.training.strategies.ema import EMA
from imbalance_lab.training.strategies.label_over_smoothing import LabelOverSmoothing
from imbalance_lab.training.strategies.learnable_weight_scaling import LearnableWeightScaling
from imbalance_lab.training.strategies.max_norm import MaxNorm
from imbalance_lab.training.strategies.mixing import Mixing
from imbalance_lab.training.strategies.mixup import Mixup
from imbalance_lab.training.strategies.remix import Remix
from imbalance_lab.training.strategies.strategy import Prior, Strategy, epoch_at, fold_priors
from imbalance_lab.training.strategies.swa import SWA
from imbalance_lab.training.strategies.weight_average import WeightAverage
from imbalance_lab.training.strategies.weight_balancing import WeightBalancing

__all__ = [
    "EMA",
    "SWA",
    "ClassMeans",
    "ClassifierRetraining",
    "CutMix",
    "DeferredResampling",
    "DeferredReweighting",
    "LabelOverSmoothing",
    "LearnableWeightScaling",
    "MaxNorm",
    "Mixing",
    "Mixup",
    "Prior",
    "Remix",
    "Strategy",
    "WeightAverage",
    "WeightBalancing",
    "epoch_at",
    "fold_priors",
]
