"""Everything that is known about a file without labels: its class shares, tests for shift, and the thresholds there.

The page, the table and ``watch.json`` only select and format.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from imbalance_lab.evaluation.column_changes import ColumnChange
from imbalance_lab.evaluation.scores import FEW_POSITIVES, Score
from imbalance_lab.evaluation.threshold_rates import ThresholdForecast
from imbalance_lab.evaluation.watched_file import WatchedFile
from imbalance_lab.metrics import Interval
from imbalance_lab.shift import ShiftTest


@dataclass(frozen=True)
class ClassShare:
    """The share of one class, known and estimated.

    Args:
        name: of the class.
        train, reference: in the training examples, and in the labelled examples that the new ones are compared with.
        expected: the deployment prior of the run if it has one, otherwise the reference.
        em, bbse: in the new examples, by two methods, with 95 % intervals.
    """

    name: str
    train: float
    reference: float
    expected: float
    em: Score
    bbse: Score

    @property
    def direction(self) -> Literal["risen", "fallen"] | None:
        """On which side of the expected share the interval of EM lies; None if it contains it."""
        low, high = self.em.interval or (0.0, 1.0)
        return "risen" if low > self.expected else "fallen" if high < self.expected else None

    @property
    def ratio(self) -> float:
        """How far the share is from the expected one, as a factor ≥ 1."""
        low, high = sorted((max(self.em.value, 1e-6), max(self.expected, 1e-6)))
        return high / low

    @property
    def estimates_disagree(self) -> bool:
        """Whether the intervals of the two methods have nothing in common."""
        one, two = self.em.interval, self.bbse.interval
        return one is not None and two is not None and _apart(one, two)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "train": self.train,
            "reference": self.reference,
            "expected": self.expected,
            "em": self.em.as_json(),
            "bbse": self.bbse.as_json(),
            "direction": self.direction,
        }


@dataclass(frozen=True)
class Proposal:
    """Thresholds for the estimated class shares.

    Args:
        prior: (C,) class priors that probabilities are to be adjusted to.
        rule: that chose the thresholds, as it chose the stored ones.
        thresholds: (C,), on the adjusted probabilities.
        command: applies them to the file.
    """

    prior: tuple[float, ...]
    rule: str
    thresholds: tuple[ThresholdForecast, ...]
    command: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        thresholds = [each.as_json() for each in self.thresholds]
        return {"prior": list(self.prior), "rule": self.rule, "thresholds": thresholds, "command": self.command}


@dataclass(frozen=True)
class WatchData:
    """What `imbalance-lab watch` found.

    Args:
        run: its directory.
        column: of a table, that had the class in training; empty for other data.
        file: the new examples.
        created: when, ISO 8601.
        seed: of the samples and tests.
        version: of this program.
        n_rows, n_used, n_compared: new examples in all, those that the shares are estimated from, and those that the
            test for other shift compares; random samples where the file is large.
        reference: the split that the new examples are compared with, and ``n_reference`` its examples.
        measured_on: the split on which it was measured what the thresholds do.
        positive: of a binary task, the index of the positive class.
        shares: (C,).
        prior_shift: the test of the class shares.
        other_shift: the test of everything else; the reason where it was skipped.
        changes: the columns of a table, those that differ most first.
        stored: (C,) the run's thresholds.
        proposal: other thresholds, or the reason why none are proposed.
        notes: on the file, a sentence each.
    """

    run: str
    column: str
    file: WatchedFile
    created: str
    seed: int
    version: str
    n_rows: int
    n_used: int
    n_compared: int
    reference: str
    n_reference: int
    measured_on: str
    positive: int | None
    shares: tuple[ClassShare, ...]
    prior_shift: ShiftTest
    other_shift: ShiftTest | str
    changes: tuple[ColumnChange, ...]
    stored: tuple[ThresholdForecast, ...]
    proposal: Proposal | str
    notes: tuple[str, ...] = ()

    @property
    def other_alarm(self) -> bool:
        """Whether more than the class shares has changed; then no number here can be trusted without labels."""
        return not isinstance(self.other_shift, str) and self.other_shift.alarm

    @property
    def alarm(self) -> bool:
        """Whether any test gives the alarm."""
        return self.prior_shift.alarm or self.other_alarm

    @property
    def changed(self) -> list[int]:
        """The classes whose share has changed, by the test and by their interval, the largest factor first."""
        found = [c for c, share in enumerate(self.shares) if self.prior_shift.alarm and share.direction]
        return sorted(found, key=lambda c: -self.shares[c].ratio)

    @property
    def focus(self) -> int | None:
        """The class that the verdict is about: the positive one, or that with the largest change."""
        return self.positive if self.positive is not None else next(iter(self.changed), None)

    def called(self, c: int) -> str:
        """A class in a sentence: its name, of a table with the column, as "1" alone would not say much."""
        name = self.shares[c].name or "(no name)"
        return f"{self.column} = {name}" if self.column else name

    @property
    def rarest(self) -> int:
        """The class with the smallest estimated share."""
        return min(range(len(self.shares)), key=lambda c: self.shares[c].em.value)

    @property
    def labels_needed(self) -> int:
        """Rows to label, drawn at random, so that `FEW_POSITIVES` of the focus or rarest class are expected."""
        share = self.shares[self.rarest if self.focus is None else self.focus].em.value
        return min(self.n_rows, math.ceil(FEW_POSITIVES / max(share, 1e-9)))

    def as_json(self) -> dict[str, Any]:
        """Plain values, the content of ``watch.json``."""
        other = self.other_shift
        return {
            "run": self.run,
            "column": self.column or None,
            "file": self.file.as_json(),
            "created": self.created,
            "seed": self.seed,
            "version": self.version,
            "rows": {"all": self.n_rows, "used": self.n_used, "compared": self.n_compared},
            "reference": {"split": self.reference, "n": self.n_reference},
            "measured_on": self.measured_on,
            "alarm": self.alarm,
            "shares": [each.as_json() for each in self.shares],
            "prior_shift": _test_as_json(self.prior_shift),
            "other_shift": {"skipped": other} if isinstance(other, str) else _test_as_json(other),
            "column_changes": [each.as_json() for each in self.changes],
            "thresholds": [each.as_json() for each in self.stored],
            "proposal": {"refused": self.proposal} if isinstance(self.proposal, str) else self.proposal.as_json(),
            "notes": list(self.notes),
        }


def _test_as_json(test: ShiftTest) -> dict[str, Any]:
    """The result; what explains it is in the shares and the column changes."""
    content = test.as_json()
    return {name: content[name] for name in ("name", "p_value", "level", "alarm", "statistic")}


def _apart(one: Interval, two: Interval) -> bool:
    return one[1] < two[0] or two[1] < one[0]
