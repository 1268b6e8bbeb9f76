"""The command line around Hydra: one sentence for a mistake, and the table at the end of a sweep.

Only Hydra, OmegaConf and the standard library are imported: ``--help`` and a misspelled key answer at once.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from imbalance_lab.app.compose import extra_config_directories
from imbalance_lab.app.config_cache import keep_parsed_files
from imbalance_lab.app.distributed import hydra_overrides, is_first_process
from imbalance_lab.app.help import ignore_closed_pipe, print_help, wants_help
from imbalance_lab.app.launchers import check_restarts
from imbalance_lab.app.messages import format_error
from imbalance_lab.app.sweep_record import SEARCH, check_sweep, resume_command, resumed_arguments, write_record
from imbalance_lab.app.validate_arguments import validate_arguments, written_out
from imbalance_lab.errors import UsageError
from imbalance_lab.files import WriteError
from imbalance_lab.termination import STOP, Terminated
from imbalance_lab.text import visible
from imbalance_lab.validation import ITEM

PLAIN_ERRORS = "IMBALANCE_LAB_PLAIN_ERRORS"


class Sweep(Callback):
    """Remembers where a multirun writes, so that its table can be printed even if a run failed."""

    directory: Path | None = None
    job_started = False
    """Whether Hydra has made the directory of a run and started the job in it."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run, and before anything is written."""
        directory = Path(config.hydra.sweep.dir).absolute()
        if is_first_process():
            try:
                check_sweep(config, directory)
                if config.hydra.sweeper._target_ != SEARCH:  # which has more to check before anything is written
                    write_record(config, directory)
            except WriteError as error:
                exit_with_error(_before_the_job(error.__cause__ if isinstance(error.__cause__, OSError) else error))
            except UsageError as error:  # Hydra makes a warning of any exception of a callback but the exit
                exit_with_error(str(error))
            except OSError as error:
                exit_with_error(_before_the_job(error))
        keep_parsed_files()
        Sweep.directory = directory

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra when the directory of a run is made."""
        Sweep.job_started = True


def run_cli(hydra_main: Callable[[], Any]) -> None:
    """Run a ``hydra.main`` function and exit: 0, 2 with one sentence for a mistake, or with a traceback for a bug.

    With HYDRA_FULL_ERROR=1 in the environment every error comes with its traceback.
    """
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1" and PLAIN_ERRORS not in os.environ
    if not wants_traceback:
        # With this, Hydra raises exceptions instead of printing them. DDP processes inherit both variables.
        os.environ |= {"HYDRA_FULL_ERROR": "1", PLAIN_ERRORS: "1"}
    try:
        with STOP.handled(restore=False):
            _run(hydra_main)
    except (UsageError, HydraException, OmegaConfBaseException) as error:
        sentence = format_error(error)
        if wants_traceback or sentence is None:
            raise
        is_sweep = print_sweep()
        exit_with_error(sentence, code=1 if is_sweep and Sweep.job_started else 2)
    except BrokenPipeError:  # of --cfg job | head
        if Sweep.job_started:
            raise
        ignore_closed_pipe()
    except (OSError, ValueError, AssertionError) as error:
        if wants_traceback or Sweep.job_started:
            raise
        exit_with_error(_before_the_job(error))
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        exit_with_error("torch and torchvision come from different sources: reinstall both from the same one")
    except Terminated as stop:
        if print_sweep() and Sweep.directory is not None and is_first_process():
            print(f"{stop}; go on with: {resume_command(Sweep.directory)}", file=sys.stderr, flush=True)
        raise
    except KeyboardInterrupt:
        sys.exit(130)
    print_sweep()


def _run(hydra_main: Callable[[], Any]) -> None:
    if not wants_help(sys.argv[1:]):
        sys.argv[1:] = resumed_arguments(sys.argv[1:])
    sys.argv[1:] = written_out(sys.argv[1:])
    validate_arguments(sys.argv[1:])
    _arrange_arguments()
    if wants_help(sys.argv[1:]):
        print_help(sys.argv[1:])
    else:
        hydra_main()
        _check_sweep_ran()


def _before_the_job(error: Exception) -> str:
    """The sentence for what Hydra stumbles over before it starts the first job: a directory, or a value of its own."""
    if isinstance(error, OSError):
        key = "hydra.sweep.dir" if {"-m", "--multirun"} & set(sys.argv) else "hydra.run.dir"
        return f"no run can be written to {error.filename} ({error.strerror}): choose another {key}=…"
    own = " ".join(word for word in sys.argv[1:] if word.startswith(("hydra", "-"))) or "this command line"
    return (
        f"Hydra cannot run {own} ({(str(error) or type(error).__name__).splitlines()[0]}): correct it, or leave it out"
    )


def exit_with_error(sentence: str, code: int = 2) -> NoReturn:
    """Print what is wrong and exit: with code 2 for a mistake of the user, 1 for a run that failed."""
    print("error: " + ITEM.join(map(visible, sentence.split(ITEM))), file=sys.stderr)
    sys.exit(code)


def print_sweep() -> bool:
    """Print the table of the sweep that has ended; return whether there was one."""
    if Sweep.directory is None or not Sweep.directory.is_dir() or not is_first_process():
        return Sweep.directory is not None
    from imbalance_lab.app.compare import compare_sweep

    compare_sweep(Sweep.directory)
    return True


def _check_sweep_ran() -> None:
    """An error for a sweep over nothing, as in ``loss=glob(none_such)``: Hydra reports success."""
    if Sweep.directory is not None and not any(Sweep.directory.glob("*/")):
        raise UsageError("the sweep has no run: one of its keys has no value (-m KEY=VALUE1,VALUE2)")


def _arrange_arguments() -> None:
    """Move the multirun flag to the front, and insert the overrides of a checkpoint or a recipe before the user's."""
    for flag in {"-m", "--multirun"} & set(sys.argv[2:]):  # argparse accepts no overrides after a flag between them
        sys.argv.remove(flag)
        sys.argv.insert(1, flag)
    given = [word for word in sys.argv[1:] if "=" in word and not word.startswith("-")]
    if any(word.startswith("ckpt_path=") for word in given) and not wants_help(sys.argv[1:]):
        from imbalance_lab.app.checkpoint import inherit_overrides  # here: it needs torch

        flags = [word for word in sys.argv[1:] if word not in given]
        sys.argv[1:] = [*flags, *inherit_overrides(given)]
    if any(word.lstrip("+").startswith("recipe=") for word in given) and not wants_help(sys.argv[1:]):
        from imbalance_lab.app.recipe_words import expand_recipe  # here: it reads the data

        flags = [word for word in sys.argv[1:] if word not in given]
        sys.argv[1:] = [*flags, *expand_recipe(given, extra_config_directories(flags))]
    check_restarts(sys.argv[1:])
    sys.argv[1:] = hydra_overrides(sys.argv[1:])
