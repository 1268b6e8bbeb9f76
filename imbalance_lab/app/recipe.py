"""``recipe=auto``: what the data are decides on the loss, the sampler, the head, the epochs and the post-processing.

The rules are those that the measured tables support: docs/results.md and docs/results_tables.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from imbalance_lab.app.fitted_head import OF_TRAINING

IMBALANCED = 3
"""Largest over smallest class, from which on the classes count as imbalanced."""

REPEATABLE = 100
"""Examples of the rarer class, from which on it may be drawn as often as the other; fewer are learned by heart."""

KERNEL_EXAMPLES = 20_000
"""Up to so many training examples kernel ridge regression is fitted in seconds: its matrix has N × N numbers."""

STEPS, EPOCHS, MOST_EPOCHS = 3000, 30, 200
"""Optimizer steps of a net that is trained from the start, at least, and the limits of the epochs that take them."""


@dataclass(frozen=True)
class Facts:
    """What the rules look at.

    Args:
        kind: of the inputs.
        task: what is predicted.
        counts: training examples of each class or label.
        n_train: training examples.
        batch_size: examples per step.
        is_frozen: whether the backbone keeps the weights it starts with.
        has_validation: whether there is a validation split.
        given: the groups and keys that the user has chosen.
        given_head_is_fitted: whether the user has chosen a head that is fitted at once.
        given_augmentation: whether the user has chosen to change the images at random.
    """

    kind: Literal["table", "images", "arrays"]
    task: Literal["binary", "multiclass", "multilabel"]
    counts: tuple[int, ...]
    n_train: int
    batch_size: int
    is_frozen: bool = False
    has_validation: bool = True
    given: frozenset[str] = frozenset()
    given_head_is_fitted: bool = False
    given_augmentation: bool = False

    @property
    def factor(self) -> float:
        """The imbalance factor: the largest class over the smallest."""
        return max(self.counts) / max(1, min(self.counts))

    @property
    def is_imbalanced(self) -> bool:
        """Whether the factor is worth a method."""
        return self.factor >= IMBALANCED

    @property
    def has_fitted_head(self) -> bool:
        """Whether the head is one that is fitted at once: the user's, or the recipe's where it can be."""
        if "head" in self.given:
            return self.given_head_is_fitted
        is_possible = self.is_frozen and self.has_validation and self.task != "multilabel"
        is_trained = self.given_augmentation or not self.given.isdisjoint(OF_TRAINING)
        return is_possible and not is_trained and self.n_train <= KERNEL_EXAMPLES

    def __str__(self) -> str:
        what = "labels" if self.task == "multilabel" else "classes"
        sizes = f"{max(self.counts):,} to {min(self.counts):,} training examples ({self.factor:.3g} : 1)"
        return f"{self.kind}, {len(self.counts)} {what} of {sizes}"


@dataclass(frozen=True)
class Choice:
    """What a rule chooses.

    Args:
        what: the part of the training.
        words: of the command line; none where the defaults are best.
        why: in a few words.
    """

    what: str
    words: tuple[str, ...]
    why: str


def choose(facts: Facts) -> Iterator[Choice]:
    """The choices for the data, each by the first rule that applies."""
    yield _net(facts)
    yield _loss_and_sampler(facts)
    yield _epochs(facts)
    yield _post_processing(facts)


def _net(facts: Facts) -> Choice:
    if facts.is_frozen:
        once = ("augment=none",) if facts.kind == "images" else ()
        if facts.has_fitted_head and "head" not in facts.given:
            why = "the best of the heads on frozen features, fitted in a second"
            return Choice("head", ("head=kernel_ridge", *once), why)
        return Choice("head", once, "the features of a frozen backbone are computed once")
    if facts.kind == "table":
        return Choice("net", (), "the averaged nets that data=table takes anyway, the best of those tried")
    return Choice("net", (), "the one that fits the size of the inputs")


def _loss_and_sampler(facts: Facts) -> Choice:
    what, plain = "loss and sampler", ("loss=cross_entropy", "sampler=shuffled")
    if facts.has_fitted_head:
        return Choice(what, (), "none: nothing is trained by steps")
    if facts.task == "multilabel":
        labels = ("loss=sigmoid_focal", "loss.gamma=0", "loss.alpha=null", "sampler=shuffled")
        return Choice(what, labels, "binary cross-entropy of each label")
    if not facts.is_imbalanced:
        return Choice(what, plain, "the classes are about equally frequent")
    if facts.task == "multiclass":
        return Choice(what, plain, "once the priors are corrected, no loss for imbalance decides better")
    if facts.kind != "table" and min(facts.counts) >= REPEATABLE:
        why = "from all examples alike to both classes alike ranks the rare one best"
        return Choice(what, ("loss=cross_entropy", "sampler=progressive"), why)
    return Choice(what, plain, "no loss or sampler for imbalance ranks better for certain")


def _epochs(facts: Facts) -> Choice:
    if facts.has_fitted_head:
        return Choice("epochs", (), "none: the head is fitted at once")
    if facts.kind == "table":
        return Choice("epochs", (), "as data=table has them")
    steps = max(1, math.ceil(facts.n_train / facts.batch_size))
    epochs = min(MOST_EPOCHS, max(EPOCHS, math.ceil(STEPS / steps)))
    return Choice("epochs", (f"max_epochs={epochs}",), "longer training gains more than most methods do")


def _post_processing(facts: Facts) -> Choice:
    what = "post-processing"
    if facts.task == "multiclass" and facts.is_imbalanced:
        why = "decisions that treat all classes alike; costs no training"
        return Choice(what, ("prior_correction=logit_adjustment",), why)
    if facts.task == "multiclass":
        return Choice(what, ("prior_correction=none",), "the classes are about equally frequent")
    if not facts.has_validation:
        return Choice(what, ("prior_correction=none",), "no threshold can be chosen without a validation split")
    why = "probabilities are calibrated, and flagged where F1 is best on validation"
    return Choice(what, ("prior_correction=none",), why)
