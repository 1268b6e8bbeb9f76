"""Lightning callbacks, one trick a file."""

from imbalance_lab.callbacks.best_checkpoint import BestCheckpoint
from imbalance_lab.callbacks.epoch_lines import EpochLines
from imbalance_lab.callbacks.prediction_writer import PredictionWriter

__all__ = ["BestCheckpoint", "EpochLines", "PredictionWriter"]
