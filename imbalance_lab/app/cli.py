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

from imbalance_lab.app.distributed import hydra_overrides, is_first_process
from imbalance_lab.app.help import print_help, wants_help
from imbalance_lab.app.messages import format_error
from imbalance_lab.errors import UsageError
from imbalance_lab.termination import STOP, Terminated
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
        with STOP.handled(restore=False):
            _arrange_arguments()
            print_help(sys.argv[1:]) if wants_help(sys.argv[1:]) else hydra_main()
    except (UsageError, HydraException, OmegaConfBaseException, ValueError) as error:
        sentence = format_error(error)
        if wants_traceback or sentence is None:
            raise
        is_sweep = print_sweep()
        exit_with_error(sentence, code=1 if is_sweep else 2)
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        exit_with_error("torch and torchvision come from different sources: reinstall both from the same one")
    except Terminated:
        print_sweep()
        raise
    except KeyboardInterrupt:
        sys.exit(130)
    print_sweep()


def exit_with_error(sentence: str, code: int = 2) -> NoReturn:
    """Print what is wrong and exit: with code 2 for a mistake of the user, 1 for a run that failed."""
    print(f"error: {visible(sentence)}", file=sys.stderr)
    sys.exit(code)


def print_sweep() -> bool:
    """Print the table of the sweep that has ended; return whether there was one."""
    if Sweep.directory is None or not Sweep.directory.is_dir() or not is_first_process():
        return Sweep.directory is not None
    from imbalance_lab.app.compare import compare_sweep

    compare_sweep(Sweep.directory)
    return True


def _arrange_arguments() -> None:
    """Move the multirun flag to the front, and insert the overrides of a tested checkpoint before the user's."""
    for flag in {"-m", "--multirun"} & set(sys.argv[2:]):  # argparse accepts no overrides after a flag between them
        sys.argv.remove(flag)
        sys.argv.insert(1, flag)
    given = [word for word in sys.argv[1:] if "=" in word and not word.startswith("-")]
    if any(word.startswith("ckpt_path=") for word in given) and not wants_help(sys.argv[1:]):
        from imbalance_lab.app.checkpoint import inherit_overrides  # here: it needs torch

        flags = [word for word in sys.argv[1:] if word not in given]
        sys.argv[1:] = [*flags, *inherit_overrides(given)]
    sys.argv[1:] = hydra_overrides(sys.argv[1:])
