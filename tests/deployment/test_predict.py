"""Predictions for inputs of every kind: what is in the file, and what is refused before anything is written."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imbalance_lab import load_model
from imbalance_lab.app.program import main
from imbalance_lab.deployment.inputs import InputOptions, open_input
from imbalance_lab.deployment.inputs.stream import MAX_UNKNOWN
from imbalance_lab.deployment.predict import predict
from imbalance_lab.errors import UsageError
from tests.helpers import command_line, images
from tests.helpers.payments import payments
from tests.helpers.program import imbalance_lab

NEXT = payments(3000, seed=1)


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """Next month's payments, without labels, the columns in another order."""
    path = tmp_path / "month.csv"
    NEXT.drop(columns="class")[["device", "id", "country", "amount", "account_age", "hour"]].to_csv(path, index=False)
    return path


def run_predict(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """``imbalance-lab predict WORDS`` in this process: what it prints; its error if it ends with one."""
    return imbalance_lab(capsys, "predict", *words)[1]


def test_every_row_gets_what_the_model_says_of_it(
    payments_run: Path, month: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = month.with_name("out.csv")
    told = run_predict(capsys, payments_run, month, "-o", out, "--id", "id")
    table = pd.read_csv(out)
    assert list(table) == ["id", "p_fraud", "p_legit", "predicted", "flag_fraud", "flag_legit"]
    assert (table["id"] == NEXT["id"]).all()
    model = load_model(payments_run)
    expected = model.predict(NEXT)
    np.testing.assert_allclose(table[["p_fraud", "p_legit"]], expected.probabilities, rtol=0, atol=1e-6)
    assert expected.predicted is not None
    assert (table["predicted"] == expected.predicted).mean() > 0.999
    assert (table["flag_fraud"] == expected.flags[:, 0]).mean() > 0.999
    assert f"{table['flag_fraud'].sum():,}" in told
    assert f"{1000 * table['flag_fraud'].mean():.2f}" in told
    threshold = model.evaluated_postprocessor.thresholds[0]
    assert not isinstance(threshold, str)
    flagged, n = threshold.tp + threshold.fp, threshold.n_positive + threshold.n_negative
    assert f"{1000 * flagged / n:.2f}" in told


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "parquet"])
def test_every_kind_of_table_gives_the_same(payments_run: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"month.{kind}"
    if kind == "parquet":
        NEXT.to_parquet(path)
    else:
        text = NEXT.to_csv(index=False, sep="\t" if kind == "tsv" else ",")
        path.write_bytes(gzip.compress(text.encode()) if kind == "csv.gz" else text.encode())
    model = load_model(payments_run)
    predict(model, open_input(path, model.schema), tmp_path / "out.parquet")
    table = pd.read_parquet(tmp_path / "out.parquet")
    assert (table["index"] == np.arange(len(NEXT))).all()
    np.testing.assert_allclose(table["p_fraud"], model.probabilities(NEXT)[:, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_european_file_is_read_as_it_is_meant_and_told(
    payments_run: Path, tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imbalance_lab.deployment.inputs import table_rows

    monkeypatch.setattr(table_rows, "BLOCK", 4096)
    text = NEXT.assign(note="ü").to_csv(index=False, sep=";", decimal=",")
    (tmp_path / "month.csv").write_bytes(text.encode(encoding))
    model = load_model(payments_run)
    source = open_input(tmp_path / "month.csv", model.schema)
    predict(model, source, tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")["p_fraud"]
    np.testing.assert_allclose(found, model.probabilities(NEXT)[:, 0], rtol=0, atol=1e-6)
    assert source.notes[0].startswith("month.csv is separated by semicolons (data.delimiter)")
    assert ("data.encoding" in source.notes[0]) == (encoding != "utf-8")


def test_a_bad_value_among_decimal_commas_is_named(
    payments_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from imbalance_lab.deployment.inputs import table_rows

    monkeypatch.setattr(table_rows, "BLOCK", 4096)
    text = NEXT.to_csv(index=False, sep=";", decimal=",").splitlines(keepends=True)
    text[2000] = text[2000].replace(",", ",x", 1)
    (tmp_path / "bad.csv").write_text("".join(text), encoding="utf-16")
    error = run_predict(capsys, payments_run, tmp_path / "bad.csv", "-o", tmp_path / "out.csv")
    assert "bad.csv, line 2001, column " in error


def test_a_pattern_or_a_folder_is_one_input(payments_run: Path, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for at in range(3):
        NEXT[at * 1000 : (at + 1) * 1000].to_parquet(tmp_path / "parts" / f"{at}.parquet", index=False)
    model = load_model(payments_run)
    for path in (tmp_path / "parts", tmp_path / "parts" / "*.parquet"):
        predict(model, open_input(path, model.schema), tmp_path / "out.parquet")
        found = pd.read_parquet(tmp_path / "out.parquet")
        assert (found["index"] == np.arange(len(NEXT))).all()
        np.testing.assert_allclose(found["p_fraud"], model.probabilities(NEXT)[:, 0], rtol=0, atol=1e-6)
    NEXT.drop(columns="hour").to_parquet(tmp_path / "parts" / "3.parquet")
    with pytest.raises(UsageError, match=r"3\.parquet has no column 'hour', which .*0\.parquet has"):
        open_input(tmp_path / "parts", model.schema)


def test_predict_is_told_how_a_file_is_written(
    payments_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = NEXT.drop(columns="class").astype({"amount": object})
    rows.loc[:99, "amount"] = "?"
    rows.to_csv(tmp_path / "month.csv", index=False, sep="~")
    words = (payments_run, tmp_path / "month.csv", "-o", tmp_path / "out.parquet")
    run_predict(capsys, *words, "--delimiter", "~", "--missing", "?", "--missing", "")
    rows["amount"] = NEXT["amount"].mask(NEXT.index < 100)
    found = pd.read_parquet(tmp_path / "out.parquet")["p_fraud"]
    np.testing.assert_allclose(found, load_model(payments_run).probabilities(rows)[:, 0], rtol=0, atol=1e-6)
    assert "--delimiter='ab' is not one character" in run_predict(capsys, *words, "--delimiter", "ab")


def test_a_file_of_many_parts_is_one_file_to_the_reader(
    payments_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imbalance_lab.deployment.inputs import table_rows

    monkeypatch.setattr(table_rows, "PART_ROWS", 100)
    monkeypatch.setattr(table_rows, "BLOCK", 4096)
    model = load_model(payments_run)
    for path in (tmp_path / "month.csv", tmp_path / "month.parquet"):
        NEXT.to_csv(path, index=False) if path.suffix == ".csv" else NEXT.to_parquet(path, row_group_size=70)
        summary = predict(model, open_input(path, model.schema, InputOptions(("id",))), tmp_path / "out.csv")
        table = pd.read_csv(tmp_path / "out.csv")
        assert (table["id"] == NEXT["id"]).all()
        np.testing.assert_allclose(table["p_fraud"], model.probabilities(NEXT)[:, 0], rtol=0, atol=1e-6)
        assert summary.classes[0].flagged == table["flag_fraud"].sum()


def test_decimals_that_begin_late_are_read_as_numbers(
    payments_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imbalance_lab.deployment.inputs import table_rows

    monkeypatch.setattr(table_rows, "BLOCK", 4096)
    rows = NEXT.drop(columns="class")
    rows["amount"] = rows["amount"].round().astype(int).astype(str)
    rows.loc[2000:, "amount"] = "+12.5"  # not what Arrow calls a number, but a number in training too
    rows.to_csv(tmp_path / "late.csv", index=False)
    model = load_model(payments_run)
    predict(model, open_input(tmp_path / "late.csv", model.schema), tmp_path / "out.csv")
    rows["amount"] = rows["amount"].astype(float)
    found = pd.read_csv(tmp_path / "out.csv")["p_fraud"]
    np.testing.assert_allclose(found, model.probabilities(rows)[:, 0], rtol=0, atol=1e-6)


def test_a_bad_value_deep_in_the_file_is_named_and_nothing_is_written(
    payments_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from imbalance_lab.deployment.inputs import table_rows

    monkeypatch.setattr(table_rows, "BLOCK", 4096)
    rows = NEXT.drop(columns="class").astype({"amount": object})
    rows.loc[2500, "amount"] = "twelve"
    rows.to_csv(tmp_path / "bad.csv", index=False)
    out = tmp_path / "out.csv"
    out.write_text("the predictions of yesterday")
    error = run_predict(capsys, payments_run, tmp_path / "bad.csv", "-o", out)
    assert error == "bad.csv, line 2502, column 'amount': 'twelve' is not a number: fix it"
    assert out.read_text() == "the predictions of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "out.csv"]


def test_columns_go_by_name_and_what_differs_is_told(
    payments_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = NEXT.assign(note="x", amount=NEXT["amount"].mask(NEXT.index < 3))
    rows.loc[:9, "country"] = "ZZ"
    rows.to_csv(tmp_path / "month.csv", index=False)
    told = run_predict(capsys, payments_run, tmp_path / "month.csv", "-o", tmp_path / "out.csv")
    assert "note: the model does not take column 'note': ignored\n" in told
    assert "column 'country': 10 of 3,000 values are not among the training categories ('ZZ' 10)" in told
    assert "column 'amount': 3 of 3,000 values are missing, though no training row lacks one" in told
    assert "'id'" not in told
    assert "'class'" not in told


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda rows: rows.rename(columns={"amount": "Amount"}),
            "has no column 'amount', which the model takes; did you mean 'Amount'?",
        ),
        (
            lambda rows: rows[["id", "hour"]],
            "has no columns 'amount', 'account_age', 'country', 'device', which the model takes",
        ),
        (lambda rows: rows.assign(amount="many"), "month.csv, line 2, column 'amount': 'many' is not a number: fix it"),
        (lambda rows: rows.assign(country=7), "holds numbers, such as '7', but in training it held text, such as 'BR'"),
        (lambda rows: rows.head(0), "has a header but no row"),
        (lambda rows: rows.assign(amount=1e60), "is infinite, or too large for float32"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    payments_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: object, sentence: str
) -> None:
    assert callable(change)
    change(NEXT.drop(columns="class")).to_csv(tmp_path / "month.csv", index=False)
    assert sentence in run_predict(capsys, payments_run, tmp_path / "month.csv", "-o", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_what_cannot_be_read_or_written_is_refused_first(
    payments_run: Path, images_run: Path, month: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = month.parent
    (folder / "broken.parquet").write_bytes(b"PAR1 and no more")
    (folder / "empty").mkdir()
    images.tree(folder / "tree", each=2)
    (folder / "tree" / "a" / "p0_0.png").write_bytes(b"no image")
    out = folder / "out.csv"
    for words, sentence in [
        ((payments_run, folder / "none.csv", "-o", out), "none.csv does not exist: name the input"),
        ((folder / "none", month, "-o", out), "none does not exist: name a run directory"),
        ((payments_run, folder / "tree", "-o", out), "is a folder without a table: name a .csv, .tsv or .parquet file"),
        ((payments_run, folder / "broken.parquet", "-o", out), "broken.parquet cannot be read"),
        ((payments_run, month, "-o", month), "is the input: name another file"),
        ((payments_run, month, "-o", folder), "ends in nothing: name a .csv or .parquet file"),
        ((payments_run, month, "-o", folder / "out.xlsx"), "ends in .xlsx: name a .csv or .parquet file"),
        ((payments_run, month, "-o", out, "--id", "ID"), "--id=ID is not a column of"),
        ((payments_run, month, "-o", out, "--score"), "class is not a column of"),
        ((payments_run, month, "-o", out, "--device", "warp"), "--device warp cannot be used here"),
        ((images_run, folder / "empty", "-o", out), "has no image (JPEG,"),
        ((images_run, folder / "tree", "-o", out), "p0_0.png is not a readable image: copy it again, or remove it"),
    ]:
        assert sentence in run_predict(capsys, *words)
        assert not out.exists()


def test_labels_are_scored_as_evaluation_scores_them(
    payments_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    NEXT.to_csv(tmp_path / "month.csv", index=False)
    told = run_predict(capsys, payments_run, tmp_path / "month.csv", "-o", tmp_path / "out.csv", "--score")
    table = pd.read_csv(tmp_path / "out.csv")
    from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score

    is_fraud = NEXT["class"] == "fraud"
    row = next(line for line in told.splitlines() if line.startswith("fraud") and "many" in line)
    assert f"{roc_auc_score(is_fraud, table['p_fraud']):.3f} [" in row
    assert f"{average_precision_score(is_fraud, table['p_fraud']):.3f} [" in row
    last = [line for line in told.splitlines() if line.startswith("fraud")][-1]
    assert f"{recall_score(is_fraud, table['flag_fraud']):.3f} [" in last
    assert f"{precision_score(is_fraud, table['flag_fraud']):.3f} [" in last


def test_decisions_change_without_training(payments_run: Path, month: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in payments_run.rglob("*") if path.is_file()}
    out = month.with_name("out.csv")

    def table(*words: str) -> pd.DataFrame:
        told = run_predict(capsys, payments_run, month, "-o", out, *words)
        assert out.name in told, told
        return pd.read_csv(out)

    plain = table()
    given = table("--threshold", "fraud=0.7")
    assert (given["flag_fraud"] == (plain["p_fraud"] >= 0.7)).all()
    assert (given["flag_legit"] == plain["flag_legit"]).all()
    recall = table("--operating-point", "min_recall=0.8")
    assert recall["flag_fraud"].sum() > plain["flag_fraud"].sum()
    cost = table("--operating-point", "min_cost:false_positive=1,false_negative=9")
    assert (cost["flag_fraud"] == (plain["p_fraud"] >= 0.1)).all()
    # By hand: the odds change by the ratio of the prior odds, here from those of validation.
    rare = table("--deploy-prior", "0.001,0.999", "--threshold", "fraud=0.2")
    prior = load_model(payments_run).evaluated_postprocessor.prior
    assert prior is not None
    odds = plain["p_fraud"] / plain["p_legit"] * (0.001 / 0.999) / (prior[0] / prior[1])
    np.testing.assert_allclose(rare["p_fraud"], odds / (1 + odds), rtol=1e-9)
    assert (rare["flag_fraud"] == (rare["p_fraud"] >= 0.2)).all()
    assert "flag_legit" not in rare
    assert {path: path.read_bytes() for path in payments_run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--threshold", "fraud"], "--threshold fraud has no probability: write CLASS=P, as in fraud=0.5"),
        (["--threshold", "frod=0.5"], "--threshold frod=0.5 names no class of the model; did you mean 'fraud'?"),
        (["--threshold", "fraud=1.5"], "--threshold fraud=1.5 must have a probability between 0 and 1"),
        (["--threshold", "fraud=nan"], "--threshold fraud=nan must have a probability between 0 and 1"),
        (["--threshold", "fraud=.1", "--threshold", "fraud=.2"], "--threshold fraud=… is given twice: leave one out"),
        (["--operating-point", "recall"], "operating_point=recall is now called operating_point=min_recall"),
        (["--operating-point", "min_recall=2"], "min_recall must be a finite number in (0, 1), got 2"),
        (["--operating-point", "max_f1;ls"], "--operating-point max_f1;ls cannot be read: write it as in"),
        (["--deploy-prior", "0.5"], "deploy_prior must sum to 1, got [0.5]"),
        (["--deploy-prior", "a,b"], "--deploy-prior a,b cannot be read: write numbers, as in 0.99,0.01"),
        (["--deploy-prior", "0.1,0.9"], "max F1 on validation does not hold for other class priors"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    payments_run: Path, month: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert sentence in run_predict(capsys, payments_run, month, "-o", month.with_name("out.csv"), *words)
    assert not month.with_name("out.csv").exists()


def test_a_checkpoint_alone_predicts_but_cannot_choose_thresholds_anew(
    payments_run: Path, month: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = month.with_name("model.ckpt")
    shutil.copy(payments_run / "checkpoints" / "best.ckpt", model)
    out = month.with_name("out.csv")
    run_predict(capsys, model, month, "-o", out, "--threshold", "fraud=0.5")
    assert len(pd.read_csv(out)) == len(NEXT)
    error = run_predict(capsys, model, month, "-o", out, "--operating-point", "max_f1")
    assert "is a checkpoint without its validation predictions: give the run directory" in error


def test_what_a_killed_or_stopped_process_leaves_is_no_output(
    payments_run: Path, month: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = month.with_name("out.csv")
    code = (
        "import os, signal; from imbalance_lab.app.program import main; from imbalance_lab.deployment import predict\n"
        "predict._Totals.add = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main()"
    )
    done = command_line.call("-c", code, "predict", payments_run, month, "-o", out, cwd=month.parent)
    assert done.returncode == -9
    assert [path.name for path in month.parent.iterdir() if path.name.startswith("out.csv.")], "it was being written"
    assert not out.exists()

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("imbalance_lab.deployment.predict._Totals.add", stop)
    with pytest.raises(SystemExit, match="130"):
        main(["predict", str(payments_run), str(month), "-o", str(out)])
    assert sorted(path.name for path in month.parent.iterdir()) == ["month.csv"], "also what the other one had left"


def test_images_of_a_folder_and_of_a_table(
    images_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images.tree(tmp_path / "new", each=6)
    (tmp_path / "new" / "b" / "notes.txt").write_text("no image")
    told = run_predict(capsys, images_run, tmp_path / "new", "-o", tmp_path / "out.csv", "--score")
    table = pd.read_csv(tmp_path / "out.csv")
    paths = sorted(str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*.png"))
    assert list(table["path"]) == paths
    model = load_model(images_run)
    expected = model.predict([tmp_path / "new" / path for path in paths])
    np.testing.assert_allclose(table[["p_a", "p_b", "p_c"]], expected.probabilities, atol=1e-6)
    assert "Scores on" in told
    listed = pd.DataFrame({"path": paths, "case": range(len(paths))}).sample(frac=1, random_state=0)
    listed["path"] = "new/" + listed["path"]
    listed.to_csv(tmp_path / "list.csv", index=False)
    run_predict(
        capsys, images_run, tmp_path / "list.csv", "-o", tmp_path / "listed.csv", "--id", "case", "--id", "path"
    )
    again = pd.read_csv(tmp_path / "listed.csv").sort_values("case").reset_index()
    pd.testing.assert_frame_equal(again[["p_a", "p_b", "p_c"]], table[["p_a", "p_b", "p_c"]], atol=1e-6)


def test_arrays(finished_run: Path, tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    inputs = np.round(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    np.save(tmp_path / "digits.npy", inputs)
    np.savez(tmp_path / "digits.npz", inputs=inputs, targets=digits.target)
    model = load_model(finished_run)
    summary = predict(model, open_input(tmp_path / "digits.npy", model.schema), tmp_path / "one.parquet")
    assert summary.scored is None
    labelled = open_input(tmp_path / "digits.npz", model.schema, InputOptions(labels="targets"))
    summary = predict(model, labelled, tmp_path / "two.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "one.parquet"), pd.read_parquet(tmp_path / "two.parquet"))
    assert summary.scored is not None
    assert (summary.scored.target == digits.target).all()


def test_labels_of_a_multilabel_table_have_flags_and_no_predicted_class(
    wine_labels: Path, label_sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = label_sweep / "asymmetric"
    words = ("--score", "--threshold", "strong=0.5", "--threshold", "dark=0.3")
    told = run_predict(capsys, run, wine_labels, "-o", tmp_path / "out.csv", *words)
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table) == ["index", "p_strong", "p_dark", "flag_strong", "flag_dark"]
    assert not np.isclose(table["p_strong"] + table["p_dark"], 1).all()
    assert "Scores on" in told


def test_text_of_the_input_is_written_as_it_is(payments_run: Path, tmp_path: Path) -> None:
    names = ['a,"b"', "line\nend", "=1+1", "007", "ü", "  ", "NA"]
    rows = NEXT.head(len(names)).assign(id=names)
    rows.to_csv(tmp_path / "odd.csv", index=False)
    model = load_model(payments_run)
    predict(model, open_input(tmp_path / "odd.csv", model.schema, InputOptions(("id",))), tmp_path / "out.csv")
    assert list(pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)["id"]) == [*names[:-1], ""]


def test_unknown_categories_are_counted_in_constant_memory(payments_run: Path, tmp_path: Path) -> None:
    n = 3 * MAX_UNKNOWN
    rows = pd.concat([NEXT] * (n // len(NEXT) + 1)).head(n).assign(country=[f"X{number}" for number in range(n)])
    rows.to_csv(tmp_path / "strange.csv", index=False)
    model = load_model(payments_run)
    summary = predict(model, open_input(tmp_path / "strange.csv", model.schema), tmp_path / "out.csv")
    assert sum(summary.unknown["country"].values()) == n
    assert len(summary.unknown["country"]) <= MAX_UNKNOWN + 1


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_file_larger_than_the_memory_that_is_allowed(payments_run: Path, tmp_path: Path) -> None:
    """Two files, one ten times as large: the peak memory is the same."""
    code = (
        "import resource; from imbalance_lab.app.program import main; main(); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for n in (30_000, 300_000):
        path = tmp_path / f"{n}.csv"
        block = payments(30_000, seed=2).drop(columns="class").to_csv(index=False)
        header, _, body = block.partition("\n")
        with path.open("w") as file:
            file.write(header + "\n")
            for _ in range(n // 30_000):
                file.write(body)
        done = command_line.call(
            "-c", code, "predict", payments_run, path, "-o", tmp_path / f"{n}.parquet", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] < 1.15 * peaks[0]
