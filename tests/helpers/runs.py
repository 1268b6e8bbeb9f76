"""Run directories with other predictions than their training left."""

from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf

from imbalance_lab.app.evaluate import evaluate_run
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.train import train
from imbalance_lab.checkpoint_file import read_checkpoint_file
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed

PLOTS = ["roc", "pr", "confusion", "reliability", "scores", "epochs", "counts"]
TAGS = ("<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "</script>")
HOSTILE = (*TAGS, "[red]", "$5$", "_x", "", "&amp;")


RESULTS = ("metrics.csv", "metrics.json", "operating_point.json", "predictions/val.parquet", "predictions/test.parquet")


def assert_same_run(one: Path, two: Path) -> None:
    """Two runs have the same weights, optimizer state, history, predictions and scores, bit for bit."""
    for name in ("best.ckpt", "last.ckpt"):
        a, b = (read_checkpoint_file(run / "checkpoints" / name) for run in (one, two))
        assert a["state_dict"].keys() == b["state_dict"].keys()
        for key, weight in a["state_dict"].items():
            assert torch.equal(weight, b["state_dict"][key]), f"{name}: {key}"
        assert (a["epoch"], a["global_step"], a["history"]) == (b["epoch"], b["global_step"], b["history"])
        assert repr(a["optimizer_states"]) == repr(b["optimizer_states"])
        assert repr(a["lr_schedulers"]) == repr(b["lr_schedulers"])
    for file in (*RESULTS, "predictions/last/test.parquet"):
        assert (one / file).is_file() == (two / file).is_file(), file
        assert not (one / file).is_file() or (one / file).read_bytes() == (two / file).read_bytes(), file


def rewritten(source: Path, to: Path, classes: tuple[str, ...], n: int = 400, seed: int = 0) -> Path:
    """A run directory with other predictions: random logits for ``classes``."""
    from imbalance_lab.evaluation.predictions import Predictions

    rng = np.random.default_rng(seed)
    C = len(classes)
    for at, split in enumerate(("val", "test")):
        target = np.arange(n) % C
        logits = rng.normal(size=(n, C)).astype(np.float32)
        logits[np.arange(n), target] += 2
        Predictions.of(classes, np.arange(n) + at * n, target, logits).write(to / "predictions" / f"{split}.parquet")
    about = RunDirectory(source).read_metadata()
    about |= {"train_counts": [5 + c for c in range(C)], "train_prior": None}
    RunDirectory(to).write_metadata(about)
    evaluate_run(RunDirectory(to), composed())
    return to / "report.html"


def trained(directory: Path, *overrides: str) -> Path:
    """The directory of a run that ``python train.py OVERRIDES`` would leave, trained in this process."""
    config = composed(*overrides)
    (directory / ".hydra").mkdir(parents=True)
    OmegaConf.save(config, directory / ".hydra" / "config.yaml")
    OmegaConf.save(list(overrides), directory / ".hydra" / "overrides.yaml")
    train(config, instantiate_experiment(config, overrides), RunDirectory(directory))
    return directory
