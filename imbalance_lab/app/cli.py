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

from imbalance_lab.app.help import print_help, wants_help
from imbalance_lab.app.messages import format_error
from imbalance_lab.errors import UsageError
from imbalance_lab.text import visible

PLAIN_ERRORS = "IMBALANCE_LAB_PLAIN_ERRORS"


class Sweep(Callback):
    """Remembers where a multirun writes, so that its table can be printed even if a run failed."""

    directory: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run."""
        Sweep.directory = Path(config.hydra.sweep.dir).absolute()


def run_cli(hydra_main: Callable[[], Any]) -> None:
    """Run a ``hydra.main`` function and exit: 0, 2 with one sentence for a mistake, or with a traceback for a bug.

    With HYDRA_FULL_ERROR=1 in the environment every error comes with its traceback.
    """
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1" and PLAIN_ERRORS not in os.environ
    if not wants_traceback:
        # With this, Hydra raises exceptions instead of printing them. DDP processes inherit both variables.
        os.environ |= {"HYDRA_FULL_ERROR": "1", PLAIN_ERRORS: "1"}
    try:
        _arrange_arguments()
        if wants_help(sys.argv[1:]):
            print_help(sys.argv[1:])
        else:
            hydra_main()
    except (UsageError, HydraException, OmegaConfBaseException, ValueError) as error:
        sentence = format_error(error)
        if wants_traceback or sentence is None:
            raise
        print_sweep()
        exit_with_error(sentence)
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        exit_with_error("torch and torchvision come from different sources: reinstall both from the same one")
    except KeyboardInterrupt:
        sys.exit(130)
    print_sweep()


def exit_with_error(sentence: str) -> NoReturn:
    """Print what is wrong and exit with code 2."""
    print(f"error: {visible(sentence)}", file=sys.stderr)
    sys.exit(2)


def print_sweep() -> None:
    """Print the table of the sweep that has ended, if there was one."""
    if Sweep.directory is None or not Sweep.directory.is_dir():
        return
    from imbalance_lab.app.compare import compare_sweep

    compare_sweep(Sweep.directory)


def _arrange_arguments() -> None:
    """Move the multirun flag to the front, and insert the overrides of a tested checkpoint before the user's."""
    for flag in {"-m", "--multirun"} & set(sys.argv[2:]):  # argparse accepts no overrides after a flag between them
        sys.argv.remove(flag)
        sys.argv.insert(1, flag)
    given = [word for word in sys.argv[1:] if "=" in word and not word.startswith("-")]
    if "fit=false" in (word.lower() for word in given) and any(word.startswith("ckpt_path=") for word in given):
        from imbalance_lab.app.checkpoint import stored_overrides  # here: it needs torch

        sys.argv[1:] = [*sys.argv[1:], *stored_overrides(given)]
