"""Which job of Slurm does which run of a sweep: remembered in its directory, for a command that is given again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from submitit.local.local import LocalJob
from submitit.slurm.slurm import SlurmJob

from imbalance_lab.errors import UsageError
from imbalance_lab.files import write_json

OVER = ("CANCELLED", "COMPLETED", "FAILED", "DEADLINE", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "UNKNOWN")
"""States of jobs that will not run again; PREEMPTED and REQUEUED ones will."""


class SubmittedJobs:
    """The jobs of a sweep, by the number of their run.

    Args:
        sweep: its directory.
        cluster: "slurm" or "local".

    Raises:
        UsageError: if the file that remembers them is damaged.
    """

    def __init__(self, sweep: Path, cluster: str) -> None:
        self.logs = sweep / ".submitit"
        self.cluster = cluster
        self._file = self.logs / "jobs.json"
        self._jobs: dict[int, Any] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        if self._file.is_file():
            try:
                self._entries = json.loads(self._file.read_text(encoding="utf-8"))
                assert all(isinstance(each["job"], str) for each in self._entries.values())
            except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
                raise UsageError(
                    f"{self._file} is damaged: delete it once no job of this sweep is left in the queue"
                ) from error

    def __getitem__(self, number: int) -> Any:
        """The job of a run, as submitit has it."""
        return self._jobs[number]

    def is_alive(self, number: int, overrides: Sequence[str]) -> bool:
        """Whether an earlier command submitted a job for this run that still waits or runs."""
        entry = self._entries.get(str(number))
        if entry is None or entry["overrides"] != list(overrides) or entry["cluster"] != self.cluster:
            return False
        kind: Any = SlurmJob if self.cluster == "slurm" else LocalJob
        job = kind(folder=self.logs / "%j", job_id=entry["job"], tasks=list(range(entry["tasks"])))
        if self.cluster == "slurm":
            is_there = job.watcher.get_state(job.job_id, mode="force").split(" ")[0] not in OVER
        else:
            is_there = Path("/proc", entry["job"]).is_dir()
        if is_there and not job.paths.result_pickle.exists():
            self._jobs[number] = job
        return number in self._jobs

    def add(self, overrides: Mapping[int, Sequence[str]], jobs: Sequence[Any]) -> None:
        """Remember the jobs of the runs with these numbers and overrides."""
        for (number, words), job in zip(overrides.items(), jobs, strict=True):
            self._jobs[number] = job
            self._entries[str(number)] = {
                "job": job.job_id,
                "cluster": self.cluster,
                "tasks": job.num_tasks,
                "overrides": list(words),
            }
        write_json(self._file, self._entries)
