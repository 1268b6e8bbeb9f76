"""Whether the rare classes are found, in a sentence that claims no more than the intervals do."""

from collections.abc import Sequence

from imbalance_lab.class_counts import FEW
from imbalance_lab.evaluation.evaluation import ClassScores, Evaluation
from imbalance_lab.report.terminal import interval

MOST_NAMED = 5


def verdict(test: Evaluation) -> list[str]:
    """Sentences: which rare classes are found, which are not, which cannot be told; and how well all is ranked.

    A class is found if its recall lies above ½ with 95 % confidence, missed if below. Rare are those with few training
    examples, or, where no class has so few, the rarest third. Of labels the least precise is told too: no other label
    loses by an alarm, so that one raised for everybody finds all.
    """
    rare, called = _rare(test)
    tested = [each for each in rare if each.n_positive]
    found = [each for each in tested if each.recall.interval and each.recall.interval[0] > 0.5]
    missed = [each for each in tested if _is_missed(each)]
    unsure = [each for each in tested if each not in found and each not in missed]
    sentences = []
    if not tested:
        sentences.append(f"Whether the {called} are found cannot be told: none has a test example.")
    elif len(tested) == 1:
        sentences.append(_alone(tested[0], bool(found), bool(missed)))
    elif len(found) == len(tested):
        all_of_them = "Both" if len(found) == 2 else f"All {len(found)}"
        sentences.append(f"{all_of_them} {called} are found: each one's recall is above ½ with 95 % confidence.")
    else:
        told = [f"{len(found)} of {len(tested)} {called} {'is' if len(found) == 1 else 'are'} found"]
        told += [f"{_named(missed)} {'is' if len(missed) == 1 else 'are'} missed"] if missed else []
        told += [f"of {_named(unsure)} it cannot be told"] if unsure else []
        sentences.append("; ".join(told) + " (recall above or below ½ with 95 % confidence).")
    if tested:
        worst = min(tested, key=lambda each: each.recall.value)
        sentences.append(f"The worst of them is {_named([worst])} with recall {interval(worst.recall)}.")
    if test.predictions.is_multilabel and (raised := [each for each in tested if each.precision.interval]):
        least = min(raised, key=lambda each: each.precision.value)
        sentences.append(f"Of the alarms for {_named([least])} a share of {interval(least.precision)} is true.")
    if absent := [each for each in rare if not each.n_positive and tested]:
        sentences.append(f"Of {_named(absent)} there is no test example.")
    if lost := [each for each in test.classes if each not in rare and _is_missed(each)]:
        sentences.append(f"Not rare, but missed: {_named(lost)}.")
    sentences.append(f"Macro AUROC is {interval(test.macro_auroc)}.")
    return sentences


def _alone(scores: ClassScores, is_found: bool, is_missed: bool) -> str:
    name = _named([scores])
    if is_found or is_missed:
        told, side = ("found", "above") if is_found else ("missed", "below")
        return f"The rarest class, {name}, is {told}: its recall is {side} ½ with 95 % confidence."
    return f"Whether the rarest class, {name}, is found cannot be told: its recall may be above ½ or below."


def _is_missed(scores: ClassScores) -> bool:
    return scores.recall.interval is not None and scores.recall.interval[1] < 0.5


def _rare(test: Evaluation) -> tuple[list[ClassScores], str]:
    few = [each for each in test.classes if each.group == "few"]
    if few:
        return few, f"classes with fewer than {FEW} training examples"
    third = max(1, len(test.classes) // 3)
    return sorted(test.classes, key=lambda each: each.train_count)[:third], "rarest classes"


def _named(classes: Sequence[ClassScores]) -> str:
    names = [each.name or "(no name)" for each in classes[:MOST_NAMED]]
    if len(classes) > len(names):
        names.append(f"{len(classes) - len(names)} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
