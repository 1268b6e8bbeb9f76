"""``imbalance-lab export``: from a run to a file, and one sentence for what it cannot do."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from imbalance_lab.app.program import main
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ending:
        main(["export", *arguments])
    assert ending.value.code == 2
    return capsys.readouterr().err


def test_a_run_on_arrays(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "digits.pt2"
    main(["export", str(finished_run), "--to", "torch_export", "-o", str(out)])
    said = capsys.readouterr().out
    assert "digits.pt2" in said
    assert "validation rows: probabilities within " in said
    assert "all predicted classes, flags equal" in said
    stored, model = RunDirectory(finished_run).read_predictions("test"), load_model(finished_run)
    from imbalance_lab.data import digits

    p, labels, flags = torch.export.load(out).module()(digits().test.inputs)
    expected = model.output(stored.logits)
    np.testing.assert_allclose(p, expected.probabilities, atol=1e-5)
    np.testing.assert_array_equal(labels, expected.labels)
    np.testing.assert_array_equal(flags, expected.flags)
    described = json.loads(out.with_name("digits.pt2.json").read_text())
    assert described["classes"] == list("0123456789")
    assert described["parity"]["rows"] == len(RunDirectory(finished_run).read_predictions("val").index)


def test_a_table_of_labels_into_the_run(
    label_sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wine_labels: Path
) -> None:
    shutil.copytree(label_sweep / "asymmetric", tmp_path / "run")
    main(["export", str(tmp_path / "run"), "--to", "torch_export", f"data.path={wine_labels}"])
    assert (tmp_path / "run" / "exports" / "model.pt2").is_file()
    assert "all flags equal" in capsys.readouterr().out


def test_mistakes_are_one_sentence(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = str(finished_run)
    assert "is not the directory of a run" in refused([str(tmp_path), "--to", "onnx"], capsys)
    assert "must end in .pt2" in refused([run, "--to", "torch_export", "-o", "x.onnx"], capsys)
    assert "is a folder, but" in refused([run, "--to", "torch_export", "-o", str(tmp_path)], capsys)
    assert "invalid choice" in refused([run, "--to", "tflite"], capsys)
    assert "data.pth is not a key of the run's data" in refused([run, "--to", "torch_export", "data.pth=x"], capsys)
    assert "are not those that" in refused([run, "--to", "torch_export", "data.subset_seed=3"], capsys)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "onnx is not installed: pip install 'imbalance-lab[export]'" in refused([run, "--to", "onnx"], capsys)
    assert not (finished_run / "exports").exists()
