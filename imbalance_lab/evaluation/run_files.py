"""The names of the files of a run. No other module knows a file of a run by its name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imbalance_lab.tags import EVENTS

Split = Literal["val", "test", "calibration"]
ModelName = Literal["best", "last", "stage_1"]
"""Whose predictions: of the best epoch, of the last one, or of stage 1 of a training in two stages."""

CONFIG_FOLDER = ".hydra"
"""Where Hydra stores the configuration of a run, below its directory."""


@dataclass(frozen=True)
class RunFiles:
    """A run's files, by what they are; each exists once it was written."""

    path: Path

    @property
    def config(self) -> Path:
        """The composed configuration, YAML."""
        return self.path / CONFIG_FOLDER / "config.yaml"

    @property
    def overrides(self) -> Path:
        """The overrides of the command line, a YAML list."""
        return self.path / CONFIG_FOLDER / "overrides.yaml"

    @property
    def hydra(self) -> Path:
        """Hydra's own configuration, YAML."""
        return self.path / CONFIG_FOLDER / "hydra.yaml"

    @property
    def status(self) -> Path:
        """Whether it runs, finished or failed, since when, and why."""
        return self.path / "status.json"

    @property
    def metadata(self) -> Path:
        """What an evaluation needs beside the predictions: command, seed, checkpoint, counts, priors, versions."""
        return self.path / "run.json"

    @property
    def trial(self) -> Path:
        """For a run of a search that prunes: the study that its epochs are reported to."""
        return self.path / "trial.json"

    @property
    def traceback(self) -> Path:
        """For a run of a sweep that failed by a bug: where."""
        return self.path / "traceback.txt"

    @property
    def resumed_from(self) -> Path:
        """For a resumed run: the checkpoint, the place in training, and the configuration of each earlier run."""
        return self.path / "resumed_from.json"

    @property
    def data_summary(self) -> Path:
        """The summary of the data before training."""
        return self.path / "data_summary.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that files are written to while a run trains."""
        predictions = self.path / "predictions"
        below = (predictions / name for name in ("last", "stage_1", "baselines"))
        return self.path, self.checkpoints, predictions, *below

    @property
    def best_checkpoint(self) -> Path:
        """The epoch with the best monitored score."""
        return self.checkpoints / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """The last epoch."""
        return self.checkpoints / "last.ckpt"

    @property
    def stage_1_checkpoint(self) -> Path:
        """Of a training in two stages, the best epoch of the first one."""
        return self.checkpoints / "stage_1.ckpt"

    @property
    def epochs(self) -> Path:
        """Every epoch's scores, CSV."""
        return self.path / "metrics.csv"

    @property
    def scores(self) -> Path:
        """The final scores."""
        return self.path / "metrics.json"

    @property
    def operating_point(self) -> Path:
        """Calibration, class priors and thresholds."""
        return self.path / "operating_point.json"

    @property
    def report(self) -> Path:
        """The page that a person opens."""
        return self.path / "report.html"

    @property
    def curves(self) -> Path:
        """Every vertex of the ROC and PR curves, CSV."""
        return self.path / "curves.csv"

    @property
    def roc(self) -> Path:
        """The ROC curves, PNG."""
        return self.path / "roc.png"

    @property
    def pr(self) -> Path:
        """The precision-recall curves, PNG."""
        return self.path / "pr.png"

    @property
    def tables(self) -> Path:
        """The folder of the report's tables, CSV."""
        return self.path / "tables"

    @property
    def images(self) -> Path:
        """The folder of the report's plots, PNG and SVG."""
        return self.path / "images"

    def exported(self, form: str) -> Path:
        """Where a model is exported to, unless the user names a place: one for each form."""
        names = {"onnx": "model.onnx", "torch_export": "model.pt2", "mlflow": "mlflow"}
        return self.path / "exports" / names[form]

    @property
    def mistakes(self) -> Path:
        """The worst mistakes on the rarest classes, Parquet."""
        return self.path / "predictions" / "mistakes.parquet"

    @property
    def samples(self) -> Path:
        """Training images as the net sees them, a few of each class, Parquet."""
        return self.path / "predictions" / "samples.parquet"

    @property
    def samples_figure(self) -> Path:
        """The same as a picture to look at, PNG."""
        return self.path / "samples.png"

    @property
    def slices(self) -> Path:
        """The values of the validation and test examples in the columns of ``report.slices``, Parquet."""
        return self.path / "predictions" / "slices.parquet"

    def predictions(self, split: Split, of: ModelName = "best") -> Path:
        """The stored predictions of a split, Parquet."""
        folder = self.path / "predictions"
        return (folder if of == "best" else folder / of) / f"{split}.parquet"

    def repeat_predictions(self, repeat: int) -> Path:
        """For a cross-validation: what its models say of every example that they did not train on, Parquet."""
        folder = self.path / "predictions"
        return (folder / f"repeat_{repeat}" if repeat else folder) / "test.parquet"

    def fold(self, number: int) -> Path:
        """For a cross-validation: the directory of the run of one fold."""
        return self.path / "folds" / str(number)

    @property
    def is_cross_validation(self) -> bool:
        """Whether it has no model of its own, but those of its folds."""
        return self.fold(0).is_dir()

    def baseline_predictions(self, key: str, split: Split) -> Path:
        """What a baseline says of a split, Parquet; ``key`` is its name, as "logistic_regression"."""
        return self.path / "predictions" / "baselines" / f"{key}_{split}.parquet"

    def watch(self, name: str) -> "WatchFiles":
        """What ``watch`` found for a file of that name."""
        return WatchFiles(self.path / "watch" / name)

    @property
    def published(self) -> tuple[Path, ...]:
        """The files that experiment trackers store with a run, as far as they exist."""
        return tuple(file for file in (*self.results, self.config) if file.is_file())

    @property
    def results(self) -> tuple[Path, ...]:
        """The files that an evaluation writes in any case, the tables apart."""
        return (self.report, self.scores, self.operating_point, self.curves, self.roc, self.pr)

    @property
    def written(self) -> tuple[Path, ...]:
        """Everything that a run writes, as far as it exists, but its status and what Hydra writes; also folders."""
        single = (self.metadata, self.traceback, self.resumed_from, self.data_summary, self.epochs, self.samples_figure)
        folders = (self.checkpoints, self.mistakes.parent, self.tables, self.images)
        events = [*self.path.rglob(EVENTS)]
        settings = {file.with_name("hparams.yaml"): None for file in events}  # TensorBoard's
        return tuple(path for path in (*self.results, *single, *folders, *events, *settings) if path.exists())

    @property
    def is_run(self) -> bool:
        """Whether it is the directory of a run, finished or not."""
        return any(file.is_file() for file in (self.overrides, self.status, self.metadata, self.scores))


@dataclass(frozen=True)
class WatchFiles:
    """What ``watch`` writes for one file, in a folder."""

    folder: Path

    @property
    def result(self) -> Path:
        """Shares, tests and thresholds, JSON."""
        return self.folder / "watch.json"

    @property
    def page(self) -> Path:
        """The page that a person opens."""
        return self.folder / "watch.html"
