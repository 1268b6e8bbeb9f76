"""Imports what every run needs, some of it only in the course of a run: for the processes of a parallel sweep."""

from importlib import import_module

NAMES = (
    *("torch._dynamo", "torch.utils.tensorboard", "lightning.pytorch"),  # the first optimizer imports the first
    *("hydra_plugins.hydra_joblib_launcher._core", "imbalance_lab.app.job", "imbalance_lab.app.session"),
    *("imbalance_lab.app.evaluate", "imbalance_lab.app.validate_data", "imbalance_lab.app.print_results"),
    *("imbalance_lab.training.callbacks", "imbalance_lab.training.classifier", "imbalance_lab.training.datamodule"),
    *("imbalance_lab.training.loggers", "imbalance_lab.training.strategies"),
)

for name in NAMES:
    import_module(name)
