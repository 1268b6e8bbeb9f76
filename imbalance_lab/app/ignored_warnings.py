"""Warnings and notes of other packages that do not concern users of this program."""

import logging
import warnings

IGNORED_WARNINGS = (
    ".*LeafSpec.*",  # Lightning 2.6 calls torch's pytree by its old way
    "(Experiment logs|Checkpoint) directory .* exists and is not empty",  # it is new, but has a config or a best model
    # It goes by whether a loader stores a state; ours needs none, its order follows from seed and epoch.
    "You're resuming from a checkpoint that ended before the epoch ended",
    "Be aware that when using `ckpt_path`, callbacks used to create the checkpoint",  # testing saves no checkpoints
    ".*could not find the monitored key",  # in epochs without a validation, as asked for
    ".*returned `None`(, this fit will run with no optimizer|. If this was on purpose)",  # of a head fitted at once
    "Found .* in eval mode at the start of training",  # a frozen backbone, as asked for
    # DDP says so of every convolution with one input channel, whose strides are ambiguous.
    "Grad strides do not match bucket view strides",
)


def ignore_warnings() -> None:
    """Let them not be shown."""
    for message in IGNORED_WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # no notes about hardware
