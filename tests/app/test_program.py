"""Comparing and evaluating finished runs again, as users call it, on real runs."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.posthoc import PostProcessor
from tests.conftest import ROOT, composed
from tests.helpers.command_line import call


def compare(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return call(ROOT / "scripts" / "compare.py", *arguments, cwd=cwd)


def evaluate(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return call("-m", "imbalance_lab", "evaluate", *arguments, cwd=cwd)


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of a real run, with the config that Hydra would have stored."""
    copy = tmp_path / "first" / "run"
    shutil.copytree(finished_run, copy)
    (copy / ".hydra").mkdir()
    OmegaConf.save(composed("max_epochs=3", "loss.alpha=effective"), copy / ".hydra" / "config.yaml")
    OmegaConf.save(["max_epochs=3", "loss.alpha=effective"], copy / ".hydra" / "overrides.yaml")
    return copy


def test_two_runs_of_one_name_are_distinguished_and_compared(run: Path, tmp_path: Path) -> None:
    twin = tmp_path / "second" / "run"
    shutil.copytree(run, twin)
    done = compare(run, twin, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "first/run" in done.stdout
    assert "second/run" in done.stdout
    assert "are not distinguishable" in done.stdout
    assert done.stdout.splitlines()[-1] == "comparison.html"
    assert (tmp_path / "comparison.html").stat().st_size > 4e6
    assert max(len(line) for line in done.stdout.splitlines() if "│" in line or "[" in line[:60]) <= 200


def test_a_sweep_directory_gets_its_page(run: Path, tmp_path: Path) -> None:
    done = compare(run.parent, "--score", "balanced_accuracy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All runs: bal. acc. " in done.stdout
    assert (run.parent / "comparison.html").is_file()


def test_evaluating_again_changes_the_operating_point_and_nothing_of_the_training(run: Path, tmp_path: Path) -> None:
    kept = {name: (run / name).read_bytes() for name in ("metrics.csv", "run.json")}
    predicted = Predictions.read(run / "predictions" / "test.parquet")
    before = json.loads((run / "metrics.json").read_text())
    uniform = ("prior_correction=deploy_prior", f"prior_correction.deploy_prior={[0.1] * 10}")
    done = evaluate(run, "operating_point=min_recall", "operating_point.min_recall=0.8", *uniform, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    point = json.loads((run / "operating_point.json").read_text())
    assert point["prior"] == pytest.approx([0.1] * 10)
    assert {each["rule"] for each in point["classes"] if "rule" in each} == {"recall ≥ 0.8 with 95% confidence"}
    after = json.loads((run / "metrics.json").read_text())
    assert after["test"] == before["test"]
    stored = Predictions.read(run / "predictions" / "test.parquet")
    assert (stored.logits == predicted.logits).all()
    assert (stored.target == predicted.target).all()
    flags = PostProcessor.from_json(point).flags(stored.logits)
    reported = after["test_at_thresholds"][0]
    assert (reported["tp"], reported["fp"]) == (flags[stored.target == 0, 0].sum(), flags[stored.target != 0, 0].sum())
    assert {name: (run / name).read_bytes() for name in kept} == kept


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["loss.gamma=1"], "loss.gamma cannot be changed without training again"),
        (
            ["operating_point=recal"],
            "there is no operating_point=recal; did you mean operating_point=min_recall? (choices: alert_budget",
        ),
        (["operating_point.least=3"], "there is no 'operating_point.least' in this configuration"),
        (
            ["prior_correction=deploy_prior", "prior_correction.deploy_prior=[0.5,0.5]"],
            "deploy_prior has 2 class priors, but there are 10 classes",
        ),
        (["operating_point=recall"], "operating_point=recall is now called operating_point=min_recall"),
    ],
)
def test_a_refused_evaluation_leaves_everything_as_it_was(
    run: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = evaluate(run, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_of_an_earlier_release_is_refused(run: Path) -> None:
    content = json.loads((run / "run.json").read_text())
    content["shares_seen"] = content.pop("train_prior")
    del content["sha256"]
    (run / "run.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="was written by an earlier release: train it again"):
        evaluate_again([run], [])


def test_what_is_not_a_run_is_refused(run: Path, tmp_path: Path) -> None:
    done = compare("nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere is neither a run directory nor a sweep directory" in done.stderr
    done = compare(run, "--baseline", "elsewhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "--baseline elsewhere is not among the compared runs" in done.stderr


def test_multilabel_runs_are_compared_and_evaluated_again(label_sweep: Path, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    shutil.copytree(label_sweep, sweep)
    done = compare(sweep, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 settings, best validation AUROC first" in done.stdout
    assert (sweep / "comparison.html").is_file()
    run = sweep / "asymmetric"
    done = evaluate(
        run, "calibration=bias_corrected", "prior_correction=logit_adjustment", "report.images=true", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((run / "operating_point.json").read_text())["prior"] == [0.5, 0.5]
    assert (run / "images" / "roc.png").is_file()
    assert not (run / "images" / "confusion.png").exists()


def test_the_old_flag_names_the_command(run: Path, tmp_path: Path) -> None:
    done = compare("--rewrite", run, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: --rewrite is now a command: python -m imbalance_lab evaluate RUN KEY=VALUE …\n"
