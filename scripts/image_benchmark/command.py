"""Measure the methods on a set of images, then write docs/results.md.

    python scripts/reproduce.py fashion_mnist_lt                       # all of it: many hours on one core
    python scripts/reproduce.py fashion_mnist_lt --only page           # the page of the results that are there
    python scripts/reproduce.py fashion_mnist_lt --defaults            # without the tuned variants
    python scripts/reproduce.py fashion_mnist_lt --method LDAM --method focal

What is in the file of results, docs/measured/STUDY.jsonl, is not run again: stop it whenever you like and go on later.
Processes that run at the same time need a file each: ``--results MINE.jsonl OTHERS.jsonl``.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from measurements.command_line import check_names, code_version, write_page
from measurements.json_lines import read_lines

from image_benchmark.measure import Plan, measure
from image_benchmark.page import page_text
from image_benchmark.results import ImageResult
from image_benchmark.studies import STUDIES
from imbalance_lab.errors import UsageError

MEASURED = Path("docs/measured")
"""The results behind the page, a file for each study."""


def add_parsers(studies: Any) -> None:
    """Add a subcommand for each study."""
    for name, sets in STUDIES.items():
        parser = studies.add_parser(
            name,
            help=sets[0].title,
            description=__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add = parser.add_argument
        add("--only", choices=["measure", "page"], help="one step alone")
        add("--set", action="append", default=[], help="this set of the study; may be repeated")
        add("--method", action="append", default=[], help="this method; may be repeated")
        add("--defaults", action="store_true", help="the papers' defaults alone, no tuned variants")
        add("--seeds", type=int, default=5, help="subsets and trainings of each method")
        add("--minutes", type=float, default=float("inf"), help="begin no run after this time")
        results = [MEASURED / f"{name}.jsonl"]
        add("--results", type=Path, nargs="+", default=results, help="files of the results; the first is added to")
        add("--predictions", type=Path, default=Path("runs/images/predictions"), help="folder of the predictions")
        add("--page", type=Path, default=Path("docs/results.md"), help="the page to write")
        parser.set_defaults(run=run, study=name)


def run(options: argparse.Namespace) -> None:
    """Do what the command line says.

    Raises:
        UsageError: for an unknown set or method, without results to show, or if runs failed.
    """
    torch.set_num_threads(1)
    sets = STUDIES[options.study]
    check_names("set", options.set, [each.name for each in sets])
    check_names("method", options.method, {method.name: 0 for each in sets for method in each.methods})
    failed: list[str] = []
    if options.only != "page":
        plan = Plan(
            [each for each in sets if not options.set or each.name in options.set],
            options.method,
            range(options.seeds),
            not options.defaults,
            options.results,
            options.predictions,
            code_version(),
            time.monotonic() + 60 * options.minutes,
        )
        failed = measure(plan)
    if options.only != "measure":
        others = [MEASURED / f"{name}.jsonl" for name in STUDIES if name != options.study]
        measured = read_lines([*options.results, *others], ImageResult)
        if not measured:
            raise UsageError(f"{options.results[0]} holds no result: measure first")
        write_page(options.page, page_text(measured))
    if failed:
        raise UsageError(f"{len(failed)} runs failed, the first: {failed[0]}")
