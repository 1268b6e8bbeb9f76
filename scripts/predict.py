"""Apply a trained model: ``python scripts/predict.py RUN INPUT -o OUT`` is ``imbalance-lab predict …``."""

import sys

from imbalance_lab.app.program import main

if __name__ == "__main__":
    main(["predict", *sys.argv[1:]])
