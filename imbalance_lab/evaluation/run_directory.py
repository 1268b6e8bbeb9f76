"""The directory of a run: every file name that it holds, and how each is read and written.

It is the interface between training and everything after it: who knows the directory needs nothing else of the run.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation import status_file, stored_files
from imbalance_lab.evaluation.run_files import CONFIG_FOLDER, ModelName, RunFiles, Split
from imbalance_lab.evaluation.stored_files import read_json, reading, sealed
from imbalance_lab.files import write_json
from imbalance_lab.text import is_of_sweep, override, shell_words, split_override

if TYPE_CHECKING:
    from imbalance_lab.evaluation.predictions import Predictions
    from imbalance_lab.posthoc import LinearHead

# Remedies for damaged files: one that is not computed from others, and the scores of the epochs.
RESTORE = "restore it from a copy, or train again"
NO_EPOCHS = "delete it, only the plot over the epochs is lost"


@dataclass(frozen=True)
class RunDirectory(RunFiles):
    """A run's files: their names, and how each is read and written."""

    @property
    def evaluate_again(self) -> str:
        """The remedy for what is computed from the predictions."""
        return f"write it again with {shell_words('imbalance-lab', 'evaluate', str(self.path))}"

    def find_model(self) -> Path:
        """The checkpoint of its best model, there or not.

        Raises:
            UsageError: for a cross-validation, which has a model for each fold.
        """
        if self.is_cross_validation:
            raise UsageError(
                f"{self.path} is a cross-validation, which has a model for each fold and none of all examples: name "
                f"one, as in {self.fold(0)}, or train one with the same command without cv"
            )
        return self.best_checkpoint

    def read_predictions(self, split: Split, of: ModelName = "best") -> "Predictions":
        """The stored predictions of a split.

        Raises:
            UsageError: as every ``read_…`` here: naming a file that is missing or damaged, and what to do.
        """
        from imbalance_lab.evaluation.predictions import Predictions  # here: what it imports takes a second

        path = self.predictions(split, of)
        test = shell_words("python", "train.py", "fit=false", override("ckpt_path", f"{self.best_checkpoint}"))
        with reading(path, f"restore it from a copy, or test the model again with {test}"):
            return Predictions.read(path)

    def read_calibration(self) -> "Predictions | None":
        """The stored predictions of the calibration split; None for a run without one."""
        return self.read_predictions("calibration") if self.predictions("calibration").is_file() else None

    def read_validation(self, metadata: Mapping[str, Any]) -> "Predictions | None":
        """The stored predictions of the validation split; None for a run that, by its metadata, had no such split."""
        return self.read_predictions("val") if metadata.get("has_validation", True) else None

    def read_metadata(self) -> dict[str, Any]:
        """What `write_metadata` wrote."""
        with reading(self.metadata, RESTORE):
            content = read_json(self.metadata)
            if "train_prior" not in content and "shares_seen" in content:
                raise UsageError(f"{self.path} was written by an earlier release: train it again with this one")
            return stored_files.check_metadata(content)

    def read_linear_head(self) -> "LinearHead | None":
        """The norms and biases of the model's linear head; None for another head, and for runs of earlier releases."""
        from imbalance_lab.posthoc import LinearHead

        found = self.read_metadata().get("linear_head")
        with reading(self.metadata, RESTORE):
            return None if found is None else LinearHead.from_json(found)

    def write_metadata(self, content: Mapping[str, Any]) -> None:
        """Write what an evaluation needs beside the predictions."""
        write_json(self.metadata, sealed(content))

    def write_scores(self, content: Mapping[str, Any]) -> None:
        """Write the final scores."""
        write_json(self.scores, sealed(content))

    def read_scores(self) -> dict[str, Any] | None:
        """The final scores; None for a run that has none."""
        if not self.scores.exists():
            return None
        with reading(self.scores, self.evaluate_again):
            return stored_files.check_scores(read_json(self.scores))

    def read_status(self) -> dict[str, Any]:
        """The status; "not started" where there is none, "killed" where it says "running" of a process that is gone."""
        return status_file.read(self.status)

    def read_resumed_from(self) -> list[dict[str, Any]]:
        """The earlier runs that this one was resumed from, the first one first."""
        if not self.resumed_from.exists():
            return []
        with reading(self.resumed_from, "delete it, it only says what the run was resumed from"):
            return list(read_json(self.resumed_from)["resumed"])

    def read_config_text(self) -> str | None:
        """The composed configuration as text; None for a run without."""
        if not self.config.exists():
            return None
        with reading(self.config, RESTORE):
            return self.config.read_text(encoding="utf-8").rstrip()

    def read_override_list(self) -> list[str]:
        """The overrides of the command line, as they were given."""
        with reading(self.overrides, RESTORE):
            return stored_files.check_override_list(yaml.safe_load(self.overrides.read_text(encoding="utf-8")))

    def write_status(self, content: Mapping[str, Any]) -> None:
        """Write the status."""
        status_file.write(self.status, content)

    def read_overrides(self) -> dict[str, str]:
        """The overrides of the command line by key, in its order, without those of a sweep."""
        return dict(split_override(word) for word in self.read_override_list() if not is_of_sweep(word))

    def read_epochs(self) -> list[dict[str, str]]:
        """The rows of `epochs` that belong to an epoch; none where nothing was logged."""
        if not self.epochs.exists():
            return []
        with reading(self.epochs, NO_EPOCHS):
            text = self.epochs.read_text(encoding="utf-8")
            if not text.endswith("\n"):
                if self.read_status()["state"] != "running":
                    raise ValueError("its last line is cut off")
                text = text[: text.rfind("\n") + 1]  # the line that is being written
            return [row for row in csv.DictReader(io.StringIO(text, newline=""), strict=True) if row.get("epoch")]

    @classmethod
    def find(cls, path: Path) -> list["RunDirectory"]:
        """The run that ``path`` is, or the runs directly below it, by name.

        Raises:
            UsageError: if there is none.
        """
        run = cls(path)
        if run.is_run:
            return [run]
        below = [each for each in map(cls, sorted(path.glob("*"))) if each.is_run]
        if not below:
            raise UsageError(
                f"{path} is neither a run directory nor a sweep directory: there is no {CONFIG_FOLDER}/overrides.yaml"
            )
        return below
