"""Whether the disk has room for what a run will write."""

from typing import Any

from imbalance_lab.app.instantiate import Experiment
from imbalance_lab.checkpoint_file import content_size
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.files import free_space, readable_size

COPIES = 3
"""The best and the last checkpoint, and the one being written."""


def check_disk(directory: RunDirectory, experiment: Experiment) -> None:
    """Raise an error, before training, if the checkpoints and predictions will not fit on the disk.

    Raises:
        UsageError: with the space that is needed and the space that is free.
    """
    needed = COPIES * _checkpoint_size(experiment) + _predictions_size(experiment)
    free = free_space(directory.path)
    if free < needed:
        raise UsageError(
            f"{directory.path}: the checkpoints and predictions of this run need about {readable_size(needed)}, and "
            f"{readable_size(free)} are free: free some space, or choose another place with hydra.run.dir=…"
        )


def _checkpoint_size(experiment: Experiment) -> int:
    """Weights and optimizer state, which a step with gradients of zero would create: at most two values a weight."""
    modules: Any = (experiment.backbone, experiment.head, experiment.loss, experiment.splits.prepare)
    weights = sum(content_size(module.state_dict()) for module in modules)
    trained = sum(content_size(list(module.parameters())) for module in modules)
    return weights + 2 * trained


def _predictions_size(experiment: Experiment) -> int:
    parts = experiment.splits.parts
    predicted = sum(len(source) for split, source in parts.items() if split != "train")
    # Of each example of two models, before compression: index, source and class; logits; for one model probabilities.
    return predicted * (2 * 64 + (2 * 4 + 8) * experiment.task.num_classes)
