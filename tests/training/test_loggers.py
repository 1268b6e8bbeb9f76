"""What a run leaves behind in each tracker, read with its own client."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.utils.validation import _validate_metric_name
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from imbalance_lab.tags import score_tag
from imbalance_lab.training.loggers import TensorBoard, log_history, run_folder
from imbalance_lab.training.mlflow_logger import mlflow_name
from tests.conftest import RunJob, composed
from tests.helpers import fork_server
from tests.helpers.command_line import ENVIRONMENT, ROOT

HOSTILE = ["Größe", "Grüße", "a/b", "T-shirt/top", "", ".", "..", "/", "//", "a\nb", "$5 & <b>", "x" * 400, " "]
HOSTILE += ["macro", "a%2Fb", "Gr__e 946e9015"]


ODD_OVERRIDES = [
    ["loss.gamma=2", "seed=0"],
    [f"data.path=/mnt/{'long/' * 60}a.csv"],
    ["data.path=~/$HOME/../..", 'x=a:b\\c*?<>|"', "y='it''s'"],
    [f"data.positive={'日本語' * 90}", "name=\x1b[31m\n\udcff\ud800"],
    ["..=/"],
    ["/"],
    [],
]


@pytest.mark.parametrize("overrides", ODD_OVERRIDES, ids=range(len(ODD_OVERRIDES)))
def test_tensorboard_names_a_run_by_its_overrides_whatever_they_are(overrides: list[str], tmp_path: Path) -> None:
    run = tmp_path / "sweep" / "0"
    logger = TensorBoard(str(run), overrides)
    logger.log_metrics({"val/loss": 0.5}, 1)
    logger.finalize("success")
    (file,) = tmp_path.rglob("events.out*")
    assert file.parent in (run, *run.iterdir())
    (name,) = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "sweep")).Reload().Runs()
    folder = run_folder(overrides)
    assert name == (f"0/{folder}" if folder else "0")
    assert name.isprintable()
    if overrides[:1] == ["loss.gamma=2"]:
        assert name == "0/loss.gamma=2,seed=0"


def test_a_run_that_goes_on_in_its_directory_goes_on_in_its_folder_of_events(tmp_path: Path) -> None:
    first = TensorBoard(str(tmp_path), ["seed=0"])
    first.log_metrics({"epoch": 0, "lr": 0.1, "val/loss": 0.5}, 1)
    first.finalize("success")
    again = TensorBoard(str(tmp_path))  # on its own, not in a sweep
    log_history([again], [(1, {"val/loss": 0.5})])
    again.log_metrics({"val/loss": 0.25}, 2)
    again.finalize("success")
    assert list(EventMultiplexer().AddRunsFromDirectory(str(tmp_path)).Reload().Runs()) == ["seed=0"]
    scalars = EventAccumulator(str(tmp_path / "seed=0")).Reload()
    assert [(each.step, each.value) for each in scalars.Scalars("val/loss")] == [(1, 0.5), (2, 0.25)]
    assert scalars.Tags()["scalars"] == ["train/lr", "val/loss"]


@pytest.mark.parametrize("name", HOSTILE)
def test_mlflow_takes_every_class(name):
    _validate_metric_name(mlflow_name(score_tag("val", "auroc", of_class=name)))


def test_classes_stay_apart():
    assert len({mlflow_name(score_tag("val", "auroc", of_class=name)) for name in HOSTILE}) == len(HOSTILE)


def test_plain_tags_stay_as_they_are():
    for tag in ("epoch", "lr", "val/loss", "val/auroc/macro", "val/auroc/class/Ankle boot", "test/recall/class/7"):
        assert mlflow_name(tag) == tag


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of SQLAlchemy, about what MLflow asks of it
def test_mlflow_holds_finished_and_failed_runs_of_one_process(
    run_job: RunJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("logger=mlflow", f"logger.tracking_uri=sqlite:///{tmp_path}/runs.db", "max_epochs=2")
    finished = run_job(*options, "loss.gamma=1.5", name="good")
    with pytest.raises(FloatingPointError):
        run_job(*options, "backbone=mlp", "optimizer=sgd", "optimizer.lr=1000", name="bad")
    client = MlflowClient(f"sqlite:///{tmp_path}/runs.db")
    (experiment,) = client.search_experiments(filter_string="name = 'imbalance_lab'")
    by_status = {run.info.status: run for run in client.search_runs([experiment.experiment_id])}
    assert set(by_status) == {"FINISHED", "FAILED"}
    good = by_status["FINISHED"]
    assert good.info.run_name.endswith("good")
    assert good.data.params["loss.gamma"] == "1.5"
    assert by_status["FAILED"].data.params["optimizer.lr"] == "1000"
    reported = json.loads((finished / "metrics.json").read_text())
    assert good.data.metrics["test/auroc/macro"] == reported["test"]["auroc"]["value"]
    assert len(client.get_metric_history(good.info.run_id, "val/auroc/macro")) == 2
    stored = {each.path for each in client.list_artifacts(good.info.run_id)}
    assert stored == {
        *("report.html", "metrics.json", "operating_point.json", "curves.csv", "roc.png", "pr.png"),
    }
    page = client.download_artifacts(good.info.run_id, "report.html", str(tmp_path))
    assert Path(page).read_bytes() == (finished / "report.html").read_bytes()
    assert (finished / "metrics.csv").is_file()


TOGETHER = """
import sys, time
from pathlib import Path
from imbalance_lab.training.mlflow_logger import MLflow
folder, name = Path(sys.argv[1]), sys.argv[2]
(folder / name).touch()
while not all((folder / other).exists() for other in ("first", "second")):
    time.sleep(0.001)
logger = MLflow(str(folder / name), f"sqlite:///{folder}/new/runs.db", str(folder / "artifacts"), "both")
logger.log_metrics({"val/loss": 0.5}, 1)
logger.finalize("success")
"""


@pytest.mark.exhaustive
def test_processes_that_create_the_same_database_all_succeed(tmp_path: Path) -> None:
    script = tmp_path / "together.py"
    script.write_text(TOGETHER)
    command = [sys.executable, str(script), str(tmp_path)]
    environment = ENVIRONMENT | {"PYTHONPATH": str(ROOT)}
    both = [
        fork_server.Popen(
            [*command, name], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name in ("first", "second")
    ]
    outputs = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    client = MlflowClient(f"sqlite:///{tmp_path}/new/runs.db")
    (experiment,) = client.search_experiments(filter_string="name = 'both'")
    assert experiment.artifact_location == (tmp_path / "artifacts").as_uri()
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(Path(run.data.tags["directory"]).name for run in runs) == ["first", "second"]
    assert {run.info.status for run in runs} == {"FINISHED"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own
def test_wandb_stays_offline_and_begins_anew_for_each_run(run_job: RunJob, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    monkeypatch.setenv("WANDB_SILENT", "true")
    for name in ("first", "second"):
        directory = run_job("logger=wandb", "max_epochs=1", name=name)
        (written,) = (directory / "wandb").glob("offline-run-*/run-*.wandb")
        assert written.stat().st_size > 1000
        assert wandb.run is None


def test_none_writes_nothing_and_the_report_does_without(run_job: RunJob) -> None:
    directory = run_job("logger=none", "max_epochs=1")
    assert not list(directory.glob("events*")) + list(directory.glob("metrics.csv"))
    assert (directory / "report.html").is_file()


def test_csv_writes_no_events(run_job: RunJob) -> None:
    directory = run_job("logger=csv", "max_epochs=1")
    assert not list(directory.glob("events*"))
    assert (directory / "metrics.csv").is_file()


@pytest.mark.parametrize("package", ["mlflow", "wandb"])
def test_a_missing_package_is_reported_before_the_data_are_read(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imbalance_lab.app.validate_config.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=rf"pip install 'imbalance-lab\[{package}\]'"):
        instantiate_experiment(composed(f"logger={package}", "data.factor=not_even_looked_at"))
