"""The example of docs/extending.md, written to a folder as a user would and trained by the command line."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from tests.conftest import ROOT
from tests.helpers import command_line

CHOICES = [f"{group}=mine" for group in ("loss", "backbone", "data", "callbacks", "strategy")]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("user")
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    files = re.findall(r"^`([\w/]+\.(?:py|yaml))`:\n\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "my_lab" / "__init__.py").touch()
    assert len(files) == 10
    return folder


def train(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = arguments if any(each.startswith("allow=") for each in arguments) else ("allow=[my_lab]", *arguments)
    return command_line.train("--config-dir", "my_conf", "trainer=cpu", *given, cwd=package, PYTHONPATH=str(package))


@pytest.fixture(scope="module")
def run(package: Path) -> RunDirectory:
    done = train(package, *CHOICES, "max_epochs=40", "logger=csv", "hydra.run.dir=run")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return RunDirectory(package / "run")


@pytest.mark.slow
def test_every_part_is_the_users(run: RunDirectory, package: Path) -> None:
    scores = run.read_scores()
    assert scores is not None
    assert [each["name"] for each in scores["test"]["classes"]] == ["outer", "inner"]
    assert scores["test"]["auroc"]["value"] > 0.8
    assert (package / "count.txt").read_text() == "40 epochs, 200 batches"
    # The loss weighs by n^(−½), so the logits stand for priors ∝ n^½.
    counts = np.array(run.read_metadata()["train_counts"], float)
    assert run.read_metadata()["train_prior"] == pytest.approx(np.sqrt(counts) / np.sqrt(counts).sum(), rel=1e-5)


@pytest.mark.slow
def test_its_model_is_loaded_where_its_package_is_allowed(
    run: RunDirectory, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"names my_lab.backbones.Fourier, .* load_model\(…, allow=\['my_lab'\]\)"):
        load_model(run.path)
    monkeypatch.syspath_prepend(package)
    from my_lab.data import rings

    test = rings().test
    stored = run.read_predictions("test")
    np.testing.assert_allclose(load_model(run.path, allow=["my_lab"]).logits(test.inputs), stored.logits, atol=1e-6)


@pytest.mark.slow
def test_the_checks_pass(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imbalance_lab.testing import check_backbone, check_loss, check_source

    monkeypatch.syspath_prepend(package)
    from my_lab.backbones import Fourier
    from my_lab.data import rings
    from my_lab.losses import PowerLoss

    check_loss(lambda class_counts: PowerLoss(class_counts=class_counts))
    check_backbone(Fourier, input_shape=(2,))
    check_source(rings())


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("strategy.mine.start=2", "error: strategy.mine: start must be a number in (0, 1), got 2"),
        ("callbacks.count._target_=my_lab.callbacks.Path", "error: callbacks.count: "),
        ("backbone._target_=torch.nn.Identity", "error: backbone: Identity has no integer attribute num_features"),
        ("loss.pover=1", "error: there is no 'loss.pover' in this configuration; did you mean loss.power?"),
    ],
)
def test_a_mistake_in_it_is_one_sentence(package: Path, override: str, sentence: str) -> None:
    done = train(package, *CHOICES, "max_epochs=1", override)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith(sentence), done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("part", ["loss", "callbacks"])
def test_a_package_that_is_not_allowed_is_not_imported(package: Path, part: str) -> None:
    done = train(package, f"{part}=mine", "allow=[]", "max_epochs=1")
    assert done.returncode == 2, done.stdout
    label = "callbacks.count" if part == "callbacks" else part
    assert done.stderr.startswith(f"error: {label}: _target_ names my_lab.{part[:4]}"), done.stderr
    assert done.stderr.endswith("not trusted: if you trust it, add allow=[my_lab]\n")
    assert done.stderr.count("\n") == 1


def test_help_lists_it(package: Path) -> None:
    done = train(package, "--help", "loss=mine")
    assert done.returncode == 0, done.stderr
    assert re.search(r"loss: .*\bmine\b", done.stdout)
    assert re.search(r"power: 0.5 +# 0: plain cross-entropy", done.stdout)
