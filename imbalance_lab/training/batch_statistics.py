"""Batch normalization in training needs two examples in every batch of every process: checked before the first step."""

import math
from collections.abc import Iterable

from torch import nn

from imbalance_lab.errors import UsageError
from imbalance_lab.samplers.distributed_epoch_batch import smallest_share


def check_batch_statistics(
    modules: Iterable[nn.Module], length: int, batch_size: int, *, world_size: int = 1, synced: bool = False
) -> None:
    """Raise an error if a module would normalize over a single example.

    With one example mean and deviation are its own: features of one number are all zero, which torch refuses, and the
    running statistics that evaluation uses are useless.

    Args:
        modules: of the model, in training mode; a frozen one is in evaluation mode and uses its own statistics.
        length: training examples of an epoch.
        batch_size: over all processes.
        world_size: the number of processes.
        synced: whether the processes normalize together, ``trainer.sync_batchnorm``.

    Raises:
        UsageError: naming the module, the batch size and the remedy.
    """
    sharing = 1 if synced else world_size
    if not length or smallest_share(length, batch_size, sharing) >= 2:
        return
    for module in modules:
        if any(isinstance(each, nn.modules.batchnorm._BatchNorm) and each.training for each in module.modules()):
            among = f" for some of {sharing} processes" if sharing > 1 else ""
            raise UsageError(
                f"batch_size={batch_size} makes batches of one example{among}, but {type(module).__name__} has batch "
                f"normalization, which needs two: {_remedy(length, sharing)}"
            )


def _remedy(length: int, sharing: int) -> str:
    if length < 2 * sharing:
        have = "1 training example is" if length == 1 else f"{length:,} training examples are"
        return f"{have} too few, add some" + " or use fewer processes" * (sharing > 1)
    enough = math.ceil(length / (length // (2 * sharing)))
    return f"choose batch_size ≥ {enough}" + (", or trainer.sync_batchnorm=true on GPUs" if sharing > 1 else "")
