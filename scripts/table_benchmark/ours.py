"""Our run: composed, trained and evaluated as ``python train.py`` does, scored from the predictions that it stores."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from measurements.program import finished_run

from imbalance_lab.errors import UsageError
from imbalance_lab.posthoc.activation import probabilities
from imbalance_lab.text import override
from table_benchmark.measure import Plan, Targets
from table_benchmark.peers import Pair
from table_benchmark.splits import write_table

PREFIX = "ours: "


@dataclass(frozen=True)
class Variant:
    """Overrides of the command line under a name; "default" has none."""

    name: str
    overrides: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Variant":
        """``NAME=OVERRIDES`` with the overrides as in a shell.

        Raises:
            UsageError: if there is no name.
        """
        name, _, overrides = text.partition("=")
        if not name.strip():
            raise UsageError(f"--ours {text!r} has no name: write NAME=OVERRIDES, as in 'tabm=backbone=tabm'")
        return cls(name.strip(), tuple(shlex.split(overrides)))

    @property
    def method(self) -> str:
        """Its name among the methods."""
        return f"{PREFIX}{self.name}"


def measure_ours(plan: Plan, variants: Sequence[Variant], version: str) -> list[str]:
    """All runs that are due; one sentence for each that failed."""
    failed = []
    for variant in variants:
        for source, split_seed, seed in plan.jobs(variant.method, version, is_random=True):
            path = write_table(source, split_seed, plan.cache)

            def fit(variant: Variant = variant, path: Path = path, seed: int = seed) -> tuple[Pair, Targets]:
                return run_variant(variant, path, seed)

            try:
                plan.measure(source, split_seed, seed, variant.method, version, fit)
            except Exception as error:
                failed.append(f"{source.name}, split {split_seed}, seed {seed}, {variant.method}: {error}")
                print(failed[-1], flush=True)
    return failed


def run_variant(variant: Variant, path: Path, seed: int) -> tuple[Pair, Targets]:
    """Train on the rows "train" of a table and give the stored predictions of the others, with their targets.

    Raises:
        ValueError: if the predictions are not of the rows that the table's column says.
    """
    overrides = [
        "data=table",
        override("data.path", str(path)),
        "data.target=class",
        "data.split=split",
        f"seed={seed}",
        "logger=none",
        *variant.overrides,
    ]
    if not any(word.startswith("baselines=") for word in overrides):
        overrides.append("baselines=false")  # they are measured apart, and change no prediction
    with finished_run(overrides) as directory:
        stored = {split: directory.read_predictions(split) for split in ("val", "test")}
    rows = pd.read_csv(path, usecols=["split"])["split"].value_counts()
    for split, predictions in stored.items():
        if len(predictions.target) != rows[split]:
            raise ValueError(f"{len(predictions.target)} predictions for {rows[split]} rows of {split}")
    val, test = (probabilities(stored[split].logits.astype("float64"), "softmax") for split in ("val", "test"))
    return (val, test), {split: each.target for split, each in stored.items()}
