"""Files without labels against a real run on payments: shares that are known, columns that were changed."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from imbalance_lab import load_model
from imbalance_lab.app.program import main
from imbalance_lab.app.watched_run import apply_thresholds, watched_run
from imbalance_lab.deployment.shift_features import feature_space
from imbalance_lab.deployment.watch import deploy_prior, expected_rows
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import Model
from imbalance_lab.posthoc import PostProcessor
from tests.helpers.payments import payments
from tests.helpers.program import imbalance_lab

SHARE = 0.05


@pytest.fixture(scope="module")
def run(payments_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run, whose data stay where they are."""
    return shutil.copytree(payments_run, tmp_path_factory.mktemp("watched") / "run")


def watch(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """``imbalance-lab watch WORDS`` in this process: its exit code, and what it prints."""
    return imbalance_lab(capsys, "watch", *words)


def write(path: Path, table: pd.DataFrame) -> Path:
    table.drop(columns="class").to_csv(path, index=False)
    return path


def test_a_share_five_times_as_large_is_found_and_answered(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table = payments(4000, seed=1, share=5 * SHARE)
    file = write(tmp_path / "april.csv", table)
    code, told = watch(capsys, run, file, "--fail-on-shift")
    assert code == 3
    result = json.loads((run / "watch" / "april.csv" / "watch.json").read_text())
    fraud = next(each for each in result["shares"] if each["name"] == "fraud")
    for method in ("em", "bbse"):
        low, high = fraud[method]["ci95"]
        assert low < (table["class"] == "fraud").mean() < high < low + 0.15
    assert fraud["direction"] == "risen"
    assert result["prior_shift"]["alarm"]
    assert not result["other_shift"]["alarm"]
    assert "The share of class = fraud has risen from 5." in told
    assert (run / "watch" / "april.csv" / "watch.html").stat().st_size > 4e6

    command = next(line for line in told.splitlines() if line.startswith("imbalance-lab predict"))
    assert command == result["proposal"]["command"]
    main(shlex.split(command)[1:])
    flagged = pd.read_csv(tmp_path / "april_predictions.csv")[["flag_fraud", "flag_legit"]]
    promised = [each["rates"]["found_flagged_per_1000"] for each in result["proposal"]["thresholds"]]
    np.testing.assert_allclose(1000 * flagged.mean(), promised, atol=1e-9)


def test_a_file_like_the_training_data_gives_no_alarm(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = payments(3000, seed=2, share=SHARE)
    file = write(tmp_path / "may.csv", table)
    code, told = watch(capsys, run, file, "-o", tmp_path / "result", "--fail-on-shift")
    assert code == 0
    result = json.loads((tmp_path / "result" / "watch.json").read_text())
    assert result["alarm"] is False
    low, high = result["shares"][0]["em"]["ci95"]
    assert low < (table["class"] == "fraud").mean() < high
    assert result["proposal"] == {"refused": "the class shares have not changed: keep the thresholds"}
    assert "Keep the thresholds. No labels are needed now." in told


def test_a_changed_column_gives_the_other_alarm_and_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = payments(3000, seed=3, share=SHARE)
    table["hour"] = (table["hour"] + 3).round(1)
    code, told = watch(capsys, run, write(tmp_path / "june.csv", table), "-o", tmp_path / "result")
    assert code == 0  # without --fail-on-shift
    result = json.loads((tmp_path / "result" / "watch.json").read_text())
    assert result["other_shift"]["alarm"]
    assert [each["column"] for each in result["column_changes"] if each["changed"]] == ["hour"]
    median = result["column_changes"][0]
    assert median["new"] - median["reference"] == pytest.approx(3, abs=0.6)
    assert told.startswith("More than the class shares has changed, most of all in hour")
    assert "Do not act on the shares" in told


def test_where_the_data_are_gone_the_rest_goes_on(
    run: Path, payments_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "july.csv", payments(500, seed=4, share=SHARE))
    data = payments_run.parent / "train.csv"
    moved = data.rename(tmp_path / "moved.csv")
    try:
        code, told = watch(capsys, run, file, "-o", tmp_path / "result")
        assert code == 0
        assert "Whether anything else has changed was not tested: the data of" in told
        assert json.loads((tmp_path / "result" / "watch.json").read_text())["column_changes"] == []
        code, told = watch(capsys, run, file, "-o", tmp_path / "again", f"data.path='{moved}'")
        assert code == 0
        assert "other shift: no alarm" in told
        code, told = watch(capsys, run, file, "-o", tmp_path / "wrong", "data.path=nowhere.csv")
        assert code == 2
        assert "nowhere.csv" in told
        assert not (tmp_path / "wrong").exists()
    finally:
        moved.rename(data)


@pytest.mark.parametrize(
    ("words", "content", "sentence"),
    [
        ([], None, "new.csv does not exist: name a file or a folder of new examples"),
        ([], "amount,hour,country,device,account_age\n", "has a header but no row"),
        ([], "", "new.csv"),
        ([], "hour,country,device,account_age\n1,DE,ios,1\n", "no column 'amount'"),
        (["--seed", "-1"], "a\n1\n", "--seed must be an integer in [0, "),
        (["loss.gamma=1"], "good", "loss.gamma=1 is not for watch: give data.KEY=VALUE or operating_point=…"),
        (["-o", "new.csv"], "good", "-o new.csv is a file"),
        (["data.drop=x"], "good", "data.drop"),
    ],
)
def test_refusals(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    content: str | None,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if content == "good":
        write(Path("new.csv"), payments(50, seed=0))
    elif content is not None:
        Path("new.csv").write_text(content)
    code, told = watch(capsys, run, "new.csv", *words)
    assert code == 2
    assert sentence in told
    assert "\n" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"] * (content is not None)


def test_what_is_not_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(capsys, tmp_path, tmp_path) == (
        2,
        f"{tmp_path} is not the directory of a run: name one, as in runs/DATE/TIME",
    )


def test_runs_that_cannot_be_watched_are_refused(run: Path) -> None:
    model = load_model(run)
    plain = (model.schema, model.prepare, model.backbone, model.head)
    with pytest.raises(UsageError, match="was not evaluated: run imbalance-lab evaluate"):
        watched_run(RunDirectory(run), Model(model.task, *plain, None), [], [], n=10, seed=0)
    sigmoid = type(model.task)("multilabel", model.classes, "sigmoid")
    with pytest.raises(UsageError, match="predicts labels independently of each other"):
        watched_run(RunDirectory(run), Model(sigmoid, *plain, model.postprocessor), [], [], n=10, seed=0)


def test_a_rule_that_evaluate_was_given_has_to_be_given_again(run: Path) -> None:
    stored, directory = load_model(run), RunDirectory(run)
    other = stored.evaluated_postprocessor.as_json()
    for each in other["classes"]:
        each["rule"] = "recall ≥ 0.8 with 95% confidence"
    model = stored.with_postprocessor(PostProcessor.from_json(other))
    reason = watched_run(directory, model, [], [], n=10, seed=0).rule
    assert str(reason).startswith(
        "the thresholds were chosen by recall ≥ 0.8 with 95% confidence, but the configuration"
    )
    words = ["operating_point=min_recall", "operating_point.min_recall=0.8"]
    rule = watched_run(directory, model, words, [], n=10, seed=0).rule
    assert str(rule) == "recall ≥ 0.8 with 95% confidence"


def test_a_calibration_that_predict_would_not_use_is_refused(run: Path) -> None:
    model = load_model(run)
    other = model.evaluated_postprocessor.as_json()
    other["calibration"]["temperature"] *= 1.5
    with pytest.raises(UsageError, match="the stored calibration is not that of the run's configuration"):
        apply_thresholds(model, run, Path("x.csv"), [], PostProcessor.from_json(other | {"prior": [0.2, 0.8]}))


def test_a_net_has_its_own_features(images_run: Path) -> None:
    model = load_model(images_run)
    space = feature_space(model)
    inputs = torch.rand(2100, *model.schema.input_shape)
    features = space.compute(inputs)
    assert features.shape == (2100, model.backbone.num_features)
    assert (space.columns, space.categorical) == ((), ())
    with torch.inference_mode():
        logits = model.head(torch.from_numpy(features))
    np.testing.assert_allclose(logits, model.logits_of(inputs), atol=1e-4)


def test_images_are_watched_too(images_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = watch(capsys, images_run, images_run.parent / "train", "-o", tmp_path / "result")
    assert code == 0, told
    result = json.loads((tmp_path / "result" / "watch.json").read_text())
    assert result["rows"]["all"] == 72
    assert sum(each["em"]["value"] for each in result["shares"]) == pytest.approx(1)


def test_expected_rows_have_the_shares_of_a_deployment_prior() -> None:
    target = np.repeat([0, 1], [900, 100])
    np.testing.assert_array_equal(expected_rows(target, [0.9, 0.1], 0), np.arange(1000))
    rare = target[expected_rows(target, [0.99, 0.01], 0)]
    assert np.bincount(rare).tolist() == [900, 9]
    common = target[expected_rows(target, [0.5, 0.5], 0)]
    assert np.bincount(common).tolist() == [100, 100]
    assert np.bincount(target[expected_rows(target, [1 - 1e-6, 1e-6], 0)]).tolist() == [900, 2]


def test_a_class_that_seems_to_have_vanished_keeps_a_prior() -> None:
    prior = deploy_prior([1.0, 0.0, 0.0])
    assert sum(prior) == pytest.approx(1)
    assert min(prior) > 0
