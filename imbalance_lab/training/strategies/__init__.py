"""Training strategies: how one trains, beyond loss and sampler."""

from imbalance_lab.training.strategies.cutmix import CutMix
from imbalance_lab.training.strategies.mixing import Mixing
from imbalance_lab.training.strategies.mixup import Mixup
from imbalance_lab.training.strategies.remix import Remix
from imbalance_lab.training.strategies.strategy import Prior, Strategy

__all__ = ["CutMix", "Mixing", "Mixup", "Prior", "Remix", "Strategy"]
