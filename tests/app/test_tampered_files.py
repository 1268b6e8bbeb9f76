"""A run directory or a checkpoint that somebody prepared executes nothing: it is data."""

import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from imbalance_lab.app.checkpoint import inherit_overrides
from imbalance_lab.app.evaluate import evaluate_again
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.messages import format_error
from imbalance_lab.checkpoint_file import write_checkpoint
from imbalance_lab.errors import UsageError
from imbalance_lab.model import load_model, read_checkpoint
from tests.conftest import composed
from tests.helpers.command_line import train
from tests.helpers.damage import whole_run


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.call, (["touch", str(self.mark)],)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that exists if anything was executed; beside it a pickle and a package that would do it."""
    mark = tmp_path / "executed"
    (tmp_path / "trap.pkl").write_bytes(pickle.dumps(Trap(mark)))
    package = tmp_path / "planted_package"
    package.mkdir()
    (package / "__init__.py").write_text(f"open({str(mark)!r}, 'w').close()\ndef run(*args, **kwargs): ...\n")
    return mark


@pytest.fixture
def run(finished_run: Path, tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return whole_run(finished_run, tmp_path / "run")


def sentence_of(run: Path, *overrides: str) -> str | None:
    """What an evaluation of the run complains of; None if it succeeds."""
    try:
        evaluate_again([run], list(overrides))
    except Exception as error:
        return format_error(error) or f"a traceback: {error!r}"
    return None


def nodes(mark: Path) -> dict[str, dict[str, Any]]:
    trap = str(mark.parent / "trap.pkl")
    return {
        "pandas.read_pickle": {"filepath_or_buffer": trap},
        "os.system": {"command": f"touch {mark}"},
        "subprocess.getoutput": {"cmd": f"touch {mark}"},
        "builtins.eval": {"_args_": [f"open({str(mark)!r}, 'w')"]},
        "torch.load": {"f": trap, "weights_only": False},
        "torch.serialization.load": {"f": trap, "weights_only": False},
        "torch.os.system": {"command": f"touch {mark}"},
        "planted_package.run": {},
        "hydra.utils.call": {"config": {"_target_": "os.system", "command": f"touch {mark}"}},
        "hydra.utils.get_object": {"path": "planted_package.run"},
        "imbalance_lab.app.program.main": {"arguments": ["train", "hydra.run.dir=x"]},
    }


TARGETS = tuple(nodes(Path("x")))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("part", ["operating_point", "calibration", "prior_correction"])
@pytest.mark.parametrize("where", ["itself", "nested", "listed", "partial"])
def test_a_stored_configuration(run: Path, mark: Path, target: str, part: str, where: str) -> None:
    config = OmegaConf.load(run / ".hydra" / "config.yaml")
    evil = {"_target_": target, **nodes(mark)[target]}
    changed: dict[str, Any] = {
        "itself": evil,
        "nested": {**config[part], "deep": {"deeper": evil}},
        "listed": {**config[part], "list": [1, [evil]], "_recursive_": False},
        "partial": {**evil, "_partial_": True},
    }[where]
    OmegaConf.update(config, part, changed, merge=False, force_add=True)
    OmegaConf.update(config, "allow", [target.partition(".")[0]])  # a file allows nothing
    OmegaConf.save(config, run / ".hydra" / "config.yaml")
    with pytest.raises(UsageError, match=rf"^{part}\S*: _target_ names {target}, "):
        evaluate_again([run], [])
    assert not mark.exists()


@pytest.mark.parametrize("name", ["config.yaml", "overrides.yaml", "hydra.yaml"])
@pytest.mark.parametrize(
    "tag",
    ["object/apply:os.system", "object/new:os.system", "object:planted_package.run", "name:os.system", "module:os"],
)
def test_a_tag_of_yaml(run: Path, mark: Path, name: str, tag: str) -> None:
    path = run / ".hydra" / name
    path.write_text(f"- !!python/{tag} ['touch {mark}']\n" if name == "overrides.yaml" else
                    f"operating_point: !!python/{tag} ['touch {mark}']\n")  # fmt: skip
    with pytest.raises(UsageError, match=rf"{name} is damaged \(.*could not determine a constructor"):
        evaluate_again([run], ["calibration=none"])
    assert not mark.exists()


@pytest.mark.parametrize(
    "value", ["${oc.env:SECRET}", "${planted:1}", "x${oc.env:SECRET}", "${oc.env:${seed}}", "${seed}"]
)
def test_a_resolver(run: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECRET", "0.5")
    OmegaConf.register_new_resolver("planted", lambda _: mark.touch(), replace=True)
    for key in ("operating_point.min_positives", "max_epochs"):
        config = OmegaConf.load(run / ".hydra" / "config.yaml")
        OmegaConf.update(config, key, value, force_add=True)
        if key == "max_epochs":
            OmegaConf.update(config, "operating_point.min_positives", "${max_epochs}", force_add=True)
        OmegaConf.save(config, run / ".hydra" / "config.yaml")
        with pytest.raises(UsageError) as caught:
            evaluate_again([run], [])
        assert "SECRET" not in str(caught.value) or value == "${seed}"
        assert not mark.exists()


@pytest.mark.parametrize(
    "overrides",
    [
        ["operating_point._target_=pandas.read_pickle", "+operating_point.filepath_or_buffer={folder}/trap.pkl"],
        ["allow=[planted_package]", "operating_point._target_=planted_package.run"],
        ["hydra.searchpath=[pkg://planted_package]"],
        ["+hydra.searchpath=[pkg://planted_package]"],
        ["hydra.job.env_set.PATH=x"],
        ["hydra/launcher=planted"],
        ["operating_point=${{planted:1}}"],
        ["+operating_point.x=${{planted:1}}"],
        ["calibration=../../../planted"],
        ["--config-dir={folder}"],
        ["-m"],
        ["a\nb"],
    ],
)
def test_inherit_overrides_are_only_overrides(run: Path, mark: Path, overrides: list[str]) -> None:
    OmegaConf.register_new_resolver("planted", lambda _: mark.touch(), replace=True)
    given = [each.format(folder=run.parent) for each in overrides]
    (run / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(given))
    sentence = sentence_of(run, "prior_correction=none", "operating_point.min_positives=3", "calibration=none")
    assert not mark.exists(), "it was executed"
    assert sentence is None or "traceback" not in sentence, sentence


def test_a_stored_config_directory_is_data(run: Path, mark: Path) -> None:
    folder = run.parent / "x'],allow=[planted_package],y=['pkg:" / "planted_package"
    (folder / "operating_point").mkdir(parents=True)
    (folder / "operating_point" / "evil.yaml").write_text("_target_: planted_package.run\n")
    sources = [{"path": str(folder), "schema": "file", "provider": "command-line"}]
    (run / ".hydra" / "hydra.yaml").write_text(yaml.safe_dump({"hydra": {"runtime": {"config_sources": sources}}}))
    with pytest.raises(
        UsageError, match=r"operating_point: _target_ names planted_package\.run, .* add allow=\[planted"
    ):
        evaluate_again([run], ["operating_point=evil"])
    assert not mark.exists()
    with pytest.raises(UsageError, match=r"does not choose|not a class"):  # allowed, it is imported, as the user wants
        evaluate_again([run], ["operating_point=evil", "allow=[planted_package]", "+operating_point._args_=[1]"])
    assert mark.exists()


@pytest.mark.parametrize("part", ["backbone", "head", "loss"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_tested_checkpoint(finished_run: Path, tmp_path: Path, mark: Path, part: str, target: str) -> None:
    content = read_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    content["hyper_parameters"]["config"][part] = {"_target_": target, **nodes(mark)[target]}
    write_checkpoint(tmp_path / "evil.ckpt", content)
    with pytest.raises(UsageError, match=rf"^{part}: _target_ names {target}, "):
        instantiate_experiment(composed("fit=false", f"ckpt_path='{tmp_path}/evil.ckpt'"))
    if part != "loss":
        with pytest.raises(UsageError, match=f"the checkpoint names {target}, "):
            load_model(tmp_path / "evil.ckpt")
    assert not mark.exists()


def test_a_checkpoint_that_is_a_pickle(finished_run: Path, tmp_path: Path, mark: Path) -> None:
    content = read_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    write_checkpoint(tmp_path / "evil.ckpt", content | {"extra": Trap(mark)})
    with pytest.raises(UsageError, match=r"evil.ckpt"):
        load_model(tmp_path / "evil.ckpt")
    (tmp_path / "evil.ckpt").write_bytes((tmp_path / "trap.pkl").read_bytes())
    with pytest.raises(UsageError, match=r"evil.ckpt"):
        load_model(tmp_path / "evil.ckpt")
    assert not mark.exists()


def test_inherited_overrides_call_no_resolver(finished_run: Path, tmp_path: Path) -> None:
    content = read_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    given = [
        "loss.alpha=${oc.env:SECRET}",
        "hydra.run.dir=/x",
        "--config-dir=/x",
        "allow=[os]",
    ]
    content["hyper_parameters"]["overrides"] = given
    content["hyper_parameters"]["config"]["loss"]["alpha"] = "effective"
    write_checkpoint(tmp_path / "other.ckpt", content)
    found = inherit_overrides(["fit=false", f"ckpt_path={tmp_path}/other.ckpt"])
    assert found[2:] == ["loss.alpha=effective"]
    content["hyper_parameters"]["overrides"] = ["data=${planted:1}"]
    write_checkpoint(tmp_path / "chosen.ckpt", content)
    with pytest.raises(UsageError, match=r"trained with 'data=\$\{planted:1\}': give data=… yourself"):
        inherit_overrides(["fit=false", f"ckpt_path={tmp_path}/chosen.ckpt"])
    content["hyper_parameters"]["config"]["loss"]["alpha"] = "${oc.env:SECRET}"
    write_checkpoint(tmp_path / "other.ckpt", content)
    with pytest.raises(UsageError, match=r"its loss has an interpolation"):
        instantiate_experiment(composed("fit=false", f"ckpt_path='{tmp_path}/other.ckpt'"))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["+callbacks.x={_target_: os.system, command: touch MARK}"], "callbacks.x: _target_ names os.system, "),
        (["+trainer.callbacks=[{_target_: os.system}]"], "trainer.callbacks[0]: _target_ names os.system, "),
        (["+trainer.plugins=[{_target_: os.system}]"], "trainer.plugins[0]: _target_ names os.system, "),
        (
            ["backbone._target_=os.system"],
            "backbone: _target_ names os.system, which is of a package that is not trust",
        ),
        (["loss._target_=torch.hub.load"], "loss: _target_ names torch.hub.load, but only modules, optimizers"),
        (["logger._target_=builtins.eval"], "logger: _target_ names builtins.eval, "),
        (["allow=os", "loss._target_=os.system"], "allow must be a list, got 'os': write allow=[mypackage]"),
        (["loss.gam\x1b[2Jma=1"], "cannot read 'loss.gam\\x1b[2Jma=1' as"),
        (["+loss.x='\x1b]0;title\x07\u202e'"], "loss: "),
        (["allow=[my-package]"], "allow must be names of packages, got 'my-package'"),
    ],
)
def test_the_command_line(tmp_path: Path, overrides: list[str], sentence: str) -> None:
    done = train(*overrides, "backbone=mlp", "max_epochs=1", "logger=none", "trainer=cpu", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith(f"error: {sentence}"), done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.rstrip("\n").isprintable()
    assert not (tmp_path / "MARK").exists()
