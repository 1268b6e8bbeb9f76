"""Lightning callbacks, one trick a file."""

from imbalance_lab.callbacks.best_checkpoint import BestCheckpoint
from imbalance_lab.callbacks.epoch_lines import EpochLines
from imbalance_lab.callbacks.prediction_writer import PredictionWriter
from imbalance_lab.callbacks.score_bar import ScoreBar
from imbalance_lab.callbacks.stop_on_sigterm import StopOnSigterm

__all__ = ["BestCheckpoint", "EpochLines", "PredictionWriter", "ScoreBar", "StopOnSigterm"]
