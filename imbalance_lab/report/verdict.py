"""Whether the rare classes are found, in sentences that claim no more than the intervals do."""

from collections.abc import Sequence

from imbalance_lab.evaluation.evaluation import ClassScores, Evaluation
from imbalance_lab.evaluation.rare_classes import RareClasses
from imbalance_lab.report.terminal import interval

MAX_NAMES = 5


def verdict(test: Evaluation, rare: RareClasses) -> list[str]:
    """Sentences: which rare classes are found, missed or inconclusive, and how well all classes are ranked.

    A class is found if its recall is above ½ with 95 % confidence, missed if below. In a multilabel task the lowest
    precision is reported too: a label predicted for every example would count as found.
    """
    sentences = [_findings(rare)]
    if rare.lowest_recall is not None:
        lowest = rare.lowest_recall
        sentences.append(f"The worst of them is {_names([lowest])} with recall {interval(lowest.recall)}.")
    if test.predictions.task.is_multilabel and rare.lowest_precision is not None:
        lowest = rare.lowest_precision
        sentences.append(f"Precision for {_names([lowest])}: {interval(lowest.precision)}.")
    if rare.untested and rare.tested:
        sentences.append(f"No test example: {_names(rare.untested)}.")
    if rare.missed_common:
        sentences.append(f"Not rare, but missed: {_names(rare.missed_common)}.")
    sentences.append(f"Macro AUROC is {interval(test.macro_auroc)}.")
    return sentences


def _findings(rare: RareClasses) -> str:
    n, found = len(rare.tested), len(rare.found)
    if not n:
        return f"Whether the {rare.criterion} are found is inconclusive: none has a test example."
    if n == 1:
        return _finding(rare)
    if found == n:
        every = "Both" if n == 2 else f"All {n}"
        return f"{every} {rare.criterion} are found: the recall of each is above ½ with 95 % confidence."
    parts = [f"{found} of {n} {rare.criterion} {_is(found)} found"]
    parts += [f"{_names(rare.missed)} {_is(len(rare.missed))} missed"] if rare.missed else []
    parts += [f"{_names(rare.inconclusive)}: inconclusive"] if rare.inconclusive else []
    return "; ".join(parts) + " (recall above or below ½ with 95 % confidence)."


def _finding(rare: RareClasses) -> str:
    """The sentence on a single rare class."""
    name = _names(rare.tested)
    if rare.inconclusive:
        return f"The rarest class, {name}: inconclusive, its recall may be above or below ½."
    state, side = ("found", "above") if rare.found else ("missed", "below")
    return f"The rarest class, {name}, is {state}: its recall is {side} ½ with 95 % confidence."


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _names(classes: Sequence[ClassScores]) -> str:
    names = [each.name or "(no name)" for each in classes[:MAX_NAMES]]
    if len(classes) > len(names):
        names.append(f"{len(classes) - len(names)} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
