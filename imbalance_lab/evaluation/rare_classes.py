"""Whether the rare classes are found: each one's recall against ½, with 95 % confidence."""

from dataclasses import dataclass

from imbalance_lab.class_counts import FEW
from imbalance_lab.evaluation.evaluation import ClassScores, Evaluation


@dataclass(frozen=True)
class RareClasses:
    """The rare classes of a split by what their recall says, and the common ones that are missed.

    Args:
        criterion: which classes are rare, as a plural noun.
        found, missed: recall above or below ½ with 95 % confidence.
        inconclusive: neither.
        untested: without a test example.
        missed_common: classes that are not rare, with recall below ½.
    """

    criterion: str
    found: tuple[ClassScores, ...]
    missed: tuple[ClassScores, ...]
    inconclusive: tuple[ClassScores, ...]
    untested: tuple[ClassScores, ...]
    missed_common: tuple[ClassScores, ...]

    @property
    def tested(self) -> tuple[ClassScores, ...]:
        """Those with a test example."""
        return self.found + self.missed + self.inconclusive

    @property
    def lowest_recall(self) -> ClassScores | None:
        """The tested class with the lowest recall."""
        return min(self.tested, key=lambda each: each.recall.value, default=None)

    @property
    def lowest_precision(self) -> ClassScores | None:
        """The class with the lowest precision among those that were predicted at least once."""
        predicted = [each for each in self.tested if each.precision.interval]
        return min(predicted, key=lambda each: each.precision.value, default=None)


def find_rare_classes(test: Evaluation) -> RareClasses:
    """Group the rare classes of a split: those with few training examples, or else the rarest third."""
    rare, criterion = _rare(test)
    tested = [each for each in rare if each.n_positive]
    found, missed = filter(_is_found, tested), filter(_is_missed, tested)
    common = [each for each in test.classes if each not in rare]
    return RareClasses(
        criterion=criterion,
        found=tuple(found),
        missed=tuple(missed),
        inconclusive=tuple(each for each in tested if not _is_found(each) and not _is_missed(each)),
        untested=tuple(each for each in rare if not each.n_positive),
        missed_common=tuple(filter(_is_missed, common)),
    )


def _rare(test: Evaluation) -> tuple[list[ClassScores], str]:
    few = [each for each in test.classes if each.group == "few"]
    if few:
        return few, f"classes with fewer than {FEW} training examples"
    third = max(1, len(test.classes) // 3)
    return sorted(test.classes, key=lambda each: each.train_count)[:third], "rarest classes"


def _is_found(scores: ClassScores) -> bool:
    return scores.recall.interval is not None and scores.recall.interval[0] > 0.5


def _is_missed(scores: ClassScores) -> bool:
    return scores.recall.interval is not None and scores.recall.interval[1] < 0.5
