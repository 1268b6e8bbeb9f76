"""Optuna says nothing of its own: what is to be known is in our tables."""

import logging
import warnings

import optuna


def quiet() -> None:
    """Let its notes, and its warnings about what is new, not be shown."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
