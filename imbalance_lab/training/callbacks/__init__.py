"""Callbacks of every run."""

from imbalance_lab.training.callbacks.best_checkpoint import BestCheckpoint
from imbalance_lab.training.callbacks.continue_training import ContinueTraining
from imbalance_lab.training.callbacks.epoch_logger import EpochLogger
from imbalance_lab.training.callbacks.keep_frozen import KeepFrozen
from imbalance_lab.training.callbacks.last_checkpoint import LastCheckpoint
from imbalance_lab.training.callbacks.nonfinite_guard import NonFiniteGuard
from imbalance_lab.training.callbacks.prediction_writer import PredictionWriter
from imbalance_lab.training.callbacks.progress_bar import ProgressBar
from imbalance_lab.training.callbacks.pruning import Pruning

__all__ = [
    "BestCheckpoint",
    "ContinueTraining",
    "EpochLogger",
    "KeepFrozen",
    "LastCheckpoint",
    "NonFiniteGuard",
    "PredictionWriter",
    "ProgressBar",
    "Pruning",
]
