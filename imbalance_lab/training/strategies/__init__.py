"""Training strategies: how one trains, beyond loss and sampler."""

from imbalance_lab.training.strategies.strategy import Strategy

__all__ = ["Strategy"]
