"""Time whole runs on tables, from the file to the report, beside LightGBM on the same rows.

    OMP_NUM_THREADS=2 python scripts/benchmark_table_run.py

Both start after their imports. Ours is what `python train.py data=table data.path=… data.target=…` does: reading,
checking, training, baselines (one of which is LightGBM again), predictions, scores with intervals, report; and, as
LightGBM's has nothing more, the part up to the stored predictions, of a run with `baselines=false`. LightGBM's is
pandas.read_csv, categories, a fit with early stopping on the validation rows (500 trees at most, rate 0.05), and the
probabilities of the test rows.
"""

import argparse
import contextlib
import io
import platform
import runpy
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import torch
from benchmark_tables import cpu
from sklearn.metrics import average_precision_score, roc_auc_score

# What a run imports, so that its time is not counted.
import imbalance_lab.app.evaluate
import imbalance_lab.app.print_results
import imbalance_lab.app.session
import imbalance_lab.report.page
import imbalance_lab.training.classifier  # noqa: F401
from imbalance_lab.evaluation.run_directory import RunDirectory

TRAIN = Path(__file__).parent.parent / "train.py"
SIZES = {3_000: 20, 100_000: 30}
"""Rows: columns."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", help="settings of ours other than the defaults")
    parser.add_argument("--rows", type=int, nargs="*", default=list(SIZES), choices=SIZES)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "lightning", "lightgbm"))
    print(f"{cpu()}, {torch.get_num_threads()} threads; Python {platform.python_version()}, {packages}\n")
    print(
        "| rows × columns | ours to the report, s | ours to the predictions, s | LightGBM, s | ratio of the last two "
        "| AUROC ours, LightGBM | AP ours, LightGBM |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for n in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "t.csv")
            synthetic(n, SIZES[n]).to_csv(file, index=False)
            runs = [
                (
                    timed(lambda: ours(file, options.overrides)[1]),  # noqa: B023
                    ours(file, [*options.overrides, "baselines=false"]),
                    timed(lambda: theirs(file)),  # noqa: B023
                )
                for _ in range(options.repeats)
            ]
        (whole, found), (seconds, _), (their_seconds, their_found) = (
            min(each, key=lambda pair: pair[0]) for each in zip(*runs, strict=True)
        )
        print(
            f"| {n:,} × {SIZES[n]} | {whole:.1f} | {seconds:.1f} | {their_seconds:.1f} | {seconds / their_seconds:.1f} "
            f"| {found[0]:.3f}, {their_found[0]:.3f} | {found[1]:.3f}, {their_found[1]:.3f} |",
            flush=True,
        )


def synthetic(n: int, columns: int) -> pd.DataFrame:
    """Two thirds numbers, of which some are skewed or have gaps, the others categories; about 5 % positives."""
    rng = np.random.default_rng(0)
    n_numbers = 2 * columns // 3
    numbers = rng.normal(size=(n, n_numbers))
    numbers[:, ::3] = np.exp(numbers[:, ::3])
    sizes = [3 + 4 * k for k in range(columns - n_numbers)]
    codes = np.stack([rng.integers(0, size, n) for size in sizes], 1)
    effects = [rng.normal(size=size) for size in sizes]
    risk = numbers[:, 1] * numbers[:, 2] + 1.5 * (numbers[:, 0] > 1.2) - np.abs(numbers[:, 4]) + np.log(numbers[:, 3])
    risk += sum(effect[codes[:, k]] * (1 if k < 3 else 0) for k, effect in enumerate(effects))
    risk += rng.logistic(size=n)
    frame = pd.DataFrame({f"number_{k}": numbers[:, k].astype(np.float32).round(4) for k in range(n_numbers)})
    for k in range(0, n_numbers, 5):
        frame.loc[rng.random(n) < 0.05, f"number_{k}"] = np.nan
    for k in range(codes.shape[1]):
        frame[f"text_{k}"] = np.char.add("value ", codes[:, k].astype(str))
    part = np.array(["train", "train", "train", "val", "test"])[rng.permutation(n) % 5]
    return frame.assign(outcome=np.where(risk > np.quantile(risk, 0.95), "fault", "good"), part=part)


def ours(file: Path, overrides: list[str]) -> tuple[float, tuple[float, float]]:
    """Seconds until run.json, which follows the predictions, and the scores on the test rows."""
    start = time.time()
    with tempfile.TemporaryDirectory() as folder:
        words = ["data=table", f"data.path={file}", "data.target=outcome", "data.split=part", f"hydra.run.dir={folder}"]
        sys.argv = [str(TRAIN), *words, *overrides]
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(str(TRAIN), run_name="__main__")
        directory = RunDirectory(Path(folder))
        stored = directory.read_predictions("test")
        positive = stored.task.classes.index("fault")
        score = stored.logits[:, positive] - stored.logits[:, 1 - positive]
        return directory.metadata.stat().st_mtime - start, scores(stored.target == positive, score)


def theirs(file: Path) -> tuple[float, float]:
    frame = pd.read_csv(file)
    for name in frame.columns:
        if name.startswith("text"):
            frame[name] = frame[name].astype("category")
    features = frame.drop(columns=["outcome", "part"])
    is_fault = (frame["outcome"] == "fault").to_numpy()
    parts = {name: (frame["part"] == name).to_numpy() for name in ("train", "val", "test")}
    model = lightgbm.LGBMClassifier(
        n_estimators=500, learning_rate=0.05, n_jobs=torch.get_num_threads(), random_state=0, verbose=-1
    )
    model.fit(
        *(features[parts["train"]], is_fault[parts["train"]]),
        eval_set=[(features[parts["val"]], is_fault[parts["val"]])],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    probabilities: Any = model.predict_proba(features[parts["test"]])
    return scores(is_fault[parts["test"]], probabilities[:, 1])


def scores(is_positive: Any, score: Any) -> tuple[float, float]:
    return float(roc_auc_score(is_positive, score)), float(average_precision_score(is_positive, score))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
