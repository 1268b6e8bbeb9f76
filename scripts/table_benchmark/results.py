"""The measurements: one line of JSON each, appended as they come, so that a stopped run goes on where it was."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from imbalance_lab.errors import UsageError


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


def read_results(paths: Iterable[Path]) -> list[Result]:
    """All results of these files, the later of two with the same key; files that do not exist hold none.

    Raises:
        UsageError: for a line that is no result; a last line without its end was being written, and is left out.
    """
    found = {}
    for path in paths:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for at, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):
            try:
                result = Result(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise UsageError(f"{path}, line {at} is no result ({error}): delete the line") from None
            found[result.key] = result
    return list(found.values())


def append_result(path: Path, result: Result) -> None:
    """Add a line, after removing one that was cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(json.dumps(asdict(result)).encode() + b"\n")
