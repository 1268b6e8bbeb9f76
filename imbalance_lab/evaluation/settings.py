"""The settings of runs: what they have in common when the replicates are left aside, and their mean scores.

A setting is all that a user chose but the seeds; its replicates are the runs that differ in `REPLICATES` only. Means
over replicates, with their spread, are what methods are compared by: a single run is one draw.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imbalance_lab.evaluation.fold_comparison import are_cross_validated, mean_of_folds
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.score_keys import is_lower_better, score_range
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.setting_names import short_values
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.metrics import Interval
from imbalance_lab.metrics.replicates import replicate_mean

Overrides = tuple[tuple[str, str], ...]
Replicate = tuple[str | None, ...]

REPLICATES = ("seed", "data.subset_seed")
"""The overrides that results are averaged over."""

NEUTRAL = ("num_workers", "logger", "report", "hydra", "callbacks.progress_bar", "sweep")
"""Overrides, with all below them, on which no result depends."""


@dataclass(frozen=True)
class Setting:
    """Runs that differ in their replicate only.

    Args:
        name: what sets it apart from the other settings, short: "loss=focal loss.gamma=5"; empty if it is the only one.
        overrides: the overrides that vary between settings, with their whole values.
        runs: its replicates, also those without scores.
        n: replicates with a test score.
        val, test: the score that settings are ranked by: the mean over the replicates with its interval; of a single
            run its own interval; of cross-validated runs that over the folds; NaN if undefined.
        scores: the means of all test scores by key, see `imbalance_lab.evaluation.score_keys`.
    """

    name: str
    overrides: Overrides
    runs: tuple[Run, ...]
    n: int
    val: Score
    test: Score
    scores: Mapping[str, Score]


def replicate(run: Run) -> Replicate:
    """The values of `REPLICATES` that a run was given; None for one that was not."""
    return tuple(run.overrides.get(key) for key in REPLICATES)


def find_settings(runs: Sequence[Run], score: str = "auroc") -> tuple[Setting, ...]:
    """The settings of ``runs``, the best mean of ``score`` on validation first."""
    families: dict[Overrides, list[Run]] = {}
    for run in runs:
        rest = tuple((k, v) for k, v in run.overrides.items() if k not in REPLICATES and not _is_neutral(k))
        families.setdefault(rest, []).append(run)
    varied = {pair for rest in families for pair in rest if not all(pair in other for other in families)}
    split = {rest: _without_duplicates(members) for rest, members in families.items()}
    named = [
        (tuple(pair for pair in rest if pair in varied), members, len(parts) > 1)
        for rest, parts in split.items()
        for members in parts
    ]
    names = _names([(overrides, members[0].name if is_split else None) for overrides, members, is_split in named])
    settings = [
        _setting(name, overrides, members, score) for name, (overrides, members, _) in zip(names, named, strict=True)
    ]
    sign = 1 if is_lower_better(score) else -1
    return tuple(sorted(settings, key=lambda s: (math.isnan(s.val.value), sign * s.val.value, s.name)))


def mean_score(runs: Sequence[Run], split: Split, key: str) -> Score:
    """The mean of a score over replicates; of a single run the score with its own interval."""
    if len(runs) > 1 and are_cross_validated(runs):
        return mean_of_folds(runs, split, key)
    found = [(each, replicate(run)) for run in runs if (each := run.score(split, key)) is not None]
    if len(found) < 2:
        return found[0][0] if found else Score(math.nan)
    mean = replicate_mean([each.value for each, _ in found], [of_run for _, of_run in found])
    return Score(mean.mean, within_range(mean.interval(), key))


def within_range(interval: Interval | None, key: str) -> Interval | None:
    """An interval of a score cut to the values that the score can have."""
    lowest, highest = score_range(key)
    return None if interval is None else (max(lowest, interval[0]), min(highest, interval[1]))


def _is_neutral(key: str) -> bool:
    return any(key == each or key.startswith(f"{each}.") for each in NEUTRAL)


def _without_duplicates(runs: list[Run]) -> list[list[Run]]:
    """The runs as one list, or each on its own if two have the same replicate: a repetition is no new evidence."""
    return [runs] if len({replicate(run) for run in runs}) == len(runs) else [[run] for run in runs]


def _names(settings: Sequence[tuple[Overrides, str | None]]) -> list[str]:
    """The names of settings: their overrides, and the name of a run that the overrides do not set apart."""
    values: dict[str, list[str]] = {}
    for overrides, _ in settings:
        for key, value in overrides:
            values.setdefault(key, []).append(value)
    short = {key: short_values(each) for key, each in values.items()}
    names = []
    for overrides, run in settings:
        words = [f"{key}={short[key][value]}" for key, value in overrides]
        words += [] if run is None else [f"run {run}"]
        names.append(" ".join(words) or ("defaults" if len(settings) > 1 else ""))
    return names


def _setting(name: str, overrides: Overrides, runs: list[Run], score: str) -> Setting:
    keys = dict.fromkeys(key for run in runs for key in run.scores_of("test"))
    return Setting(
        name=name,
        overrides=overrides,
        runs=tuple(runs),
        n=sum(run.score("test", score) is not None for run in runs),
        val=mean_score(runs, "val", score),
        test=mean_score(runs, "test", score),
        scores={key: mean_score(runs, "test", key) for key in keys},
    )
