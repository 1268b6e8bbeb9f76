"""Samplers: one order of the examples per seed and epoch, shared by all processes.

A sampler is anything with ``order(epoch) -> positions (N,)``, see `Sampler`. `DistributedEpochBatchSampler` divides
that order into batches. One sampler per file.
"""

from imbalance_lab.samplers.base import SampledIndices, Sampler
from imbalance_lab.samplers.class_balanced import ClassBalancedSampler
from imbalance_lab.samplers.distributed_epoch_batch import DistributedEpochBatchSampler
from imbalance_lab.samplers.effective_number import EffectiveNumberSampler
from imbalance_lab.samplers.m_per_class import MPerClassSampler
from imbalance_lab.samplers.progressive import ProgressiveSampler
from imbalance_lab.samplers.random import RandomSampler
from imbalance_lab.samplers.repeated import RepeatedSampler
from imbalance_lab.samplers.sequential import SequentialSampler

__all__ = [
    "ClassBalancedSampler",
    "DistributedEpochBatchSampler",
    "EffectiveNumberSampler",
    "MPerClassSampler",
    "ProgressiveSampler",
    "RandomSampler",
    "RepeatedSampler",
    "SampledIndices",
    "Sampler",
    "SequentialSampler",
]
