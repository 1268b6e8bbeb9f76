"""Reproduce the measurements of the documentation: ``python scripts/reproduce.py tables`` (``--help`` lists all)."""

import argparse
import sys

from image_benchmark import command as images
from table_benchmark import command as tables

from imbalance_lab.errors import UsageError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    studies = parser.add_subparsers(required=True, metavar="STUDY")
    tables.add_parser(studies)
    images.add_parsers(studies)
    options = parser.parse_args()
    try:
        options.run(options)
    except UsageError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
