"""Runs that are trained as one: the same runs alone are the oracle, checkpoint by checkpoint."""

import csv
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from imbalance_lab.app.batched import Job, _groups
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.session import build_session
from imbalance_lab.app.stacked import differing_key, shared_settings, train_together
from imbalance_lab.app.train import fit
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.termination import STOP, Terminated
from imbalance_lab.training.stacked.epoch import Epoch
from tests.conftest import composed

SETTINGS = [
    ["loss=cross_entropy", "optimizer.lr=1e-3", "seed=0"],
    ["loss=focal", "loss.gamma=2", "optimizer.lr=3e-2", "optimizer.weight_decay=0.3", "seed=1"],
    ["loss=focal", "loss.gamma=0.5", "optimizer.lr=1e-2", "seed=1"],
    ["loss=logit_adjusted", "optimizer.lr=3e-2", "seed=2"],
]
# SGD: of a bias before a batch norm the gradient is rounding noise, which Adam scales up to whole steps.
NORMALIZED = ["backbone=residual_mlp", "backbone.width=12", "backbone.depth=1", "trainer.limit_train_batches=3"]
NORMALIZED += ["optimizer=sgd", "optimizer.weight_decay=1e-4"]
TOLERANCE = {"rtol": 1e-4, "atol": 1e-6}
"""Of weights after some 30 steps in float32; sums of batched products may be rounded differently."""


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> dict[int, Path]:
    """Tables of 2 and of 4 classes, with numbers, gaps and categories."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(240, 4)), columns=list("abcd"))
    rows["place"] = rng.choice(["x", "y", "z"], 240)
    score = rows.a + (rows.place == "x") + 0.3 * rng.normal(size=240)
    rows.loc[::9, "b"] = np.nan
    files = {}
    for classes in (2, 4):
        files[classes] = tmp_path_factory.mktemp("tables") / f"{classes}.csv"
        label = pd.cut(score, [-9, *np.quantile(score, np.linspace(0.5, 0.9, classes - 1)), 9], labels=False)
        rows.assign(label=label).to_csv(files[classes], index=False)
    return files


def words_of(file: Path, own: list[str], *more: str) -> list[str]:
    plain = ["data=table", f"data.path={file}", "data.target=label", "logger=csv", "batch_size=32", "passes=1"]
    net = ["ensemble=1", "backbone.widths=[16,8]", "backbone.dropout=0.2", "max_epochs=4", "early_stopping=false"]
    return [*plain, *net, *own, *more]


def trained(directory: Path, words: list[str]) -> Path:
    """Fit a run as its job does; return its directory."""
    config = composed(*words)
    experiment = instantiate_experiment(config, words)
    fit(config, experiment, build_session(config, experiment, RunDirectory(directory)))
    return directory


def together(root: Path, runs: list[list[str]]) -> list:
    """Train all as one; what each returns, or raises."""

    def caught(directory, words):
        try:
            return trained(directory, words)
        except FloatingPointError as error:
            return error

    jobs = [partial(caught, root / str(number), words) for number, words in enumerate(runs)]
    return train_together(jobs, composed(*runs[0]))


def rows_of(directory: Path) -> list[list[float]]:
    with (directory / "metrics.csv").open() as file:
        return [[float(cell or "nan") for cell in row] for row in list(csv.reader(file))[1:]]


def assert_close(own: object, other: object) -> None:
    """Nested values are equal, numbers and tensors within the tolerance."""
    if isinstance(own, dict):
        assert own.keys() == other.keys()
        own, other = list(own.values()), list(other.values())
    if isinstance(own, list | tuple):
        for one, two in zip(own, other, strict=True):
            assert_close(one, two)
    elif isinstance(own, torch.Tensor | float):
        torch.testing.assert_close(own, other, **TOLERANCE)
    else:
        assert own == other


def assert_same(run: Path, alone: Path) -> None:
    """Weights, optimizer, scheduler, the loops' counters, the callbacks' states and every epoch's scores are equal."""
    np.testing.assert_allclose(rows_of(run), rows_of(alone), **TOLERANCE)
    for name in ("last", "best"):
        own, other = (read_checkpoint_file(each / "checkpoints" / f"{name}.ckpt") for each in (run, alone))
        assert own.keys() == other.keys()
        for key in ("state_dict", "optimizer_states", "lr_schedulers", "train_loss"):
            assert_close(own[key], other[key])
        for key in ("loops", "epoch", "global_step", "hyper_parameters"):
            assert own[key] == other[key], key
        assert own["callbacks"]["LastCheckpoint"] == other["callbacks"]["LastCheckpoint"]
        size, expected = ((each / "checkpoints" / f"{name}.ckpt").stat().st_size for each in (run, alone))
        assert size == pytest.approx(expected, rel=0.02)  # the weights of one run


@pytest.mark.parametrize(
    ("classes", "more"),
    [
        pytest.param(2, ["early_stopping=1", "max_epochs=8", "monitor=val/loss"], marks=pytest.mark.exhaustive),
        (4, ["ensemble=2", "scheduler=cosine", "trainer.gradient_clip_val=0.05"]),
        pytest.param(4, NORMALIZED, marks=pytest.mark.exhaustive),
    ],
    ids=["early stopping", "members, schedule, clipping", "batch norm"],
)
def test_each_run_is_what_it_is_alone(tmp_path, table, classes, more, capsys):
    runs = [words_of(table[classes], own, *more) for own in SETTINGS]
    if "backbone=residual_mlp" in more:
        runs = [[word for word in words if not word.startswith("backbone.widths")] for words in runs]
    results = together(tmp_path / "together", runs)
    printed = capsys.readouterr().out
    assert "4 of 4 runs train as one, epoch 2" in printed
    assert "alone" not in printed
    alone = [trained(tmp_path / f"alone{number}", words) for number, words in enumerate(runs)]
    for run, other in zip(results, alone, strict=True):
        assert_same(run, other)
    if "early_stopping=1" in more:
        assert len({len(rows_of(run)) for run in alone}) > 1  # they end at different epochs


def test_a_run_that_diverges_ends_as_it_does_alone_and_stops_no_other(tmp_path, table):
    wild = ["loss=cross_entropy", "optimizer=sgd", "optimizer.lr=1000", "+optimizer.nesterov=true", "seed=3"]
    runs = [words_of(table[2], own) for own in (SETTINGS[0], wild, SETTINGS[1])]
    first, error, last = together(tmp_path / "together", runs)
    with pytest.raises(FloatingPointError) as alone:
        trained(tmp_path / "alone", runs[1])
    assert str(error) == str(alone.value)
    assert_same(first, trained(tmp_path / "first", runs[0]))
    assert_same(last, trained(tmp_path / "last", runs[2]))


@pytest.mark.exhaustive
def test_stopped_runs_go_on_together_or_alone(tmp_path, table, monkeypatch):
    runs = [words_of(table[2], own) for own in SETTINGS[:3]]
    genuine = Epoch.batches

    def batches(epoch):
        if epoch.trainer.current_epoch == 1:
            monkeypatch.setattr(STOP, "signum", signal.SIGTERM)  # as if it arrived within the second epoch
        return genuine(epoch)

    with monkeypatch.context() as patch:
        patch.setattr(Epoch, "batches", batches)
        with pytest.raises(Terminated):
            together(tmp_path / "stopped", runs)
    monkeypatch.setattr(STOP, "signum", None)
    last = [tmp_path / "stopped" / str(number) / "checkpoints" / "last.ckpt" for number in range(3)]
    assert {read_checkpoint_file(each)["epoch"] for each in last} == {1}
    resumed = [[*words, f"ckpt_path={file}"] for words, file in zip(runs, last, strict=True)]
    ended = [*together(tmp_path / "resumed", resumed[:2]), trained(tmp_path / "resumed alone", resumed[2])]
    for number, run in enumerate(ended):
        alone = trained(tmp_path / f"alone{number}", runs[number])
        own, other = (read_checkpoint_file(each / "checkpoints" / "last.ckpt") for each in (run, alone))
        torch.testing.assert_close(own["state_dict"], other["state_dict"], **TOLERANCE)
        assert own["global_step"] == other["global_step"]
        np.testing.assert_allclose(rows_of(run), rows_of(alone), **TOLERANCE)


def test_a_run_that_needs_its_own_steps_trains_alone_and_says_why(tmp_path, table, capsys):
    runs = [words_of(table[2], own, "guard=skip", "max_epochs=1") for own in SETTINGS[:2]]
    results = together(tmp_path / "together", runs)
    assert capsys.readouterr().out.count("trained alone: guard=skip") == 2
    assert_same(results[1], trained(tmp_path / "alone", runs[1]))


def test_runs_are_grouped_by_what_they_share(table, capsys):
    own = [SETTINGS[0], SETTINGS[1], SETTINGS[3], [*SETTINGS[0], "backbone.widths=[4]"]]
    configs = [composed(*words_of(table[2], words)) for words in own]
    jobs = [Job(number, config, shared_settings(config)) for number, config in enumerate(configs)]
    assert [[job.number for job in group] for group in _groups(jobs, 2)] == [[0, 1], [2], [3]]
    assert capsys.readouterr().out == "run 3 is trained alone: only it has backbone.widths=[4]\n"
    assert differing_key(jobs[3].settings, jobs[0].settings) == "backbone.widths=[4]"
