"""Lightning callbacks, one per file."""

from imbalance_lab.training.callbacks.best_checkpoint import BestCheckpoint
from imbalance_lab.training.callbacks.epoch_logger import EpochLogger
from imbalance_lab.training.callbacks.prediction_writer import PredictionWriter
from imbalance_lab.training.callbacks.progress_bar import ProgressBar
from imbalance_lab.training.callbacks.stop_on_sigterm import StopOnSigterm

__all__ = ["BestCheckpoint", "EpochLogger", "PredictionWriter", "ProgressBar", "StopOnSigterm"]
