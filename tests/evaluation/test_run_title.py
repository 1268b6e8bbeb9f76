"""What a run is called, from what Hydra left of its configuration, all or part of it."""

from pathlib import Path

import pytest
import yaml

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.run_title import RunTitle

CONFIG = {
    "data": {"_target_": "imbalance_lab.data.fashion_mnist_lt"},
    "loss": {"_target_": "imbalance_lab.losses.FocalLoss", "gamma": 5},
    "backbone": {"_target_": "imbalance_lab.backbones.ConvNet"},
}
CHOICES = {"data": "fashion_mnist_lt", "loss": "focal", "backbone": "convnet", "experiment": None}


def title(path: Path, *overrides: str, config: object = None, choices: object = None) -> RunTitle:
    """Of a run directory with these files."""
    (path / ".hydra").mkdir(exist_ok=True)
    hydra = {"hydra": {"runtime": {"choices": choices}}}
    for name, content in (("overrides", list(overrides)), ("config", config), ("hydra", choices and hydra)):
        if content is not None:
            (path / ".hydra" / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return RunTitle.read(RunDirectory(path))


def test_it_names_data_loss_and_backbone_and_what_they_do_not_say(tmp_path: Path) -> None:
    of_run = title(tmp_path, "loss=focal", "loss.gamma=5", "seed=1", config=CONFIG, choices=CHOICES)
    assert of_run == RunTitle(("fashion_mnist_lt", "focal", "convnet"), ("loss.gamma=5", "seed=1"))


def test_without_hydras_own_file_the_overrides_and_targets_tell(tmp_path: Path) -> None:
    assert title(tmp_path, "loss=focal", config=CONFIG).parts == ("fashion_mnist_lt", "focal", "ConvNet")
    (tmp_path / ".hydra" / "config.yaml").unlink()
    assert title(tmp_path, "data=digits_lt", "seed=3") == RunTitle(("digits_lt",), ("seed=3",))


def test_a_table_is_called_by_its_file(tmp_path: Path) -> None:
    config = {**CONFIG, "data": {"_target_": "imbalance_lab.data.table", "path": "/of/the hospital/stays 2025.csv"}}
    overrides = ("data=table", "data.path='/of/the hospital/stays 2025.csv'", "data.target=died")
    of_run = title(tmp_path, *overrides, config=config, choices={**CHOICES, "data": "table"})
    assert of_run == RunTitle(("stays 2025.csv", "focal", "convnet"), ("data.target=died",))


def test_a_class_of_the_users_own_is_named_not_the_option_it_replaces(tmp_path: Path) -> None:
    of_run = title(tmp_path, "loss._target_=mine.losses.Steep", "loss.k=2", config=CONFIG, choices=CHOICES)
    assert of_run == RunTitle(("fashion_mnist_lt", "Steep", "convnet"), ("loss.k=2",))


def test_a_directory_without_a_configuration_has_no_title(tmp_path: Path) -> None:
    assert RunTitle.read(RunDirectory(tmp_path)) == RunTitle((), ())
    for strange in ([], {"data": "x", "loss": None}):
        assert title(tmp_path, config=strange, choices={"data": None}).parts == ()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    title(tmp_path, config=CONFIG, choices=CHOICES)
    (tmp_path / ".hydra" / "hydra.yaml").write_text("{")
    with pytest.raises(UsageError, match=r"hydra\.yaml"):
        RunTitle.read(RunDirectory(tmp_path))
