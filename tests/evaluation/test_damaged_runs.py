"""Any file of a run, damaged in any way: `compare` and `evaluate` say so in one sentence, and show no wrong number."""

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from imbalance_lab.app.compare import compare, compare_sweep
from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.comparison_data import compute_comparison_data
from imbalance_lab.evaluation.mistakes import read_mistakes
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.sweep import read_run
from tests.helpers.damage import FIXED, RANDOM, confusions, whole_run

OF_COMPARE = ("metrics.json", "status.json", "metrics.csv", ".hydra/overrides.yaml", "predictions/test.parquet")
"""The files that a comparison reads."""

OF_EVALUATE = (
    *("run.json", "status.json", "metrics.csv", ".hydra/config.yaml", "checkpoints/best.ckpt"),
    *("predictions/val.parquet", "predictions/test.parquet", "predictions/mistakes.parquet"),
)
"""Those that an evaluation reads."""

POINTS = 40
"""Random places of each kind of damage in each file."""


@pytest.fixture(scope="session")
def original(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_run(finished_run, tmp_path_factory.mktemp("original") / "run")


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "run"))


def read_for_comparison(run: Path) -> tuple[str | None, Any]:
    """The sentence on the damage, or what a comparison would show."""
    found = read_run(run)
    if found.damage is not None:
        assert found.scores is None
        return found.damage, None
    test = None if found.test is None else (found.test.task, found.test.logits.tobytes(), found.test.target.tobytes())
    return None, (found.scores, found.overrides, found.history, test)


def read_for_evaluation(run: Path) -> tuple[str | None, Any]:
    """The sentence on the damage, or what an evaluation would use."""
    directory = RunDirectory(run)
    try:
        val, test = directory.read_predictions("val"), directory.read_predictions("test")
        logits = (val.task, test.task, val.logits.tobytes(), test.logits.tobytes(), test.target.tobytes())
        return None, (directory.read_metadata(), logits, read_mistakes(directory.mistakes))
    except UsageError as error:
        return str(error), None


def check_sentence(sentence: str, path: Path) -> None:
    assert sentence.startswith(f"{path} "), sentence
    assert re.search(r" is (damaged \(.+\)|missing|a folder)", sentence), sentence
    assert "\n" not in sentence
    assert sentence.isprintable()
    assert len(sentence) < 600


@pytest.mark.parametrize("way", RANDOM)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        *((name, read_for_comparison) for name in OF_COMPARE),
        *((name, read_for_evaluation) for name in OF_EVALUATE if name.endswith(("run.json", "parquet"))),
    ],
)
def test_random_damage_is_named_or_changes_nothing(
    run: Path, way: str, name: str, read: Callable[[Path], tuple[str | None, Any]]
) -> None:
    path, rng = run / name, random.Random(f"{way} {name}")
    content, (_, before) = path.read_bytes(), read(run)
    assert before is not None
    named = 0
    for _ in range(POINTS):
        path.write_bytes(RANDOM[way](content, rng))
        sentence, after = read(run)
        if sentence is not None:
            check_sentence(sentence, path)
            named += 1
        elif name not in ("metrics.csv", ".hydra/overrides.yaml", "status.json"):  # plain text without a digest
            assert after == before, "damage that nobody was told of"
    if way != "flip" and name != ".hydra/overrides.yaml":  # the beginning of a list is a list
        assert named > POINTS / 2


@pytest.mark.parametrize("way", FIXED)
@pytest.mark.parametrize("name", OF_COMPARE)
def test_compare_leaves_out_a_run_and_names_its_file(
    original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, way: str
) -> None:
    path = tmp_path / "b" / name
    for each in ("a", "b"):
        os.symlink(original, tmp_path / each) if each == "a" else linked(original, tmp_path / each)
    path.unlink()
    path.write_bytes(FIXED[way])
    sentence, _ = read_for_comparison(tmp_path / "b")
    if sentence is None:
        assert (name, way) in ((".hydra/overrides.yaml", "list"), ("metrics.csv", "text")), "an empty list is one"
        return
    check_sentence(sentence, path)
    data = compute_comparison_data([read_run(tmp_path / each) for each in ("a", "b")])
    assert [each.name for each in data.runs] == ["a"]
    assert [each.name for each in data.damaged] == ["b"]
    assert data.best is not None
    assert data.best.name == "a"
    assert data.comparisons == []


def linked(original: Path, to: Path) -> Path:
    """A copy of a run that shares its files: one is replaced by unlinking it first."""
    return Path(shutil.copytree(original, to, copy_function=os.link))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("metrics.json", 7),
        ("status.json", 1),
        ("run.json", 2),
        *(pytest.param(name, 1, marks=pytest.mark.exhaustive) for name in ("metrics.json", "run.json")),
    ],
)
def test_type_confusions_are_sentences(original: Path, tmp_path: Path, name: str, step: int) -> None:
    run = linked(original, tmp_path / "run")
    content = json.loads((run / name).read_text())
    content.pop("sha256", None)  # as an earlier release wrote it: the digest would find everything
    (run / name).unlink()
    tried = refused = 0
    for done, wrong in islice(confusions(content), 0, None, step):
        (run / name).write_text(json.dumps(wrong))
        sentence, _ = read_for_evaluation(run) if name == "run.json" else read_for_comparison(run)
        tried += 1
        if sentence is not None:
            check_sentence(sentence, run / name)
            refused += 1
        assert sentence is not None or "nan" not in done, f"{done} was accepted"
    assert refused > tried / 4
    assert tried > 20


@pytest.mark.parametrize("name", OF_COMPARE)
def test_a_missing_file(original: Path, tmp_path: Path, name: str) -> None:
    run = linked(original, tmp_path / "run")
    (run / name).unlink()
    found = read_run(run)
    data = compute_comparison_data([found])
    if name == ".hydra/overrides.yaml":
        assert found.damage is not None
        check_sentence(found.damage, run / name)
    elif name == "metrics.json":
        assert [each.name for each in data.unfinished] == ["run"]
        assert data.best is None
    elif name.endswith("parquet"):
        assert [each.name for each in data.without_predictions] == ["run"]
    else:
        assert found.damage is None


@pytest.mark.parametrize("name", [*OF_COMPARE, ".hydra/config.yaml", "run.json", "predictions/mistakes.parquet"])
def test_a_folder_in_the_place_of_a_file(original: Path, tmp_path: Path, name: str) -> None:
    run = linked(original, tmp_path / "run")
    (run / name).unlink()
    (run / name).mkdir()
    if name in OF_COMPARE:
        assert read_run(run).damage is not None
    with pytest.raises(UsageError):
        evaluate_again([run], ["calibration=none"])


def test_the_line_that_is_being_written_is_no_damage(run: Path) -> None:
    rows = RunDirectory(run).read_epochs()
    text = (run / "metrics.csv").read_text()
    (run / "metrics.csv").write_text(text + "3,0.1")
    with pytest.raises(
        UsageError, match=r"metrics.csv is damaged \(its last line is cut off\): delete it, only the plot"
    ):
        RunDirectory(run).read_epochs()
    (run / "status.json").write_text('{"state": "running"}')
    assert RunDirectory(run).read_epochs() == rows


def test_scores_that_are_not_of_these_predictions_are_not_shown(original: Path, tmp_path: Path) -> None:
    for key, value in (("n", 7), ("accuracy", {"value": 0.123, "ci95": None})):
        run = linked(original, tmp_path / key)
        content = json.loads((run / "metrics.json").read_text())
        content.pop("sha256")
        content["test"][key] = value
        (run / "metrics.json").unlink()
        (run / "metrics.json").write_text(json.dumps(content))
        damage = read_run(run).damage
        assert damage is not None
        assert re.search(rf"metrics.json is damaged \({key}: \S+, but \S+ in the predictions\)", damage), damage


def test_a_run_without_scores_is_never_better(original: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        linked(original, tmp_path / name)
    (tmp_path / "a" / "metrics.json").unlink()
    data = compute_comparison_data([read_run(tmp_path / name) for name in ("a", "b", "c")])
    assert [(each.a, each.b) for each in data.comparisons] == [("run c", "run b")]
    assert data.best is not None
    assert data.best.name == "b"


def test_the_screen_and_the_page_name_a_damaged_run(
    original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        linked(original, tmp_path / name)
    (tmp_path / "b" / "metrics.json").unlink()
    (tmp_path / "b" / "metrics.json").write_text("{}")
    compare([Path("a"), Path("b"), Path("c")])
    shown = capsys.readouterr().out
    line = "run b is left out: b/metrics.json is damaged (it has no val): write it again with imbalance-lab evaluate b"
    assert line in shown.splitlines()
    assert "It and run c are not distinguishable" in shown
    assert "2 settings, best validation AUROC first" in shown
    assert line in Path("comparison.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match=r"--baseline b cannot be compared: b/metrics.json is damaged"):
        compare([Path("a"), Path("b")], baseline="b")


def test_no_run_left_is_one_sentence(original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        linked(original, tmp_path / name)
        (tmp_path / name / "metrics.json").unlink()
        (tmp_path / name / "metrics.json").write_text("null")
    with pytest.raises(
        UsageError, match=r"^no run is left to compare: run a: .*metrics.json .* \(and 1 more"
    ) as caught:
        compare([tmp_path])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "comparison.html").exists()
    compare_sweep(tmp_path)
    assert capsys.readouterr().err.startswith("warning: no run is left to compare")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("folder", "--output {} is a folder: name a file, as in --output {}/comparison.html"),
        ("file/page.html", "--output {} cannot be written, because of "),
        ("/proc/nowhere/page.html", "{} cannot be written"),
        ("x" * 300 + ".html", "cannot be written"),
    ],
)
def test_a_page_that_cannot_be_written(original: Path, tmp_path: Path, output: str, sentence: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / output
    with pytest.raises(UsageError) as caught:
        compare([original], output=path)
    assert sentence.format(path, path) in str(caught.value)


def state(run: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


DAMAGED = [
    (name, way)
    for name in OF_EVALUATE
    for way in (("cut", "empty", "null") if name.endswith(("ckpt", "parquet")) else ("empty", "list", "noise", "deep"))
]


@pytest.mark.parametrize(("name", "way"), DAMAGED)
def test_evaluate_names_the_file_and_writes_nothing(run: Path, name: str, way: str) -> None:
    path = run / name
    rng = random.Random(0)
    path.write_bytes(FIXED[way] if way in FIXED else RANDOM[way](path.read_bytes(), rng))
    if (name, way) == ("metrics.csv", "empty"):
        path.write_bytes(b"epoch,val/auroc/macro\n1,abc\n")
    before = state(run)
    with pytest.raises(UsageError) as caught:
        evaluate_again([run], ["operating_point=min_recall"])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert state(run) == before


def test_files_of_two_runs_are_not_mixed(run: Path, label_sweep: Path) -> None:
    for name in ("run.json", "predictions/val.parquet"):
        kept = (run / name).read_bytes()
        shutil.copy(label_sweep / "asymmetric" / name, run / name)
        before = state(run)
        with pytest.raises(UsageError, match=f"{name} is of another run"):
            evaluate_again([run], [])
        assert state(run) == before
        (run / name).write_bytes(kept)


def test_the_other_runs_are_still_evaluated(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = Path(shutil.copytree(run, tmp_path / "broken"))
    (broken / "run.json").write_text("[")
    before = state(broken)
    with pytest.raises(UsageError, match=r"^1 of 2 runs were not evaluated: \S+/broken/run.json is damaged"):
        evaluate_again([broken, run], ["operating_point=min_recall", "operating_point.min_recall=0.8"])
    assert state(broken) == before
    assert "recall ≥ 0.8" in (run / "operating_point.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("operating_point=../loss/focal", "operating_point=../loss/focal is not a choice: operating_point is one of"),
        ("deploy_prior=[", "deploy_prior is now called prior_correction=deploy_prior"),
        ("report=foo", "report has keys of its own, got report='foo': write report.images=true"),
        ("report.images=5", "report.images must be true or false, got 5"),
        ("~operating_point", "would leave no operating_point"),
        ("operating_point._target_=imbalance_lab.losses.FocalLoss", "operating_point: FocalLoss"),
        ("calibration._target_=imbalance_lab.posthoc.MaxF1", "calibration: "),
        ("calibration._target_=os.system", "os.system, which is of a package that is not trusted"),
        ("operating_point=null", "is not a choice: operating_point is one of"),
        ("operating_point=5", "is not a choice: operating_point is one of"),
    ],
)
def test_a_wrong_option_of_evaluate(run: Path, override: str, sentence: str) -> None:
    before = state(run)
    with pytest.raises(Exception, match=re.escape(sentence)) as caught:
        evaluate_again([run], [override])
    from imbalance_lab.app.messages import format_error

    shown = format_error(caught.value)
    assert shown, repr(caught.value)
    assert state(run) == before


def test_results_that_cannot_be_written(run: Path) -> None:
    (run / "report.html").unlink()
    (run / "report.html").mkdir()
    before = state(run)
    with pytest.raises(UsageError, match=r"report.html is a folder, but a result is to be written there: rename it"):
        evaluate_again([run], [])
    assert state(run) == before
