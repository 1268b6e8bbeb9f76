"""What a search looks for: the monitored score that a run returns, or several scores of its `metrics.json`."""

import re
from dataclasses import dataclass
from typing import Literal

from omegaconf import DictConfig, ListConfig

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.score_keys import HEADINGS, is_lower_better
from imbalance_lab.tags import MONITOR, score_tag
from imbalance_lab.validation import did_you_mean

Direction = Literal["maximize", "minimize"]

MONITORS = {
    MONITOR: "auroc",
    score_tag("val", "average_precision", average="macro"): "average_precision",
    score_tag("val", "balanced_accuracy"): "balanced_accuracy",
}
"""Scores that are logged after every epoch, and what they are called in `metrics.json`."""

LOSS = score_tag("val", "loss")
OF_CLASS = re.compile("val/((auroc|average_precision|recall)/class/.+)")
OTHERS = ("recall", "recall_at_threshold", "precision_at_threshold", "fpr_at_threshold", "f1_at_threshold")
"""Scores of groups and classes, beside those of `HEADINGS`."""


@dataclass(frozen=True)
class Objective:
    """One score that a search looks for.

    Args:
        name: what the user calls it: the monitor, or a key of `imbalance_lab.evaluation.score_keys`.
        direction: which values are better.
        score: its key in `metrics.json`; None for the loss, which has none.
        is_returned: whether the run returns it; else it is read from the directory of the run.
    """

    name: str
    direction: Direction
    score: str | None
    is_returned: bool


def read_objectives(config: DictConfig, given: object) -> tuple[Objective, ...]:
    """The objectives of a search: those ``given``, or else the monitor.

    Raises:
        UsageError: for a score that there is not, of the test split, twice the same, or with the wrong direction.
    """
    if config.check or not config.fit:
        raise UsageError("sweep=optuna needs runs that train: leave out check and fit=false")
    if given is None:
        return (_monitored(config.monitor, config.monitor_mode),)
    names = list(given) if isinstance(given, list | ListConfig) else [given]
    found = tuple(_stored(name) for name in names)
    if not found or len({each.score for each in found}) < len(found):
        raise UsageError(f"sweep.objectives={given} must name different scores, as in [auroc,calibration_error]")
    return found


def _monitored(monitor: object, mode: str) -> Objective:
    """What the run returns, with its direction."""
    name = str(monitor)
    of_class = OF_CLASS.fullmatch(name)
    if name not in MONITORS and name != LOSS and not of_class:
        known = [*MONITORS, LOSS, *(score_tag("val", each, of_class="NAME") for each in ("auroc", "recall"))]
        near = did_you_mean(name, known)
        raise UsageError(f"monitor={name} is not a score of validation{near} (scores: {', '.join(known)})")
    direction: Direction = "minimize" if name == LOSS else "maximize"
    if mode != direction[:3]:
        better = "lower" if name == LOSS else "higher"
        raise UsageError(
            f"monitor={name} is better the {better} it is, and monitor_mode={mode} would search for the worst: "
            f"choose monitor_mode={direction[:3]}"
        )
    return Objective(name, direction, of_class[1] if of_class else MONITORS.get(name), is_returned=True)


def _stored(given: object) -> Objective:
    """A score of `metrics.json` on validation; the names of the monitors stand for theirs."""
    name = str(given)
    if name == "test" or name.startswith("test/"):
        raise UsageError(f"sweep.objectives: {name} is on test, where nothing may be chosen: name one of validation")
    of_class = OF_CLASS.fullmatch(name)
    key = MONITORS.get(name) or (of_class[1] if of_class else name.removeprefix("val/"))
    known = [*HEADINGS, *OTHERS]
    if key.partition("/")[0] not in known or (key.partition("/")[0] in OTHERS and "/" not in key):
        near = did_you_mean(key.partition("/")[0], known)
        raise UsageError(
            f"sweep.objectives: {name} is not a score of validation{near} (such as {', '.join(HEADINGS)}, "
            "recall/few, auroc/class/NAME)"
        )
    return Objective(key, "minimize" if is_lower_better(key) else "maximize", key, is_returned=False)
