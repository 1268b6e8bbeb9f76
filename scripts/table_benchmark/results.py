"""What is measured: the scores of one method on one split of a table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One method on one split of a table.

    Attributes:
        table: its name.
        split: the seed of the split.
        seed: of the method.
        method: its name.
        version: of the code that was measured.
        auroc, ap, log_loss, calibrated_log_loss, brier, calibrated_brier: see `table_benchmark.scoring.Scores`.
        fit_seconds: of processor time, for fitting and predicting; for our run up to the report, with imports in
            the first run of a process.
    """

    table: str
    split: int
    seed: int
    method: str
    version: str
    auroc: float
    ap: float
    log_loss: float
    calibrated_log_loss: float
    brier: float
    calibrated_brier: float
    fit_seconds: float

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        """What is measured once."""
        return self.table, self.split, self.seed, self.method, self.version
