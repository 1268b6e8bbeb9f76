"""The run beside its baselines on test: scores with intervals, and paired comparisons corrected by Holm's method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from imbalance_lab.evaluation.comparison import Compared, correct
from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.stored_baselines import StoredBaseline, StoredBaselines
from imbalance_lab.evaluation.stored_files import BASELINES
from imbalance_lab.metrics import compare_losses
from imbalance_lab.metrics.compare_losses import mean_loss_interval
from imbalance_lab.metrics.compare_rankings import ComparedAt, PairedRankings, ScoreName, pair_rankings
from imbalance_lab.posthoc import PostProcessor, log_odds

RANKED: tuple[ScoreName, ScoreName] = ("auroc", "average_precision")
LOSSES = ("log_loss", "brier_score")
"""The scores of the table: of the ranking, and of the probabilities after post-processing."""


@dataclass(frozen=True)
class ComparedBaseline:
    """A baseline against the run.

    Args:
        key, name, about: which baseline, what it is called, and how it was trained.
        scores: by name, `RANKED` and `LOSSES`.
        raw_losses: `LOSSES` of the probabilities before post-processing.
        differences: by the same names, the run's score minus the baseline's; the family of each is all baselines.
    """

    key: str
    name: str
    about: str
    scores: Mapping[str, Score]
    raw_losses: Mapping[str, float]
    differences: Mapping[str, Compared]

    def as_json(self) -> dict[str, Any]:
        """Plain values, with null for undefined."""
        return {
            "key": self.key,
            "name": self.name,
            "about": self.about,
            "scores": _as_json(self.scores),
            "raw": dict(self.raw_losses),
            "differences": {name: each.as_json() for name, each in self.differences.items()},
        }


@dataclass(frozen=True)
class BaselineReport:
    """The run and its baselines on test.

    Args:
        run: the scores of the run, by the same names as those of the baselines.
        baselines: in the order in which they were trained.
        left_out: why others could not be trained, by their name.
        of_class: the positive class of a binary task, which AUROC and AP are of; None where they are macro.
    """

    run: Mapping[str, Score]
    baselines: tuple[ComparedBaseline, ...]
    left_out: Mapping[str, str]
    of_class: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The content of ``baselines`` in `metrics.json`."""
        return {
            "run": _as_json(self.run),
            "models": [each.as_json() for each in self.baselines],
            "left_out": dict(self.left_out),
        }


@dataclass(frozen=True)
class _Scored:
    """A model on test, before and after its post-processing."""

    raw: Evaluation
    processed: Evaluation

    @property
    def scores(self) -> dict[str, Score]:
        losses = {name: self.processed.losses[name] for name in LOSSES}
        of_losses = {name: Score(float(each.mean()), mean_loss_interval(each)) for name, each in losses.items()}
        positive = self.raw.predictions.task.positive
        if positive is None:
            ranked = {"auroc": self.raw.macro_auroc, "average_precision": self.raw.macro_average_precision}
        else:
            of_class = self.raw.classes[positive]
            ranked = {"auroc": of_class.auroc, "average_precision": of_class.average_precision}
        if (self.raw.predictions.logits == self.raw.predictions.logits[:1]).all():
            # It ranks nothing, whatever the examples: ½ and the prevalence are no estimates.
            ranked = {name: Score(score.value) for name, score in ranked.items()}
        return {**ranked, **of_losses}


def compare_with_baselines(
    test: Evaluation, processed: Evaluation, found: StoredBaselines, postprocessors: Sequence[PostProcessor]
) -> BaselineReport:
    """Score the baselines as the run is scored, and compare them with it on the same test examples.

    Args:
        test: the run, before post-processing.
        processed: the run, after it.
        found: the stored baselines.
        postprocessors: of each stored baseline, fitted on its own validation predictions as the run's was.
    """
    run = _Scored(test, processed)
    models = [
        _scored(each, postprocessor, test) for each, postprocessor in zip(found.stored, postprocessors, strict=True)
    ]
    pairs = [_compare(run, model) for model in models]
    families = {name: correct([pair[name] for pair in pairs]) for name in (*RANKED, *LOSSES)}
    positive = test.predictions.task.positive
    return BaselineReport(
        run=run.scores,
        baselines=tuple(
            ComparedBaseline(
                each.key,
                each.name,
                each.about,
                model.scores,
                {name: float(model.raw.losses[name].mean()) for name in LOSSES},
                {name: family[place] for name, family in families.items()},
            )
            for place, (each, model) in enumerate(zip(found.stored, models, strict=True))
        ),
        left_out={BASELINES[key]: reason for key, reason in found.left_out.items()},
        of_class=None if positive is None else test.predictions.classes[positive],
    )


def _scored(baseline: StoredBaseline, postprocessor: PostProcessor, test: Evaluation) -> _Scored:
    raw = replace(test, predictions=baseline.test)
    return _Scored(raw, replace(test, predictions=adjusted(baseline.test, postprocessor)))


def _compare(run: _Scored, model: _Scored) -> dict[str, ComparedAt]:
    """The run minus a baseline by each score."""
    a, b = run.raw.predictions, model.raw.predictions
    scores_a, scores_b = (log_odds(each.logits, each.task.activation) for each in (a, b))
    ranked = {name: pair_rankings(scores_a, scores_b, a.target, name) for name in RANKED}
    positive = a.task.positive

    def of(pair: PairedRankings) -> ComparedAt:
        return pair.macro if positive is None else pair.classes[positive]

    losses = {
        name: partial(compare_losses, run.processed.losses[name], model.processed.losses[name]) for name in LOSSES
    }
    return {**{name: of(pair) for name, pair in ranked.items()}, **losses}


def _as_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: score.as_json() for name, score in scores.items()}
