"""Join the folds of a cross-validation: their out-of-fold predictions in one file, their scores in one `metrics.json`.

Which score is of what (Forman & Scholz 2010): AUROC, average precision, recall, accuracy, and the losses of
probabilities are means over folds. F1, precision, Matthews' coefficient and the other scores in `OF_SUMS` are computed
from the counts of all folds together: a fold with few positives would make their mean depend on the number of folds.
With repeats these are means over the repeats. Every interval is of the folds' spread, see `metrics.resampled`.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imbalance_lab.class_counts import ShotLimits
from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.fold_scores import Folds, FoldScores
from imbalance_lab.evaluation.predictions import TOLD, Predictions, derived_columns
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.score_keys import score_range, stored_scores
from imbalance_lab.metrics.resampled import resampled_mean

SPLITS: tuple[Split, ...] = ("val", "test")

OF_SUMS = frozenset(
    [
        *("precision", "f1", "fpr", "macro_f1", "matthews_corrcoef", "geometric_mean_recall", "harmonic_mean_recall"),
        *("worst_class_recall", "brier_skill_score", "calibration_error", "classwise_calibration_error"),
    ]
)
"""The scores that are computed from the predictions of all folds of a repeat together."""

FACTS = frozenset(["n", "name", "train_count", "group", "n_positive", "few_positives", "average", "classes"])
"""What is no score: as all folds together have it."""


class JoinedFolds(NamedTuple):
    """A cross-validation as its files describe it.

    Args:
        folds: the scores of each.
        evaluations: of each fold on what it tested, in order.
        scores: the content of `metrics.json`.
    """

    folds: Folds
    evaluations: tuple[Evaluation, ...]
    scores: dict[str, Any]


def join_folds(directory: RunDirectory, folds: int, repeats: int) -> JoinedFolds:
    """Read the finished folds below ``directory``; write their predictions and scores.

    Raises:
        UsageError: naming a file of a fold that is missing or damaged.
    """
    runs = [RunDirectory(directory.fold(number)) for number in range(folds * repeats)]
    contents = [run.read_scores() or {} for run in runs]
    metadata = [run.read_metadata() for run in runs]
    tested = [run.read_predictions("test") for run in runs]
    limits = ShotLimits(**metadata[0].get("shot_limits", {}))
    of_folds = Folds(folds, repeats, tuple(map(_fold_scores, range(len(runs)), metadata, contents)))
    evaluations = [
        Evaluation(test, facts["train_counts"], limits) for test, facts in zip(tested, metadata, strict=True)
    ]
    counts = np.mean([facts["train_counts"] for facts in metadata], 0).round().astype(int).tolist()
    together = []
    for repeat in range(repeats):
        numbers = range(repeat * folds, (repeat + 1) * folds)
        joined, order = _joined([tested[number] for number in numbers], numbers)
        columns = _derived([runs[number].predictions("test") for number in numbers], order)
        joined.write(directory.repeat_predictions(repeat), derived=columns)
        together.append(Evaluation(joined, counts, limits).as_json())
    scores = _scores(of_folds, contents, together) | {"shot_limits": limits._asdict()}
    directory.write_scores(scores)
    return JoinedFolds(of_folds, tuple(evaluations), scores)


def _fold_scores(number: int, metadata: Mapping[str, Any], content: Mapping[str, Any]) -> FoldScores:
    val, test = ({key: score.value for key, score in stored_scores(content, split).items()} for split in SPLITS)
    n_learn = sum(n for split, n in metadata["examples"].items() if split != "test")
    return FoldScores(number, n_learn, metadata["examples"]["test"], val, test)


def _derived(files: Sequence[Path], order: pa.Array) -> dict[str, pa.Array]:
    """What the folds' own post-processing made of the logits, by column, in the joined order."""
    table = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
    return {name: table[name].combine_chunks().take(order) for name in derived_columns(table.column_names)}


def _joined(parts: Sequence[Predictions], numbers: Sequence[int]) -> tuple[Predictions, Any]:
    """The predictions of one repeat by the number of the example, and the order in which they come so."""
    index = np.concatenate([each.index for each in parts])
    order = np.argsort(index)
    fold = np.repeat(np.array(numbers), [len(each.index) for each in parts])[order]
    told: dict[str, pa.Array | None] = {}
    for name in TOLD:
        columns = [getattr(each, name) for each in parts]
        is_known = all(column is not None for column in columns)
        told[name] = pa.chunked_array(columns).combine_chunks().take(pa.array(order)) if is_known else None
    target, logits = (np.concatenate([getattr(each, name) for each in parts])[order] for name in ("target", "logits"))
    told["fold"] = pa.array(fold, pa.int64())
    return Predictions(parts[0].task, index[order], target, logits, **told), pa.array(order)


def _scores(folds: Folds, contents: Sequence[Mapping[str, Any]], together: Sequence[Any]) -> dict[str, Any]:
    """The content of `metrics.json`, with what a run's has as far as it makes sense."""
    ratio = folds.test_per_train
    vals = [each.get("val") for each in contents]
    thresholds = [each.get("test_at_thresholds") or [] for each in contents]
    return {
        "cross_validation": folds.as_json(),
        "selected_on": contents[0].get("selected_on"),
        "positive": contents[0].get("positive"),
        "val": None if None in vals else _mean("val", [vals[0]], vals, ratio),
        "test": _mean("test", together, [each["test"] for each in contents], ratio),
        "test_at_thresholds": [_summed(each, ratio) for each in zip(*thresholds, strict=True)],
    }


def _mean(name: str, together: Sequence[Any], folds: Sequence[Any], ratio: float) -> Any:
    """What nested plain values of the folds come to, in the form that a single run has."""
    first = together[0]
    if name in FACTS and not isinstance(first, list):
        return first
    if isinstance(first, list):
        places = range(len(first))
        return [_mean("", [each[at] for each in together], [each[at] for each in folds], ratio) for at in places]
    if isinstance(first, Mapping) and "value" in first:
        facts = {key: value for key, value in first.items() if key not in ("value", "ci95")}
        return _score(name, [each["value"] for each in together], [each["value"] for each in folds], ratio) | facts
    if isinstance(first, Mapping):
        return {
            key: _mean(key, [each.get(key) for each in together], [each.get(key) for each in folds], ratio)
            for key in first
        }
    if isinstance(first, str | bool):
        return first
    return _score(name, together, folds, ratio)


def _score(name: str, together: Sequence[Any], folds: Sequence[Any], ratio: float) -> dict[str, Any]:
    """One score: its value, its interval, and in how many folds it is defined."""
    defined = [each for each in folds if each is not None]
    mean = resampled_mean(defined, ratio) if defined else None
    value, ends = (None, None) if mean is None else (mean.mean, mean.interval())
    summed = [each for each in together if each is not None]
    if name in OF_SUMS:
        value = math.fsum(summed) / len(summed) if summed else None
    if ends is not None and mean is not None and value is not None:
        lowest, highest = score_range(name)
        ends = max(lowest, ends[0] + value - mean.mean), min(highest, ends[1] + value - mean.mean)
    return {"value": value, "ci95": None if ends is None else list(ends), "folds": len(defined)}


def _summed(of_class: Sequence[Any], ratio: float) -> dict[str, Any] | str:
    """The decisions at the folds' own thresholds, counted together; a text where some fold has no threshold."""
    reason = next((each for each in of_class if isinstance(each, str)), None)
    if reason is not None:
        return reason
    tp, fp, positives, negatives = (
        sum(each[key] for each in of_class) for key in ("tp", "fp", "n_positive", "n_negative")
    )
    values = {
        "recall": tp / positives if positives else None,
        "precision": tp / (tp + fp) if tp + fp else None,
        "fpr": fp / negatives if negatives else None,
        "f1": 2 * tp / (tp + fp + positives) if positives else None,
    }
    counts = {"tp": tp, "fp": fp, "n_positive": positives, "n_negative": negatives}
    return counts | {
        key: {**_score(key, [value], [each[key] for each in of_class], ratio), "value": value}
        for key, value in values.items()
    }
