"""The scores of `metrics.json` by flat keys: what runs can be ranked and compared by.

============================================  ====================================================================
``auroc``, ``macro_f1``, ``brier_score`` …    a score of the whole split
``recall/few``                                the mean over a group of classes
``auroc/class/Ankle boot``                    the score of one class, whatever its name
``recall_at_threshold/class/fraud``           of one class's decisions at its threshold (the operating point)
============================================  ====================================================================
"""

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.metrics import Interval

HEADINGS = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "balanced_accuracy": "bal. acc.",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "matthews_corrcoef": "MCC",
    "geometric_mean_recall": "G-mean recall",
    "harmonic_mean_recall": "H-mean recall",
    "worst_class_recall": "worst recall",
    "log_loss": "log loss",
    "brier_score": "Brier",
    "brier_skill_score": "Brier skill",
    "calibration_error": "cal. error",
    "classwise_calibration_error": "cal. error by class",
    "partial_auroc_fpr_0.1": "pAUROC (FPR ≤ 0.1)",
    "precision_at_recall_0.9": "precision at recall 0.9",
}
"""What the scores are called in headings; AUROC and AP are macro. Others are called as in the file."""

_LOWER_IS_BETTER = {"brier_score", "calibration_error", "classwise_calibration_error", "fpr_at_threshold", "log_loss"}
_RANGE = {"matthews_corrcoef": (-1.0, 1.0), "brier_skill_score": (-math.inf, 1.0), "log_loss": (0.0, math.inf)}
_RANGE |= {"brier_score": (0.0, 2.0)}
_GROUPED = "_by_shot_group"
_AT_THRESHOLD = ("recall", "precision", "fpr", "f1")
_NOT_SCORES = {"n", "train_count", "n_positive"}


def heading(key: str) -> str:
    """What a score is called in a heading.

    >>> heading("auroc"), heading("recall/few"), heading("auroc/class/9"), heading("recall_at_threshold/class/fraud")
    ('AUROC', 'recall (few)', 'AUROC of 9', 'recall of fraud at its threshold')
    """
    score, _, rest = key.partition("/")
    at_threshold = score.endswith("_at_threshold")
    name = HEADINGS.get(score, score.removesuffix("_at_threshold").replace("_", " "))
    if rest.startswith("class/"):
        name += f" of {rest.removeprefix('class/')}"
    elif rest:
        name += f" ({rest})"
    return f"{name} at its threshold" if at_threshold else name


def is_lower_better(key: str) -> bool:
    """Whether a lower score is the better one."""
    return key.partition("/")[0] in _LOWER_IS_BETTER


def score_range(key: str) -> Interval:
    """The lowest and the highest value that a score can have."""
    return _RANGE.get(key.partition("/")[0], (0.0, 1.0))


def stored_scores(content: Mapping[str, Any], split: Split) -> dict[str, Score]:
    """The defined scores of a split by key.

    Args:
        content: of `metrics.json`.
        split: "val" or "test".
    """
    return dict(_defined(content, split))


def nearest(key: str, known: list[str]) -> list[str]:
    """Up to three of ``known`` that are spelled most like ``key``."""
    same_ending = [each for each in known if key and each.casefold() == key.casefold()]
    return (same_ending or difflib.get_close_matches(key, known, n=3, cutoff=0.4) or known)[:3]


def _defined(content: Mapping[str, Any], split: Split) -> Iterator[tuple[str, Score]]:
    scores = content.get(split) or {}
    for name, value in scores.items():
        if name.endswith(_GROUPED) and isinstance(value, Mapping):
            groups = {group: _score(each) for group, each in value.items()}
            yield from ((f"{name.removesuffix(_GROUPED)}/{group}", each) for group, each in groups.items() if each)
        elif name not in _NOT_SCORES and (found := _score(value)) is not None:
            yield name, found
    classes = scores.get("classes") or []
    for of_class in classes:
        for name, value in of_class.items():
            if name not in _NOT_SCORES and (found := _score(value)) is not None:
                yield f"{name}/class/{of_class['name']}", found
    at_thresholds = content.get(f"{split}_at_thresholds") or []
    if len(at_thresholds) == len(classes):  # a text in place of a class says why it has no threshold
        for of_class, counts in zip(classes, at_thresholds, strict=True):
            for name in _AT_THRESHOLD if isinstance(counts, Mapping) else ():
                if (found := _score(counts.get(name))) is not None:
                    yield f"{name}_at_threshold/class/{of_class['name']}", found


def _score(content: Any) -> Score | None:
    """A number, or a number with its interval; None for anything else."""
    if isinstance(content, Mapping):
        found, ends = _score(content.get("value")), content.get("ci95")
        interval = (ends[0], ends[1]) if isinstance(ends, list) and len(ends) == 2 else None
        return None if found is None else Score(found.value, interval)
    is_number = isinstance(content, int | float) and not isinstance(content, bool)
    return Score(float(content)) if is_number and math.isfinite(content) else None
