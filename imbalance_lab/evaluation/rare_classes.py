"""Whether the rare classes are found: each one's recall against ½, with 95 % confidence."""

from dataclasses import dataclass

from imbalance_lab.class_counts import shot_group
from imbalance_lab.evaluation.operating_point import ClassDecision, OperatingPoint
from imbalance_lab.evaluation.scores import Score


@dataclass(frozen=True)
class RareClasses:
    """The rare classes of a split by what their recall says, and the common ones that are missed.

    Args:
        criterion: which classes are rare, as a plural noun.
        found, missed: recall above or below ½ with 95 % confidence.
        inconclusive: neither.
        untested: without a test example.
        undecided: without a threshold, where thresholds decide.
        missed_common: classes that are not rare, with recall below ½.
    """

    criterion: str
    found: tuple[ClassDecision, ...]
    missed: tuple[ClassDecision, ...]
    inconclusive: tuple[ClassDecision, ...]
    untested: tuple[ClassDecision, ...]
    undecided: tuple[ClassDecision, ...]
    missed_common: tuple[ClassDecision, ...]

    @property
    def tested(self) -> tuple[ClassDecision, ...]:
        """Those with a test example and a decision."""
        return self.found + self.missed + self.inconclusive

    @property
    def n(self) -> int:
        """All rare classes."""
        return len(self.tested) + len(self.untested) + len(self.undecided)

    @property
    def worst(self) -> tuple[ClassDecision, ...]:
        """The tested ones that are not found, those with the lowest recall first, of equal ones the rarest."""
        return tuple(sorted(self.missed + self.inconclusive, key=_badness))

    @property
    def lowest_recall(self) -> tuple[ClassDecision, ...]:
        """All tested ones in that order."""
        return tuple(sorted(self.tested, key=_badness))

    @property
    def lowest_precision(self) -> ClassDecision | None:
        """The class with the lowest precision among those that are flagged at least once."""
        flagged = [each for each in self.tested if each.on_test and each.on_test.flagged]
        return min(flagged, key=lambda each: each.on_test.precision.value if each.on_test else 1.0, default=None)


def find_rare_classes(point: OperatingPoint) -> RareClasses:
    """Group the rare classes on test, those with few training examples, or else the rarest third.

    Of a binary task it is the positive class, which may be the more common one.
    """
    rare, criterion = _rare(point)
    tested = [each for each in rare if each.on_test and each.on_test.n_positive]
    indices = {each.class_index for each in rare}
    common = [each for each in point.decisions if each.class_index not in indices]
    return RareClasses(
        criterion=criterion,
        found=tuple(filter(_is_found, tested)),
        missed=tuple(filter(_is_missed, tested)),
        inconclusive=tuple(each for each in tested if not _is_found(each) and not _is_missed(each)),
        untested=tuple(each for each in rare if each.on_test and not each.on_test.n_positive),
        undecided=tuple(each for each in rare if each.on_test is None),
        missed_common=tuple(filter(_is_missed, common)),
    )


def _rare(point: OperatingPoint) -> tuple[list[ClassDecision], str]:
    if point.binary is not None:
        return [point.binary], "positive classes"
    few = [each for each in point.decisions if shot_group(each.train_count, point.limits) == "few"]
    if few:
        return few, f"classes with fewer than {point.limits.few} training examples"
    third = max(1, len(point.decisions) // 3)
    return sorted(point.decisions, key=lambda each: each.train_count)[:third], "rarest classes"


def _badness(decision: ClassDecision) -> tuple[float, int]:
    return _recall(decision).value, decision.train_count


def _recall(decision: ClassDecision) -> Score:
    return Score(float("nan")) if decision.on_test is None else decision.on_test.recall


def _is_found(decision: ClassDecision) -> bool:
    interval = _recall(decision).interval
    return interval is not None and interval[0] > 0.5


def _is_missed(decision: ClassDecision) -> bool:
    interval = _recall(decision).interval
    return interval is not None and interval[1] < 0.5
