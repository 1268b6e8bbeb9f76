"""A run directory's stored predictions → its scores, operating point, curves: after training, and whenever wanted.

Nothing here needs the data or the model. `record` writes down what the predictions alone do not tell, `review` reads
that and writes everything a person looks at.
"""

import json
import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.instantiate import Experiment, build, posthoc_options
from imbalance_lab.errors import UsageError
from imbalance_lab.files import atomic_write, write_json

if TYPE_CHECKING:
    from imbalance_lab.evaluation.evaluation import Evaluation
    from imbalance_lab.posthoc import PostProcessor, Threshold

MISSING = object()

PACKAGES = ("imbalance-lab", "torch", "lightning", "torchmetrics", "numpy")


class RunResults(NamedTuple):
    """What came out: the scores on both splits, after an adjustment if there is one, and the thresholds on test."""

    val: "Evaluation"
    test: "Evaluation"
    after: "Evaluation | None"
    postprocessor: "PostProcessor"
    on_test: tuple["Threshold | str", ...]


def record(directory: Path, config: DictConfig, parts: Experiment, checkpoint: Path) -> None:
    """Write `run.json`: what later reviews need to know beside the predictions, and who wants to repeat the run."""
    write_json(
        directory / "run.json",
        {
            "command": shlex.join(["python", *sys.argv]),
            "seed": config.seed,
            "checkpoint": os.path.relpath(checkpoint, directory),
            "train_counts": parts.splits.class_counts.tolist(),
            "train_prior": None if parts.train_prior is None else list(parts.train_prior),
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        },
    )


def review(directory: Path, config: DictConfig) -> RunResults:
    """Score the stored predictions, choose the operating point, and write what came out.

    Args:
        directory: a run's, with `predictions/` and `run.json`.
        config: its config; only what is about the time after training counts, and may differ from training's.

    Raises:
        UsageError: for options that make no sense; nothing is written then.
    """
    from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.evaluation.report_data import RunRecord, compute_report_data
    from imbalance_lab.evaluation.run_directory import RunDirectory
    from imbalance_lab.posthoc import fit_postprocessor, validate_options
    from imbalance_lab.report.curves import draw_pr, draw_roc, write_curves
    from imbalance_lab.report.figures import write_figures
    from imbalance_lab.report.page import write_page
    from imbalance_lab.report.tables import write_tables

    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    counts, train_prior = about["train_counts"], about["train_prior"] and tuple(about["train_prior"])
    stored = {split: Predictions.read(directory / "predictions" / f"{split}.parquet") for split in ("val", "test")}
    val, test = (Evaluation(stored[split], counts) for split in ("val", "test"))
    classes = stored["val"].classes
    wants_images = OmegaConf.select(config, "report.images", default=False)  # a run of an older version has no such key
    rule = build(config, "operating_point")
    options = posthoc_options(config, stored["val"].activation)
    try:
        validate_options(len(classes), rule, train_prior=train_prior, **options)
    except (ValueError, TypeError) as error:
        raise UsageError(f"after training: {error}") from error
    fitted_on = stored["val"].logits, stored["val"].target
    try:
        postprocessor = fit_postprocessor(*fitted_on, classes, rule, train_prior=train_prior, **options)
    except ValueError as error:  # only these examples could tell, and a trained model is not given up for it
        print(f"the logits stay as they are: {error}")
        options |= {"calibration": "none", "deploy_prior": None, "logit_adjustment": None}
        postprocessor = fit_postprocessor(*fitted_on, classes, rule, train_prior=train_prior, **options)
    after = None if postprocessor.adjustment is None else Evaluation(adjusted(stored["test"], postprocessor), counts)
    on_test = postprocessor.evaluate_on(stored["test"].logits, stored["test"].target)

    point = {"fitted_on": "val", "n": len(stored["val"].target), **postprocessor.as_json()}
    write_json(directory / "operating_point.json", point)
    scores = {
        "checkpoint": about["checkpoint"],
        "val": val.as_json(),
        "test": test.as_json(),
        "test_adjusted": None if after is None else after.as_json(),
        "test_at_thresholds": [
            threshold if isinstance(threshold, str) else threshold.as_json() for threshold in on_test
        ],
    }
    write_json(directory / "metrics.json", scores)
    _store_in_checkpoint(directory, about["checkpoint"], point)
    for name, draw in (("roc", draw_roc), ("pr", draw_pr)):
        draw(classes, test.rankings, counts).savefig(directory / f"{name}.png")
    write_curves(directory / "curves.csv", classes, test.rankings)
    run = RunDirectory(directory)
    data = compute_report_data(RunRecord.read(run, about), val, test, after, postprocessor, on_test)
    write_page(run.report, data)
    write_tables(run.tables, scores, data)
    if wants_images:
        write_figures(run.images, data)
    return RunResults(val, test, after, postprocessor, on_test)


AFTER_TRAINING = ("operating_point", "calibration", "deploy_prior", "logit_adjustment", "report")


def reviewed_config(directory: Path, overrides: list[str]) -> DictConfig:
    """The stored config of a run, with what is about the time after training changed by ``KEY=VALUE``.

    Raises:
        UsageError: for a key that only another training could change, or that there is not.
    """
    config = OmegaConf.load(directory / ".hydra" / "config.yaml")
    assert isinstance(config, DictConfig)
    for override in overrides:
        key, _, value = override.partition("=")
        part = key.split(".")[0]
        if part not in AFTER_TRAINING:
            raise UsageError(
                f"{key} cannot be changed without training again: choose among {', '.join(AFTER_TRAINING)}"
            )
        if key == "operating_point":
            config.operating_point = _choice(key, value)
        elif OmegaConf.select(config, key, default=MISSING) is MISSING:
            known = ", ".join(f"operating_point.{name}" for name in config.operating_point if name[0] != "_")
            raise UsageError(f"there is no {key!r} in this configuration: the run's rule has {known}")
        else:
            OmegaConf.update(config, key, _value(value))
    return config


def _value(text: str) -> Any:
    """What YAML reads."""
    return OmegaConf.to_container(OmegaConf.create(f"value: {text}"))["value"]  # type: ignore[call-overload, index]


def _choice(group: str, name: str) -> Any:
    """A member of a config group."""
    package = Path(__file__).parent.parent
    configs = package / "configs" if (package / "configs").is_dir() else package.parent / "configs"
    file = configs / group / f"{name}.yaml"
    if not file.is_file():
        choices = ", ".join(sorted(path.stem for path in file.parent.glob("*.yaml")))
        raise UsageError(f"there is no {group}={name} (choices: {choices})")
    return OmegaConf.load(file)


def print_review(reviewed: RunResults, title: str) -> None:
    """Print the tables of a review."""
    from imbalance_lab.report.terminal import console, evaluation_table, summary_lines
    from imbalance_lab.report.threshold_table import missing_threshold_lines, threshold_table

    _, test, after, postprocessor, on_test = reviewed
    out = console()
    out.print(evaluation_table(test, title))
    out.print()
    for line in summary_lines(test):
        out.print(line)
    if after is not None and postprocessor.prior is not None:
        out.print(f"\nfor the class shares {[round(share, 4) for share in postprocessor.prior]}:")
        for line in summary_lines(after):
            out.print(line)
    out.print()
    out.print(threshold_table(postprocessor.classes, postprocessor.thresholds, on_test))
    for line in missing_threshold_lines(postprocessor.classes, postprocessor.thresholds):
        out.print(line, soft_wrap=True)


def _store_in_checkpoint(directory: Path, checkpoint: str, point: dict[str, Any]) -> None:
    """Let the operating point travel with the weights, if they are the run's own and not another's that it tested."""
    import torch

    path = (directory / checkpoint).resolve()
    if not path.is_relative_to(directory.resolve()) or not path.is_file():
        return
    content = torch.load(path, map_location="cpu", weights_only=True) | {"operating_point": point}
    with atomic_write(path) as unfinished:
        torch.save(content, unfinished)
