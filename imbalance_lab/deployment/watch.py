"""What a file without labels says: how large its classes are, whether anything else changed, and what to do.

It compares the model's logits on the file with those on labelled examples of the run, as the run stored them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from imbalance_lab import seeding
from imbalance_lab.deployment.reference import ReferenceFeatures
from imbalance_lab.deployment.row_sample import RowSample
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.column_changes import ColumnChange, column_changes, share_weights
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.threshold_rates import forecast_thresholds
from imbalance_lab.evaluation.watch_data import ClassShare, Proposal, WatchData
from imbalance_lab.evaluation.watched_file import WatchedFile
from imbalance_lab.posthoc import DeployPrior, PostProcessor, Threshold, ThresholdRule
from imbalance_lab.posthoc.prior_correction import known_prior
from imbalance_lab.shift import (
    PriorEstimate,
    ShiftTest,
    estimate_prior_bbse,
    estimate_prior_em,
    other_shift_test,
    prior_shift_test,
    propose_thresholds,
)

KEEP = "the class shares have not changed: keep the thresholds"
SMALLEST_SHARE = 1e-6
"""A class prior is positive, also of a class that seems to have vanished."""

Apply = Callable[[PostProcessor], tuple[PostProcessor, str]]


@dataclass(frozen=True)
class WatchedRun:
    """What is compared with a new file.

    Args:
        path: of the run, as the user calls it.
        column: of a table, that has the class; empty for other data.
        postprocessor: its calibration, class priors and thresholds.
        split: what the labelled examples are called, of which ``labelled`` are the stored predictions.
        labelled: the shares are estimated from these, and new thresholds chosen on them.
        measured: examples of every class, which if possible have chosen nothing; what thresholds do is measured there.
        measured_on: what these are called.
        train_counts: (C,).
        features: of labelled examples; the reason where there are none.
        rule: that chose the thresholds; the reason where it is unknown.
    """

    path: str
    column: str
    postprocessor: PostProcessor
    split: str
    labelled: Predictions
    measured: Predictions
    measured_on: str
    train_counts: Sequence[int]
    features: ReferenceFeatures | str
    rule: ThresholdRule | str


def watch(
    run: WatchedRun,
    file: WatchedFile,
    sample: RowSample,
    apply: Apply,
    *,
    notes: Sequence[str] = (),
    seed: int = 0,
) -> WatchData:
    """Estimate, test, predict and propose.

    Args:
        run: what the file is compared with.
        file: that was sampled.
        sample: of its rows, with the run's own model.
        apply: turns thresholds into a command line, and returns what that will decide by.
        notes: on the file.
        seed: of the samples and tests.

    Raises:
        ValueError: if the shares cannot be estimated, as for a class without a labelled example.
    """
    logits, target = run.labelled.logits, run.labelled.target
    em = estimate_prior_em(logits, target, sample.logits)
    bbse = estimate_prior_bbse(logits, target, sample.logits)
    shares = _shares(run, em, bbse)
    at = expected_rows(target, [each.expected for each in shares], seed)
    prior_shift = prior_shift_test(logits[at], target[at], sample.logits, seed=seed)
    other_shift, changes = _other_shift(run.features, sample, seed)
    return WatchData(
        run=run.path,
        column=run.column,
        file=file,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        seed=seed,
        version=version("imbalance-lab"),
        n_rows=sample.n_rows,
        n_used=len(sample.logits),
        n_compared=0 if sample.features is None else len(sample.features),
        reference=run.split,
        n_reference=len(target),
        measured_on=run.measured_on,
        positive=run.labelled.task.positive,
        shares=shares,
        prior_shift=prior_shift,
        other_shift=other_shift,
        changes=changes,
        stored=forecast_thresholds(run.postprocessor, run.measured, sample.logits, em),
        proposal=_proposal(run, em, sample, apply) if prior_shift.alarm else KEEP,
        notes=tuple(notes),
    )


def expected_rows(target: NDArray[np.int64], shares: Sequence[float], seed: int) -> NDArray[np.int64]:
    """The largest random part of labelled examples with these class shares (C,), in their order: places (N',).

    All of them, where the shares are their own; of each class at least two, as the tests need them.
    """
    counts = np.bincount(target, minlength=len(shares))
    wanted = np.asarray(shares)
    present = wanted > 0
    n = (counts[present] / wanted[present]).min()
    rng = np.random.default_rng(seeding.hash_seeds(seed))
    kept = [rng.permutation(np.flatnonzero(target == c))[: max(2, round(n * share))] for c, share in enumerate(shares)]
    return np.sort(np.concatenate(kept))


def _shares(run: WatchedRun, em: PriorEstimate, bbse: PriorEstimate) -> tuple[ClassShare, ...]:
    train = np.asarray(run.train_counts) / sum(run.train_counts)
    counts = np.bincount(run.labelled.target, minlength=len(train))
    reference = counts / counts.sum()
    corrected = run.postprocessor.prior_correction
    expected = reference if corrected is None or corrected.prior is None else np.asarray(corrected.prior)
    return tuple(
        ClassShare(
            name,
            float(train[c]),
            float(reference[c]),
            float(expected[c]),
            Score(em.prior[c], em.interval[c]),
            Score(bbse.prior[c], bbse.interval[c]),
        )
        for c, name in enumerate(run.labelled.classes)
    )


def _other_shift(
    reference: ReferenceFeatures | str, sample: RowSample, seed: int
) -> tuple[ShiftTest | str, tuple[ColumnChange, ...]]:
    """The test, or why there is none, and how the columns of a table differ."""
    if isinstance(reference, str) or sample.features is None:
        return str(reference), ()
    values, target, new, space = reference.values, reference.target, sample.features, reference.space
    try:
        # The test needs the estimate of exactly the rows that it compares.
        estimate = estimate_prior_em(reference.logits, target, sample.logits[: len(new)])
        test = other_shift_test(values, target, new, estimate, categorical=space.categorical, seed=seed)
    except ValueError as error:
        return str(error), ()
    if not space.columns:
        return test, ()
    return test, column_changes(space.columns, values, share_weights(target, estimate.prior), new, test)


def _proposal(run: WatchedRun, em: PriorEstimate, sample: RowSample, apply: Apply) -> Proposal | str:
    """Thresholds for the estimated shares, or why there are none."""
    if isinstance(run.rule, str):
        return run.rule
    prior = deploy_prior(em.prior)
    try:
        applied, command = apply(_chosen(run, run.rule, prior))
    except (UsageError, ValueError) as error:
        return str(error)
    if not any(isinstance(each, Threshold) for each in applied.thresholds):
        return "no class has a threshold"
    return Proposal(prior, str(run.rule), forecast_thresholds(applied, run.measured, sample.logits, em), command)


def _chosen(run: WatchedRun, rule: ThresholdRule, prior: tuple[float, ...]) -> PostProcessor:
    """The same calibration for other class priors, with thresholds that the rule chooses for them.

    Raises:
        ValueError: if the class priors of the calibrated logits are unknown.
    """
    calibration, classes = run.postprocessor.calibration, run.postprocessor.classes
    shift = DeployPrior(list(prior)).shift(known_prior(calibration.prior), calibration.activation)
    adjusted = PostProcessor(classes, calibration, shift, ("",) * len(classes))
    return adjusted.with_thresholds(
        propose_thresholds(rule, adjusted.log_odds(run.labelled.logits), run.labelled.target, prior)
    )


def deploy_prior(shares: Sequence[float]) -> tuple[float, ...]:
    """Estimated shares (C,) as class priors: each at least `SMALLEST_SHARE`, their sum 1.

    >>> deploy_prior([0.75, 0.25])
    (0.75, 0.25)
    """
    positive = np.maximum(np.asarray(shares, np.float64), SMALLEST_SHARE)
    return tuple((positive / positive.sum()).tolist())
