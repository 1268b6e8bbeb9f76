"""The command line round Hydra: mistakes answered in a sentence, the table of a sweep, the command of a DDP process.

Only Hydra, OmegaConf and the standard library are imported here, so that ``--help`` and a misspelt key answer at once.
"""

import os
import runpy
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from hydra.experimental.callback import Callback
from hydra.utils import get_original_cwd
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.errors import UsageError

PLAIN_ERRORS = "IMBALANCE_LAB_PLAIN_ERRORS"


class Sweep(Callback):
    """Remembers where a multirun writes, so that its table can be printed even if a run of it failed."""

    directory: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run."""
        Sweep.directory = Path(config.hydra.sweep.dir).absolute()


def main() -> None:
    """The console script ``imbalance-lab``: ``python train.py``, wherever the package is installed."""
    package = Path(__file__).parent.parent
    shipped = package / "train.py"  # in a wheel; in a checkout it stands beside the package
    runpy.run_path(str(shipped if shipped.is_file() else package.parent / "train.py"), run_name="__main__")


def run_cli(hydra_main: Callable[[], Any]) -> None:
    """Run a ``hydra.main`` function and exit: 0, 2 with one sentence for a mistake, or with a traceback for a bug.

    With HYDRA_FULL_ERROR=1 in the environment every error comes with its traceback.
    """
    for flag in {"-m", "--multirun"} & set(sys.argv[2:]):  # argparse takes no override after a flag among overrides
        sys.argv.remove(flag)
        sys.argv.insert(1, flag)
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1" and PLAIN_ERRORS not in os.environ
    if not wants_traceback:
        # With this Hydra hands exceptions on instead of printing them itself. A DDP process inherits both.
        os.environ |= {"HYDRA_FULL_ERROR": "1", PLAIN_ERRORS: "1"}
    try:
        hydra_main()
    except (UsageError, HydraException, OmegaConfBaseException) as error:
        sentence = format_error(error, Path(hydra_main.__wrapped__.__code__.co_filename).parent / "configs")  # type: ignore[attr-defined]
        if wants_traceback or sentence is None:
            raise
        print_sweep()
        exit_with_error(sentence)
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        exit_with_error("torch and torchvision come from different places: install both anew, from the same one")
    except KeyboardInterrupt:
        sys.exit(130)
    print_sweep()


def exit_with_error(sentence: str) -> NoReturn:
    """Say what is wrong and exit with code 2."""
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)


def print_sweep() -> None:
    """Print the table of the sweep that has ended, if there was one."""
    if Sweep.directory is None or not Sweep.directory.is_dir():
        return
    from imbalance_lab.evaluation.comparison_data import compute_comparison_data
    from imbalance_lab.evaluation.sweep import read_sweep
    from imbalance_lab.report.comparison_page import write_comparison
    from imbalance_lab.report.comparison_table import print_comparison

    if runs := read_sweep(Sweep.directory):
        data = compute_comparison_data(runs)
        print_comparison(data)
        print(os.path.relpath(write_comparison(Sweep.directory / "comparison.html", data)))


def format_error(error: Exception, configs: Path) -> str | None:
    """One sentence for a mistake in the command line or the config; None for what is no such mistake."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, OverrideParseException):
        return (
            f"cannot read {error.override!r} as KEY=VALUE: put it in single quotes, without spaces, "
            "as in 'loss.alpha=[0.25,0.75]'"
        )
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        options = ", ".join(error.options)
        near = _did_you_mean(choice, error.options, f"{group}=")
        return f"there is no {group}={choice}{near} (choices: {options})"
    if isinstance(error, ConfigCompositionException | OmegaConfBaseException):
        first = str(error).strip().splitlines()[0]
        if not first.startswith("Could not override '"):
            return first
        key = first.split("'")[1]
        near = _did_you_mean(key, _keys(configs))
        return f"there is no {key!r} in this configuration{near} (--help lists what there is)"
    return None


def ddp_command(local_rank: int) -> tuple[list[str], str]:
    """The command, and its working directory, by which a DDP process repeats exactly the job that started it.

    Lightning would repeat ``sys.argv``: in a multirun each process would then start the whole sweep by itself.
    """
    import __main__

    hydra = HydraConfig.get()
    spec = __main__.__spec__
    script = [os.path.join(get_original_cwd(), sys.argv[0])] if spec is None else ["-m", spec.name]
    overrides = [
        *job_overrides(),
        f'hydra.run.dir="{hydra.runtime.output_dir}"',
        "hydra.mode=RUN",
        f"hydra.job.name={hydra.job.name}_rank{local_rank}",
        "hydra.output_subdir=null",  # the config is written once, by the first process
    ]
    command = [sys.executable, *script, *job_flags(), *overrides]
    return command, get_original_cwd()


def job_flags() -> list[str]:
    """Hydra's flags of this job that say which configuration its overrides change."""
    hydra = HydraConfig.get()
    flags = ["--config-name", hydra.job.config_name] if hydra.job.config_name else []
    for source in hydra.runtime.config_sources:
        if source.provider == "command-line":
            flags += ["--config-dir", source.path]
    return flags


def job_overrides() -> list[str]:
    """The overrides of this job, in a sweep of this one run, without those of Hydra itself."""
    return list(HydraConfig.get().overrides.task)


def _did_you_mean(given: str, known: Any, prefix: str = "") -> str:
    near = get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def _keys(configs: Path) -> list[str]:
    """Every key of the configuration that the command line chooses, leaving out what is wrong with it."""
    groups = {folder.name for folder in configs.iterdir() if folder.is_dir()}
    choices = [word for word in sys.argv[1:] if word.partition("=")[0] in groups and "," not in word]
    with initialize_config_dir(str(configs), version_base="1.3"):
        try:
            config = compose("train", choices)
        except (HydraException, OmegaConfBaseException):
            config = compose("train")
    return [*groups, *_flat(OmegaConf.to_container(config), "")]


def _flat(node: Any, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _flat(value, f"{prefix}{key}.")
