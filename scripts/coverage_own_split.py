"""Why prediction sets need a split of their own: a rare class's coverage, calibrated on validation or apart from it.

    python scripts/coverage_own_split.py

scikit-learn's digits with 8 training examples of the digit 8 and 40 of the others, and 9 of each in validation and in
the calibration split; a small net, the best of 30 epochs on validation, bias-corrected calibration on validation, sets
that promise 90 %. Each simulation splits anew. "±" are two standard errors of the mean over the simulations.
"""

import argparse

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch.nn import functional as F

from imbalance_lab.posthoc import (
    BiasCorrectedScaling,
    ClassConditionalConformal,
    MaxF1,
    fit_postprocessor,
    fit_prediction_sets,
)

RARE, CLASSES = 8, 10
HELD_OUT = 9
"""Examples of each class in validation, and in the calibration split: the fewest with which 90 % can be promised."""

Parts = dict[str, NDArray[np.int64]]
Logits = dict[str, NDArray[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    options = parser.parse_args()
    images, digits = load_digits(return_X_y=True)
    inputs = ((images - images.mean(0)) / (images.std(0) + 1e-3)).astype(np.float32)
    found = np.array([simulate(inputs, digits, seed) for seed in range(options.simulations)])
    mean, error = found.mean(0), 2 * found.std(0, ddof=1) / np.sqrt(len(found))
    print("| quantiles from | rare class | mean over classes | set size |\n| --- | --- | --- | --- |")
    for row, name in enumerate(("validation", "own split")):
        rare, every, size = ((mean[3 * row + each], error[3 * row + each]) for each in range(3))
        print(f"| {name} | {rare[0]:.1%} ± {rare[1]:.1%} | {every[0]:.1%} ± {every[1]:.1%} | {size[0]:.2f} |")


def simulate(inputs: NDArray[np.float32], digits: NDArray[np.int64], seed: int) -> list[float]:
    """Coverage of the rare class, mean coverage and mean set size on test: calibrated on validation, and apart."""
    parts = split(digits, seed)
    logits = best_epoch(inputs, digits, parts, seed)
    test = digits[parts["test"]]
    names = [str(digit) for digit in range(CLASSES)]
    postprocessor = fit_postprocessor(
        logits["val"], digits[parts["val"]], names, MaxF1(), train_prior=None, calibration=BiasCorrectedScaling()
    )
    row: list[float] = []
    for name in ("val", "calibration"):
        method = ClassConditionalConformal(0.1)
        sets = fit_prediction_sets(postprocessor, method, logits[name], digits[parts[name]]).sets(logits["test"])
        coverage = [sets[test == c, c].mean() for c in range(CLASSES)]
        row += [coverage[RARE], float(np.mean(coverage)), sets.sum(1).mean()]
    return row


def split(digits: NDArray[np.int64], seed: int) -> Parts:
    rng = np.random.default_rng(seed)
    parts: dict[str, list[NDArray[np.int64]]] = {"train": [], "val": [], "calibration": [], "test": []}
    for digit in range(CLASSES):
        shuffled = rng.permutation(np.flatnonzero(digits == digit))
        sizes = [8 if digit == RARE else 40, HELD_OUT, HELD_OUT]
        for name, members in zip(parts, np.split(shuffled, np.cumsum(sizes)), strict=True):
            parts[name].append(members)
    return {name: np.concatenate(members) for name, members in parts.items()}


def best_epoch(inputs: NDArray[np.float32], digits: NDArray[np.int64], parts: Parts, seed: int) -> Logits:
    """The logits of the epoch with the best balanced accuracy on validation."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, CLASSES))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    examples, targets = torch.tensor(inputs[parts["train"]]), torch.tensor(digits[parts["train"]])
    target, best, kept = digits[parts["val"]], -1.0, {}
    for _ in range(30):
        for batch in torch.randperm(len(targets)).split(32):  # type: ignore[no-untyped-call]
            optimizer.zero_grad()
            F.cross_entropy(net(examples[batch]), targets[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            logits = {name: net(torch.tensor(inputs[at])).numpy() for name, at in parts.items() if name != "train"}
        predicted = logits["val"].argmax(1)
        score = float(np.mean([(predicted[target == c] == c).mean() for c in range(CLASSES)]))
        if score > best:
            best, kept = score, logits
    return kept


if __name__ == "__main__":
    main()
