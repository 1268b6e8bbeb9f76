"""One key of a search: which values it may have, and how Hydra writes each of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep, Transformer
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from imbalance_lab.errors import UsageError
from imbalance_lab.validation import did_you_mean

TAGS = ("log",)
"""What ``tag(…, interval(…))`` may say."""


@dataclass(frozen=True)
class Dimension:
    """A key that a search varies.

    Args:
        key: as the command line has it, with a leading + if it is added.
        given: the whole value, as ``interval(0,5)``.
        distribution: of its values.
        words: of a range: the text of each of its values.
    """

    key: str
    given: str
    distribution: BaseDistribution
    words: Sequence[str] = ()

    def suggest(self, trial: Trial) -> str:
        """Ask for a value, and return it as the command line takes it."""
        which = self.distribution
        if isinstance(which, FloatDistribution):
            return self._text(trial.suggest_float(self.key, which.low, which.high, step=which.step, log=which.log))
        if isinstance(which, IntDistribution):
            return self._text(trial.suggest_int(self.key, which.low, which.high, step=which.step, log=which.log))
        assert isinstance(which, CategoricalDistribution)
        return str(trial.suggest_categorical(self.key, which.choices))

    def _text(self, value: float) -> str:
        """A number as Hydra reads it back without a change; of a range the nearest of its own."""
        return min(self.words, key=lambda word: abs(float(word) - value)) if self.words else repr(value)


def dimension_of(override: Override) -> Dimension:
    """The values that a swept override describes.

    Raises:
        UsageError: naming the override, for bounds or tags that make no sense.
    """
    key, given, value = override.get_key_element(), str(override.input_line).partition("=")[2], override.value()
    tags: set[str] = getattr(value, "tags", set())
    for tag in sorted(tags - set(TAGS)):
        raise UsageError(f"{key}={given}: the tag {tag} says nothing{did_you_mean(tag, TAGS)}; there is log alone")
    log = "log" in tags
    if isinstance(value, IntervalSweep):
        return Dimension(key, given, _interval(key, given, value, log=log))
    texts = [str(text) for text in override.sweep_iterator(transformer=Transformer.encode)]
    if not texts:
        raise UsageError(f"{key}={given} has no value: widen the range")
    if isinstance(value, RangeSweep):
        return _range(key, given, value, texts, log=log)
    if log:
        raise UsageError(f"{key}={given}: a choice has no scale: leave out tag(log,…)")
    return Dimension(key, given, CategoricalDistribution(list(dict.fromkeys(texts))))


def _interval(key: str, given: str, value: Any, *, log: bool) -> BaseDistribution:
    low, high = value.start, value.end
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise UsageError(f"{key}={given}: an interval needs two finite ends, the lower one first")
    is_integer = isinstance(low, int) and isinstance(high, int)
    if log and low < (1 if is_integer else math.ulp(0)):
        raise UsageError(f"{key}={given}: on a logarithmic scale the lower end must be above 0, got {low:g}")
    return IntDistribution(low, high, log=log) if is_integer else FloatDistribution(float(low), float(high), log=log)


def _range(key: str, given: str, value: RangeSweep, texts: list[str], *, log: bool) -> Dimension:
    """Of a range: numbers in steps, whose order the sampler knows."""
    if log:
        raise UsageError(f"{key}={given}: a range has equal steps: write tag(log,interval(…)), or leave out the tag")
    texts = sorted(texts, key=float)
    if all(text.lstrip("+-").isdigit() for text in texts):
        step = (int(texts[-1]) - int(texts[0])) // max(len(texts) - 1, 1) or 1
        return Dimension(key, given, IntDistribution(int(texts[0]), int(texts[-1]), step=step), texts)
    low, step_size = Decimal(texts[0]), Decimal(repr(abs(float(value.step))))  # the steps of binary numbers add up
    high = low + step_size * (len(texts) - 1)
    return Dimension(key, given, FloatDistribution(float(low), float(high), step=float(step_size)), texts)
