"""A trained model from its checkpoint alone: in a new process, an empty folder, and with the training data deleted."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer

from imbalance_lab.checkpoint_file import write_checkpoint
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model, read_checkpoint
from tests.conftest import ROOT, RunJob
from tests.helpers.images import tree

PROGRAM = """
import json, os, sys, traceback
import numpy as np
from imbalance_lab import load_model
def answer(run, raw, folder):
    os.chdir(folder)
    model = load_model(run)
    raw = np.load(raw) if raw.endswith("npy") else raw
    raw = json.load(open(raw)) if str(raw).endswith("json") else raw
    np.savez("answers.npz", logits=model.logits(raw), p=model.probabilities(raw), flags=model.flags(raw))
    assert "hydra" not in sys.modules and "omegaconf" not in sys.modules and "lightning" not in sys.modules
    return [model.task.as_dict(), type(model.schema).__name__]
for line in sys.stdin:
    try:
        print(json.dumps(answer(*json.loads(line))), flush=True)
    except Exception:
        print(json.dumps(traceback.format_exc()), flush=True)
"""
Answers = Callable[[Path, Path, Path], tuple[dict[str, np.ndarray], dict[str, object], str]]


def patients(folder: Path) -> Path:
    """scikit-learn's breast cancer with a category, missing values and a target in words."""
    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, 4, 30]].copy()
    frame["size"] = pd.cut(frame["mean area"], 4, labels=["s", "m", "l", "xl"]).astype(str)
    frame.loc[::9, "mean texture"] = np.nan
    frame["target"] = frame["target"].map({0: "malignant", 1: "benign"})
    path = folder / "patients.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def answers_of() -> Iterator[Answers]:
    """What a model says of raw inputs, in a process of its own that sees only the package and an empty folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd="/",
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(run: Path, raw: Path, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, object], str]:
        folder.mkdir()
        process.stdin.write(json.dumps([str(run), str(raw), str(folder)]) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        answer = json.loads(process.stdout.readline())  # type: ignore[union-attr]
        assert isinstance(answer, list), answer
        task, schema = answer
        return dict(np.load(folder / "answers.npz")), task, schema

    yield ask
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["convnet", "mlp"])
def test_arrays(answers_of: Answers, run_job: RunJob, tmp_path: Path, backbone: str) -> None:
    from imbalance_lab.data import digits

    run = RunDirectory(run_job(f"backbone={backbone}", "max_epochs=2", "logger=none"))
    stored = run.read_predictions("test")
    np.save(tmp_path / "raw.npy", digits().test.inputs.numpy())
    answers, task, schema = answers_of(run.path, tmp_path / "raw.npy", tmp_path / "empty")
    np.testing.assert_allclose(answers["logits"], stored.logits, atol=1e-6)
    assert (task["kind"], task["classes"], schema) == ("multiclass", list("0123456789"), "ArraySchema")


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["mlp", "residual_mlp"])
def test_a_table_is_read_by_the_names_of_its_columns(
    answers_of: Answers, run_job: RunJob, tmp_path: Path, backbone: str
) -> None:
    path = patients(tmp_path)
    options = ("data=table", f"data.path='{path}'", "data.target=target", "loss=focal", "loss.alpha=inverse")
    run = RunDirectory(run_job(*options, f"backbone={backbone}", "max_epochs=2", "logger=none"))
    stored = run.read_predictions("test")
    frame = pd.read_csv(path)
    path.unlink()
    new = frame.iloc[stored.index, ::-1].drop(columns="target").assign(remark="not known to the model")
    new.to_csv(tmp_path / "new.csv", index=False)
    answers, task, schema = answers_of(run.path, tmp_path / "new.csv", tmp_path / "empty")
    np.testing.assert_allclose(answers["logits"], stored.logits, atol=1e-6)
    assert (task["kind"], task["classes"], schema) == ("binary", ["benign", "malignant"], "TableSchema")
    assert task["positive"] == 1, "malignant is the rarer class"


@pytest.mark.slow
@pytest.mark.parametrize("data", ["image_folder", "image_table"])
@pytest.mark.parametrize("backbone", ["convnet", "mlp"])
def test_images_are_decoded_as_in_training(
    answers_of: Answers, run_job: RunJob, tmp_path: Path, data: str, backbone: str
) -> None:
    root = tree(tmp_path / "images", each=12)
    files = sorted(root.rglob("*.png"))
    if data == "image_table":
        frame = pd.DataFrame({"path": [str(file) for file in files], "label": [file.parent.name for file in files]})
        frame.to_csv(tmp_path / "images.csv", index=False)
        options = [f"data.path='{tmp_path}/images.csv'", "data.label=label"]
    else:
        options = [f"data.root='{root}'"]
    options += [f"data={data}", "data.image_size=8", f"backbone={backbone}", "num_workers=0", "batch_size=8"]
    run = RunDirectory(run_job(*options, "max_epochs=2", "logger=none"))
    stored = run.read_predictions("test")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(root, elsewhere)
    shutil.rmtree(root)
    moved = [str(elsewhere / file.relative_to(root)) for file in files]
    (tmp_path / "paths.json").write_text(json.dumps([moved[i] for i in stored.index]))
    answers, task, schema = answers_of(run.path, tmp_path / "paths.json", tmp_path / "empty")
    np.testing.assert_allclose(answers["logits"], stored.logits, atol=1e-6)
    assert (task["classes"], schema) == (["a", "b", "c"], "ImageSchema")


@pytest.mark.slow
def test_labels_of_a_table(answers_of: Answers, label_sweep: Path, wine_labels: Path, tmp_path: Path) -> None:
    run = RunDirectory(label_sweep / "asymmetric")
    stored = run.read_predictions("test")
    pd.read_csv(wine_labels).iloc[stored.index].to_csv(tmp_path / "new.csv", index=False)
    answers, task, _ = answers_of(run.path, tmp_path / "new.csv", tmp_path / "empty")
    np.testing.assert_allclose(answers["logits"], stored.logits, atol=1e-6)
    assert (task["kind"], task["activation"]) == ("multilabel", "sigmoid")


def test_decisions_are_those_of_the_evaluation(finished_run: Path) -> None:
    from imbalance_lab.data import digits

    model, stored = load_model(finished_run), RunDirectory(finished_run).read_predictions("test")
    inputs = digits().test.inputs
    assert model.postprocessor is not None
    np.testing.assert_array_equal(model.logits(inputs), stored.logits)
    np.testing.assert_array_equal(model.flags(inputs), model.postprocessor.flags(stored.logits))
    np.testing.assert_allclose(model.probabilities(inputs).sum(1), 1)
    counted = json.loads((finished_run / "metrics.json").read_text())["test_at_thresholds"]
    assert [each["tp"] for each in counted] == [
        int(model.flags(inputs)[stored.target == c, c].sum()) for c in range(model.task.num_classes)
    ]
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model.training


def test_the_last_checkpoint_has_no_post_processing(finished_run: Path) -> None:
    model = load_model(finished_run / "checkpoints" / "last.ckpt")
    with pytest.raises(UsageError, match="no post-processing: run imbalance-lab evaluate RUN first"):
        model.probabilities(torch.zeros(1, 1, 8, 8, dtype=torch.uint8))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_what_is_not_a_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(UsageError, match=r"x.ckpt is damaged, or not a checkpoint of this release"):
        load_model(tmp_path / "x.ckpt")
    with pytest.raises(UsageError, match="there is no checkpoint"):
        load_model(tmp_path / "absent.ckpt")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("os.system", r"names os.system, .* not trusted: if you trust it, allow its package with load_model\(…"),
        ("torch.hub.load", "names torch.hub.load, but only modules, optimizers, .* may be named"),
        ("imbalance_lab.data.digits", "names imbalance_lab.data.digits, which is not a class of modules"),
        ("imbalance_lab.backbones.Nothing", "which cannot be imported"),
    ],
)
def test_a_tampered_checkpoint_builds_nothing_else(
    finished_run: Path, tmp_path: Path, target: str, sentence: str
) -> None:
    content = read_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    content["hyper_parameters"]["config"]["backbone"]["_target_"] = target
    write_checkpoint(tmp_path / "tampered.ckpt", content)
    with pytest.raises(UsageError, match=sentence):
        load_model(tmp_path / "tampered.ckpt")
