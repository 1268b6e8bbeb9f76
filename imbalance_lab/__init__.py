"""Imbalanced classification with numbers one can trust: losses, samplers, metrics, training, review."""

__version__ = "0.1.0"
