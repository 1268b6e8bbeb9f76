"""Imbalanced classification: losses, samplers, metrics, training and evaluation for rare classes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imbalance_lab.deployment.sklearn_classifier import TrainedClassifier
    from imbalance_lab.model import Model, load_model

__all__ = ["Model", "TrainedClassifier", "load_model"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import on first use: ``--help`` and a misspelled key must not wait for torch."""
    if name == "TrainedClassifier":
        from imbalance_lab.deployment import sklearn_classifier

        return sklearn_classifier.TrainedClassifier
    if name in __all__:
        from imbalance_lab import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
