"""Other decisions by a trained model: thresholds that are given, or fitted again on validation without training."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.validation import did_you_mean

if TYPE_CHECKING:
    from imbalance_lab.model import Model
    from imbalance_lab.posthoc import PostProcessor

RULES = "--operating-point max_f1, min_recall=0.9 or min_cost:false_positive=1,false_negative=50"


def decided(
    model: "Model",
    run: Path,
    thresholds: Sequence[str] = (),
    operating_point: str | None = None,
    deploy_prior: str | None = None,
) -> "Model":
    """The model with other decisions.

    Args:
        model: of the run.
        run: its directory, whose validation predictions a rule and class priors need; or a checkpoint.
        thresholds: ``CLASS=PROBABILITY``, of the probabilities after the correction to ``deploy_prior``.
        operating_point: ``RULE``, ``RULE=VALUE`` or ``RULE:KEY=VALUE,…``, as the group of that name has them.
        deploy_prior: C class priors, separated by commas.

    Raises:
        UsageError: for what is misspelled, out of range, or does not fit together.
    """
    if operating_point is None and deploy_prior is None and not thresholds:
        return model
    given = _given(thresholds, model.classes)
    directory = RunDirectory(run)
    if operating_point is not None or deploy_prior is not None:
        postprocessor = _refitted(directory, operating_point, deploy_prior, only_given=bool(given))
    else:
        postprocessor = model.evaluated_postprocessor
    return model.with_postprocessor(_with_thresholds(postprocessor, directory, given) if given else postprocessor)


def _given(words: Sequence[str], classes: Sequence[str]) -> dict[int, float]:
    """The thresholds by the index of their class."""
    found: dict[int, float] = {}
    for word in words:
        name, equals, value = word.rpartition("=")
        if not equals:
            raise UsageError(f"--threshold {word} has no probability: write CLASS=P, as in {classes[0]}=0.5")
        if name not in classes:
            near = (
                did_you_mean(name, classes) or f": the classes are {', '.join(classes[:8])}{' …' * (len(classes) > 8)}"
            )
            raise UsageError(f"--threshold {word} names no class of the model{near}")
        try:
            probability = float(value)
        except ValueError:
            probability = math.nan
        if not 0 < probability < 1:
            raise UsageError(f"--threshold {word} must have a probability between 0 and 1, as in {name}=0.5")
        if classes.index(name) in found:
            raise UsageError(f"--threshold {name}=… is given twice: leave one out")
        found[classes.index(name)] = probability
    return found


def _refitted(
    directory: RunDirectory, operating_point: str | None, deploy_prior: str | None, *, only_given: bool
) -> "PostProcessor":
    """The post-processing fitted on the validation predictions of the run, nothing of which is written."""
    from imbalance_lab.app.configuration import evaluation_config
    from imbalance_lab.app.postprocessing import fit_postprocessing

    if not directory.is_run:
        raise UsageError(
            f"{directory.path} is a checkpoint without its validation predictions: give the run directory for "
            "--operating-point and --deploy-prior"
        )
    overrides = _rule(operating_point)
    if deploy_prior is not None:
        overrides += ["prior_correction=deploy_prior", f"prior_correction.deploy_prior=[{_numbers(deploy_prior)}]"]
        if only_given and operating_point is None:  # the rule of the run might not hold for other class priors
            overrides += [
                "operating_point=min_cost",
                *(f"operating_point.false_{it}=1" for it in ("positive", "negative")),
            ]
    config = evaluation_config(directory, overrides)
    metadata = directory.read_metadata()
    prior = metadata["train_prior"]
    try:
        val, calibration = directory.read_validation(metadata), directory.read_calibration()
        task = None if val is not None else directory.read_predictions("test").task
        words, head = [*directory.read_override_list(), *overrides], directory.read_linear_head()
        fitted = fit_postprocessing(config, val, prior and tuple(prior), calibration, head, task=task, overrides=words)
    except UsageError as error:
        sentence = str(error).removeprefix("after training: ").replace("operating_point=", "--operating-point ")
        raise UsageError(sentence) from error
    if deploy_prior is None or operating_point is not None or not only_given:
        return fitted
    return fitted.with_thresholds(["no threshold was given for these class priors"] * len(fitted.classes))


def _rule(text: str | None) -> list[str]:
    """The overrides of a rule as it is written on the command line."""
    if text is None:
        return []
    name, colon, keys = text.partition(":")
    name, equals, value = (name, "", "") if colon else text.partition("=")
    pairs = [f"{name}={value}"] if equals else [pair for pair in keys.split(",") if pair]
    if not name.isidentifier() or any("=" not in pair for pair in pairs):
        raise UsageError(f"--operating-point {text} cannot be read: write it as in {RULES}")
    return [f"operating_point={name}", *(f"operating_point.{pair}" for pair in pairs)]


def _numbers(text: str) -> str:
    try:
        return ",".join(str(float(word)) for word in text.split(","))
    except ValueError:
        raise UsageError(f"--deploy-prior {text} cannot be read: write numbers, as in 0.99,0.01") from None


def _with_thresholds(
    postprocessor: "PostProcessor", directory: "RunDirectory", given: Mapping[int, float]
) -> "PostProcessor":
    """The same with the ``given`` thresholds, counted on validation if the run has its predictions."""
    from imbalance_lab.posthoc import Threshold

    thresholds = list(postprocessor.thresholds)
    for c, p in given.items():
        thresholds[c] = Threshold(f"given, p ≥ {p:g}", math.log(p) - math.log1p(-p), 0, 0, 0, 0)
    changed = postprocessor.with_thresholds(thresholds)
    if not directory.predictions("val").is_file():
        return changed
    val = directory.read_predictions("val")
    return changed.with_thresholds(changed.evaluate_on(val.logits, val.target))
