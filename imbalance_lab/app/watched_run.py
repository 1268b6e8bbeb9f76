"""What ``watch`` needs of a run: its labelled examples, the rule of its thresholds, and how others are applied."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from imbalance_lab.app.build import instantiate_part
from imbalance_lab.app.configuration import evaluation_config
from imbalance_lab.app.decide import decided
from imbalance_lab.app.run_data import validation_data
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.deployment.reference import ReferenceFeatures, reference_features
from imbalance_lab.deployment.shift_features import feature_space
from imbalance_lab.deployment.watch import WatchedRun
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_files import Split
from imbalance_lab.evaluation.scores import FEW_POSITIVES
from imbalance_lab.model import Model
from imbalance_lab.posthoc import PostProcessor, Threshold, ThresholdRule
from imbalance_lab.text import shell_words, split_override


def watched_run(
    directory: RunDirectory, model: Model, words: Sequence[str], allow: Sequence[str], *, n: int, seed: int
) -> WatchedRun:
    """The labelled examples of a run, and what is known about its thresholds.

    Args:
        directory: of the run.
        model: its best one.
        words: ``data.KEY=VALUE`` where the data are now, and ``operating_point…`` as ``evaluate`` was given it.
        allow: packages that the configuration may name.
        n: labelled examples whose features are compared, at most.
        seed: of their draw.

    Raises:
        UsageError: for a run that was not evaluated, or whose classes do not exclude each other; for a word that does
            not fit. Data that are gone are only a reason not to compare features.
    """
    if model.postprocessor is None or not directory.metadata.is_file():
        evaluate = shell_words("imbalance-lab", "evaluate", str(directory.path))
        raise UsageError(f"{directory.path} was not evaluated: run {evaluate} first")
    if model.task.activation != "softmax":
        what = "labels" if model.task.is_multilabel else "classes"
        raise UsageError(
            f"{directory.path} predicts {what} independently of each other, by a sigmoid, but watch estimates shares "
            "of classes of which every example has exactly one: watch a run whose loss has a softmax"
        )
    of_data = [word for word in words if split_override(word)[0].startswith("data.")]
    of_rule = [word for word in words if word not in of_data]
    split, labelled = _labelled(directory)
    test = directory.read_predictions("test")
    every_class = len(np.unique(test.target)) == test.task.num_classes
    name = "validation" if split == "val" else split
    return WatchedRun(
        path=str(directory.path),
        column=model.schema.targets[0] if isinstance(model.schema, TableSchema) else "",
        postprocessor=model.postprocessor,
        split=name,
        labelled=labelled,
        measured=test if every_class else labelled,
        measured_on="test" if every_class else name,
        train_counts=directory.read_metadata()["train_counts"],
        features=_features(directory, model, split, labelled, of_data, allow, n, seed),
        rule=_rule(directory, model.postprocessor, of_rule),
    )


def apply_thresholds(
    model: Model, run: Path, file: Path, allow: Sequence[str], chosen: PostProcessor
) -> tuple[PostProcessor, str]:
    """What ``predict`` decides by with the thresholds and class priors of ``chosen``, and its command line.

    Raises:
        UsageError: if it cannot, or would calibrate in another way.
    """
    prior = ",".join(f"{share:.9g}" for share in chosen.prior or ())
    thresholds = [
        f"{name}={_probability(threshold.threshold)}"
        for name, threshold in zip(chosen.classes, chosen.thresholds, strict=True)
        if isinstance(threshold, Threshold)
    ]
    applied = decided(model, run, thresholds, None, prior).evaluated_postprocessor
    if not _same_calibration(applied, chosen):
        raise UsageError(
            "the stored calibration is not that of the run's configuration, so that predict cannot apply thresholds "
            f"for other class priors: run {shell_words('imbalance-lab', 'evaluate', str(run))} first"
        )
    words = ["imbalance-lab", "predict", str(run), str(file), "-o", f"{file.name.partition('.')[0]}_predictions.csv"]
    words += [word for package in allow for word in ("--allow", package)]
    words += ["--deploy-prior", prior]
    for each in thresholds:  # a class may be called "--help"
        words += [f"--threshold={each}"] if each.startswith("-") else ["--threshold", each]
    return applied, shell_words(*words)


def _labelled(directory: RunDirectory) -> tuple[Split, Predictions]:
    """The examples that chose nothing, if there are enough of each class; or else those of validation, or of test."""
    calibration = directory.read_calibration()
    if not directory.read_metadata().get("has_validation", True):
        return "test", directory.read_predictions("test")
    if calibration is None or calibration.task.count(torch.from_numpy(calibration.target)).min() < FEW_POSITIVES:
        return "val", directory.read_predictions("val")
    return "calibration", calibration


def _features(
    directory: RunDirectory,
    model: Model,
    split: Split,
    labelled: Predictions,
    overrides: Sequence[str],
    allow: Sequence[str],
    n: int,
    seed: int,
) -> ReferenceFeatures | str:
    """The features of the run's own labelled examples; the reason where the data are gone."""
    try:
        splits = validation_data(directory, overrides, allow)
        return reference_features(feature_space(model), splits.parts[split], labelled, n, seed)
    except UsageError as error:
        if overrides:  # the user said where they are, and is wrong
            raise
        return str(error)


def _rule(directory: RunDirectory, postprocessor: PostProcessor, overrides: Sequence[str]) -> ThresholdRule | str:
    """The rule that chose the stored thresholds; the reason where it cannot be told."""
    for word in overrides:
        if split_override(word)[0].split(".")[0] != "operating_point":
            raise UsageError(f"{word} is not for watch: give data.KEY=VALUE or operating_point=…")
    stored = {each.rule for each in postprocessor.thresholds if isinstance(each, Threshold)}
    if not stored:
        return "no class has a threshold"
    try:
        rule: ThresholdRule = instantiate_part(evaluation_config(directory, list(overrides)), "operating_point")
    except UsageError as error:
        if overrides:
            raise
        return str(error)
    if {str(rule)} == stored:
        return rule
    return (
        f"the thresholds were chosen by {' and '.join(sorted(stored))}, but the configuration has {rule}: add the "
        "operating_point=… that evaluate was given"
    )


def _same_calibration(one: PostProcessor, other: PostProcessor) -> bool:
    a, b = one.calibration, other.calibration
    return np.allclose([a.temperature, *a.bias], [b.temperature, *b.bias], rtol=1e-6, atol=1e-9)


def _probability(value: float) -> str:
    """As short as it can be without becoming 0 or 1, which are no thresholds."""
    short = f"{value:.9g}"
    return short if 0 < float(short) < 1 else repr(value)
