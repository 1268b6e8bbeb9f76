"""What the results say: means over seeds with Student's t intervals, and paired tests against the two baselines.

Two methods are compared over their common seeds: the differences cancel what a subset has in common. p is that of the
paired t test, with Holm's correction over the methods that are compared with the same baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from image_benchmark.methods import Method
from image_benchmark.results import ImageResult
from image_benchmark.studies import ImageSet
from imbalance_lab.metrics import ReplicateMean, holm, replicate_mean

LOWER_IS_BETTER = ("ece", "log_loss", "brier")
VISIBLE = 5e-4
"""A smaller difference is none: the page prints it as 0.0, and two methods of one ranking differ by rounding."""

Entry = tuple[str, str]
"""A method and its variant."""


@dataclass(frozen=True)
class Compared:
    """A method against a baseline: the mean difference over their common seeds, and p by Holm."""

    difference: ReplicateMean
    p: float

    def is_better(self, score: str) -> bool:
        """Whether it is, at the 5 % level."""
        return self._differs() and (self.difference.mean < 0) == (score in LOWER_IS_BETTER)

    def is_worse(self, score: str) -> bool:
        """Whether it is, at the 5 % level."""
        return self._differs() and not self.is_better(score)

    def _differs(self) -> bool:
        return self.p < 0.05 and abs(self.difference.mean) >= VISIBLE


def by_seed(results: Sequence[ImageResult], method: str, variant: str, score: str) -> dict[int, float]:
    """The test score of a method by seed, where it is defined."""
    found = {r.seed: r.test.get(score) for r in results if (r.method, r.variant) == (method, variant)}
    return {seed: value for seed, value in found.items() if value is not None}


def mean_over_seeds(values: dict[int, float]) -> ReplicateMean | None:
    """The mean over seeds; None without any."""
    return replicate_mean(list(values.values())) if values else None


def best_variant(results: Sequence[ImageResult], image_set: ImageSet, method: Method, seed: int) -> str | None:
    """The variant with the best validation score of that seed; of equal ones the earlier. None if none is measured."""
    found = {
        result.variant: result.val[image_set.main]
        for result in results
        if (result.set, result.method, result.seed) == (image_set.name, method.name, seed)
    }
    known = {variant: found.get(variant) for variant in ("", *method.alternatives)}
    defined = {variant: value for variant, value in known.items() if value is not None}
    return max(defined, key=lambda variant: defined[variant]) if defined else None


def compare(
    results: Sequence[ImageResult], entries: Sequence[Entry], baseline: Entry, score: str
) -> dict[Entry, Compared]:
    """Each entry (method, variant) against a baseline, as far as they have two common seeds."""
    of_baseline = by_seed(results, *baseline, score)
    differences = {}
    for entry in entries:
        own = by_seed(results, *entry, score)
        common = [own[seed] - of_baseline[seed] for seed in own if seed in of_baseline]
        if len(common) > 1 and entry != baseline:
            differences[entry] = replicate_mean(common)
    adjusted = holm([each.p for each in differences.values()])
    return {entry: Compared(each, p) for (entry, each), p in zip(differences.items(), adjusted, strict=True)}
