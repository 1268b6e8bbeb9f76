"""Training strategies: how one trains, beyond loss and sampler."""

from imbalance_lab.training.strategies.class_means import ClassMeans
from imbalance_lab.training.strategies.strategy import Prior, Strategy

__all__ = ["ClassMeans", "Prior", "Strategy"]
