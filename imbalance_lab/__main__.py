"""``python -m imbalance_lab``: the program ``imbalance-lab``."""

from imbalance_lab.app.program import main

if __name__ == "__main__":
    main()
