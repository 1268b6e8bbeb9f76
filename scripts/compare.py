"""Compare runs: ``python scripts/compare.py RUN …`` is ``imbalance-lab compare RUN …``."""

import sys

from imbalance_lab.app.cli import exit_with_error
from imbalance_lab.app.program import main

if __name__ == "__main__":
    if "--rewrite" in sys.argv:
        exit_with_error("--rewrite is now a command: python -m imbalance_lab evaluate RUN KEY=VALUE …")
    main(["compare", *sys.argv[1:]])
