"""The data are validated before training: what is written and printed, and what stops."""

import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.validate_data import validate_data
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed
from tests.helpers import command_line
from tests.helpers.images import tree


def test_the_summary_is_written_and_printed_and_errors_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tree(tmp_path / "photos", "ab", 30)
    config = composed("data=image_folder", f"data.root={root}", "data.image_size=32", "check=true")
    parts = instantiate_experiment(config)
    validate_data(RunDirectory(tmp_path / "run"), config, parts)
    written = json.loads((tmp_path / "run" / "data_summary.json").read_text())
    assert [each["name"] for each in written["classes"]] == ["a", "b"]
    assert written["errors"] == []
    shown = capsys.readouterr().out
    assert "AUROC ±" in shown
    assert max(map(len, shown.splitlines())) <= 200
    (root / "a" / "p0_0.png").write_bytes(b"no more")
    with pytest.raises(UsageError, match=r"p0_0\.png is not a readable image"):
        validate_data(RunDirectory(tmp_path / "run"), config, parts)


def test_check_ends_before_training_and_a_fit_prints_the_short_form(tmp_path: Path) -> None:
    def train(*options: str) -> subprocess.CompletedProcess[str]:
        return command_line.train("trainer=cpu", *options, cwd=tmp_path)

    checked = train("check=true")
    assert checked.returncode == 0
    assert "353 train + 270 val + 445 test examples of 10 classes" in checked.stdout
    assert "epoch" not in checked.stdout
    (directory,) = (tmp_path / "runs").glob("*/*")
    assert {path.name for path in directory.iterdir()} == {
        ".hydra",
        "data_summary.json",
        "predictions",
        "samples.png",
        "status.json",
    }
    fitted = train("max_epochs=1")
    assert fitted.stdout.startswith("353 train + 270 val + 445 test examples of 10 classes")
    tree(tmp_path / "photos", "ab", 30)
    Image.new("1", (20_000, 20_000)).save(tmp_path / "photos" / "a" / "huge.png")
    refused = train("data=image_folder", "data.root=photos")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: data: photos/a/huge.png has 400000000 pixels")
    assert len(refused.stderr.splitlines()) == 1
