"""The pruner's side of a run, which may be in another process than the search: they meet in its storage."""

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.stored_files import read_json, reading

if TYPE_CHECKING:
    from optuna.trial import Trial

    from imbalance_lab.training.callbacks import Pruning


def build_pruning(directory: RunDirectory, monitor: str) -> "Pruning | None":
    """What reports the epochs of a run to the study that it is a trial of; None for a run without a pruner.

    Raises:
        UsageError: if the file that names the study is damaged.
    """
    if not directory.trial.is_file():
        return None
    from imbalance_lab.training.callbacks import Pruning

    with reading(directory.trial, "run the search again with the same command, which writes it anew"):
        content = read_json(directory.trial)
    return Pruning(monitor, reporter(content))


def reporter(content: dict[str, Any]) -> Callable[[int, float], bool]:
    """Report to the trial that the file of a run names; a storage that does not answer stops no training."""
    from optuna.exceptions import UpdateFinishedTrialError

    from imbalance_lab.app.search.shared_study import storage_errors

    @cache
    def trial() -> "Trial":
        return _find_trial(content)

    def report(epoch: int, score: float) -> bool:
        try:
            with storage_errors(content["storage"]):
                if epoch not in trial().study.trials[content["number"]].intermediate_values:
                    trial().report(score, epoch)
                return trial().should_prune()
        except UpdateFinishedTrialError:
            return False  # another process has taken it for dead, and gone on with it
        except UsageError as error:
            print(f"warning: epoch {epoch} is not reported to the search: {error}", file=sys.stderr)
            return False

    return report


def _find_trial(content: dict[str, Any]) -> "Trial":
    import optuna

    from imbalance_lab.app.search.options import build_part
    from imbalance_lab.app.search.quiet import quiet
    from imbalance_lab.app.search.shared_study import open_storage

    quiet()
    pruner: Any = build_part("sweep.pruner", content["pruner"], optuna.pruners.BasePruner, content["allow"], {})
    storage = open_storage(content["storage"])
    study = optuna.load_study(
        study_name=content["study"], storage=storage, sampler=optuna.samplers.RandomSampler(), pruner=pruner
    )
    found = next(each for each in study.get_trials(deepcopy=False) if each.number == content["number"])
    return optuna.trial.Trial(study, found._trial_id)
