"""Slurm of one machine, as far as submitit and our jobs use it: sbatch, srun, scontrol, sacct, scancel.

`install` puts them into a directory for ``PATH``. Jobs live in ``$FAKE_SLURM``: ``ID.json`` has a job's state and
processes. A job starts at once, gets the variables that Slurm sets, and is ended as Slurm ends it: SIGTERM, then
SIGKILL after `KILL_WAIT`.
"""

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

COMMANDS = ("sbatch", "srun", "scontrol", "sacct", "scancel")
KILL_WAIT = 20.0
"""Seconds between the two signals."""


def install(folder: Path) -> dict[str, str]:
    """Make the commands; return the variables with which a program finds them."""
    binaries, jobs = folder / "bin", folder / "jobs"
    binaries.mkdir(parents=True)
    jobs.mkdir()
    for name in COMMANDS:
        file = binaries / name
        file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(__file__)} {name} "$@"\n')
        file.chmod(0o755)
    return {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "FAKE_SLURM": str(jobs)}


def jobs(environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The jobs by their identifier."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(Path(environment["FAKE_SLURM"]).glob("*.json"))}


def _folder() -> Path:
    return Path(os.environ["FAKE_SLURM"])


def _read(job: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_folder() / f"{job}.json").read_text())
    return found


def _write(job: str, **content: Any) -> None:
    path = _folder() / f"{job}.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(before | content))
    temporary.replace(path)


def sbatch(script: str) -> None:
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", Path(script).read_text(), re.MULTILINE))
    options = {name: "".join(shlex.split(value)) for name, value in options.items()}
    if options.get("partition") == "none_such":
        sys.exit("sbatch: error: invalid partition specified: none_such")
    job = str(1 + max([0, *(int(path.stem.split("_")[0]) for path in _folder().glob("*.json"))]))
    last, _, at_once = options.get("array", "0-0%1").removeprefix("0-").partition("%")
    names = [f"{job}_{index}" for index in range(int(last) + 1)] if "array" in options else [job]
    for name in names:
        _write(name, state="PENDING", options=options, script=os.path.abspath(script), starts=0, tasks=[])
    subprocess.Popen(
        [sys.executable, __file__, "work", at_once, *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(f"Submitted batch job {job}")


def work(at_once: str, *names: str) -> None:
    """The controller: starts the jobs, and those again that are put back in the queue."""
    waiting, running = list(names), {}
    while waiting or running:
        while waiting and len(running) < int(at_once):
            name = waiting.pop(0)
            if _read(name)["state"] != "CANCELLED":
                running[name] = _start(name)
        for name, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[name]
            if _read(name)["state"] == "REQUEUED":
                waiting.append(name)
            elif _read(name)["state"] != "CANCELLED":
                _write(name, state="FAILED" if process.returncode else "COMPLETED", code=process.returncode)
        time.sleep(0.05)


def _start(name: str) -> "subprocess.Popen[bytes]":
    job = _read(name)
    options, (array, _, index) = job["options"], name.partition("_")
    nodes, each = int(options.get("nodes", 1)), int(options.get("ntasks-per-node", 1))
    variables = {
        "SLURM_JOB_ID": str(10_000 + int(array) * 100 + int(index)) if index else name,
        "SLURM_JOB_NAME": options.get("job-name", "job"),
        "SLURM_NTASKS": str(nodes * each),
        "SLURM_NTASKS_PER_NODE": str(each),
        "SLURM_NNODES": str(nodes),
        "SLURM_JOB_NUM_NODES": str(nodes),
        "SLURM_NODELIST": "127.0.0.1",
        "SLURM_JOB_NODELIST": "127.0.0.1",
        "SLURM_RESTART_COUNT": str(job["starts"]),
        "FAKE_SLURM_JOB": name,
    }
    if index:
        variables |= {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": index}
    _write(name, state="RUNNING", starts=job["starts"] + 1, tasks=[], started=time.time())
    return subprocess.Popen(["bash", job["script"]], env=os.environ | variables, stdin=subprocess.DEVNULL)


def srun(*words: str) -> None:
    arguments, patterns = list(words), {"--output": "/dev/null", "--error": "/dev/null"}
    while arguments[0].startswith("--"):
        flag = arguments.pop(0)
        if flag in patterns:
            patterns[flag] = arguments.pop(0)
    name, each = os.environ["FAKE_SLURM_JOB"], int(os.environ["SLURM_NTASKS_PER_NODE"])
    tasks = []
    for rank in range(int(os.environ["SLURM_NTASKS"])):
        files = []
        for pattern in patterns.values():
            array, _, index = name.partition("_")
            path = pattern.replace("%A", array).replace("%a", index).replace("%j", name).replace("%t", str(rank))
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            files.append(open(path, "a"))  # noqa: SIM115
        own = {"SLURM_PROCID": str(rank), "SLURM_NODEID": str(rank // each), "SLURM_LOCALID": str(rank % each)}
        tasks.append(subprocess.Popen(arguments, env=os.environ | own, stdout=files[0], stderr=files[1]))
    _write(name, tasks=[task.pid for task in tasks])
    sys.exit(max(task.wait() % 256 for task in tasks))


def scontrol(action: str, *words: str) -> None:
    job = words[-1]
    if action == "show":
        state = _read(job)["state"]
        print(f"JobId={job} JobState={'COMPLETING' if state == 'CANCELLED' else state} Restarts={_read(job)['starts']}")
    elif action == "requeue":
        _write(job, state="REQUEUED")
        _end(job)


def scancel(job: str, *words: str) -> None:
    if words:
        _signal(job, getattr(signal, f"SIG{words[-1].removeprefix('SIG')}"))
        return
    _write(job, state="CANCELLED")
    _end(job)


def _signal(job: str, number: int) -> None:
    for task in _read(job)["tasks"]:
        with suppress(ProcessLookupError):
            os.kill(task, number)


def _end(job: str) -> None:
    """SIGTERM, and SIGKILL a while later, from a process of its own: the caller may be one that is ended."""
    if os.fork():
        return
    os.setsid()
    _signal(job, signal.SIGTERM)
    tasks = _read(job)["tasks"]
    deadline = time.time() + KILL_WAIT
    while time.time() < deadline and any(Path(f"/proc/{task}").exists() for task in tasks):
        time.sleep(0.05)
    for task in tasks:
        with suppress(ProcessLookupError):
            os.kill(task, signal.SIGKILL)
    os._exit(0)


def sacct(*words: str) -> None:
    print("JobID|State|NodeList")
    asked = {job for flag, job in itertools.pairwise(words) if flag == "-j"}
    for path in sorted(_folder().glob("*.json")):
        if path.stem in asked or path.stem.partition("_")[0] in asked:
            print(f"{path.stem}|{_read(path.stem)['state']}|127.0.0.1")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
