"""``recipe=auto``: what the data are decides on the loss, the sampler, the head, the epochs and the post-processing.

It becomes words of the command line, so that everything behind it (the stored configuration, a sweep, a resumed run)
sees plain choices. The rules are those that the measured tables support: docs/results.md and docs/results_tables.md.
"""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from imbalance_lab.app.compose import compose_config
from imbalance_lab.errors import UsageError
from imbalance_lab.text import split_override

if TYPE_CHECKING:
    from omegaconf import DictConfig

KEY = "recipe"
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
        is_frozen: whether the backbone keeps the weights it starts with.
        batch_size: examples per step; None if it is chosen by the number of examples.
    """

    kind: Literal["table", "images", "arrays"]
    task: Literal["binary", "multiclass", "multilabel"]
    counts: tuple[int, ...]
    n_train: int
    is_frozen: bool
    batch_size: int | None

    @property
    def factor(self) -> float:
        """The imbalance factor: the largest class over the smallest."""
        return max(self.counts) / max(1, min(self.counts))

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
    is_fitted = facts.is_frozen and facts.task != "multilabel" and facts.n_train <= KERNEL_EXAMPLES
    if is_fitted:
        yield Choice("head", ("head=kernel_ridge",), "the best of the heads on frozen features, fitted in a second")
    elif facts.kind == "table":
        yield Choice("net", (), "the averaged nets that data=table takes anyway, the best of those tried")
    else:
        yield Choice("net", (), "the one that fits the size of the inputs")
    yield _loss_and_sampler(facts, is_fitted=is_fitted)
    if not is_fitted and facts.kind != "table" and facts.batch_size is not None:
        steps = max(1, math.ceil(facts.n_train / facts.batch_size))
        epochs = min(MOST_EPOCHS, max(EPOCHS, math.ceil(STEPS / steps)))
        yield Choice("epochs", (f"max_epochs={epochs}",), "longer training gains more than most methods do")
    else:
        yield Choice("epochs", (), "none" if is_fitted else "until validation no longer improves")
    yield _post_processing(facts)


def _loss_and_sampler(facts: Facts, *, is_fitted: bool) -> Choice:
    what, loss = "loss and sampler", "loss=cross_entropy"
    if is_fitted:
        return Choice(what, (), "none: nothing is trained by steps")
    if facts.task == "multilabel":
        labels = ("loss=sigmoid_focal", "loss.gamma=0", "loss.alpha=null", "sampler=shuffled")
        return Choice(what, labels, "binary cross-entropy of each label")
    is_rare_but_repeatable = facts.factor >= IMBALANCED and min(facts.counts) >= REPEATABLE
    if facts.task == "binary" and facts.kind != "table" and is_rare_but_repeatable:
        why = "from all examples alike to both classes alike ranks the rare one best"
        return Choice(what, (loss, "sampler=progressive"), why)
    why = "no loss for imbalance ranks better, once the priors are corrected"
    return Choice(what, (loss, "sampler=shuffled"), why)


def _post_processing(facts: Facts) -> Choice:
    what = "post-processing"
    if facts.task == "multiclass" and facts.factor >= IMBALANCED:
        why = "decisions that treat all classes alike; costs no training"
        return Choice(what, ("prior_correction=logit_adjustment",), why)
    if facts.task == "multiclass":
        return Choice(what, ("prior_correction=none",), "the classes are about equally frequent")
    words = ("prior_correction=none", "operating_point=max_f1")
    return Choice(what, words, "a threshold where F1 is best on validation; calibrated probabilities")


def expand_recipe(words: Sequence[str], config_dirs: Iterable[Path] = ()) -> list[str]:
    """``words`` with the choices in the place of ``recipe=auto``, which are printed; what is given stays.

    Args:
        words: ``KEY=VALUE`` of the command line.
        config_dirs: of ``--config-dir``.

    Raises:
        UsageError: for another recipe, with ``ckpt_path``, and for a sweep over data, which may differ.
    """
    given = dict(map(split_override, words))
    others = [word for word in words if split_override(word)[0] != KEY]
    recipe = given.pop(KEY, "null")
    if recipe == "null":
        return others
    if recipe != "auto":
        raise UsageError(f"{KEY}={recipe} is not known: choose {KEY}=auto, or leave it out")
    if "ckpt_path" in given:
        raise UsageError(f"{KEY}=auto with ckpt_path: the run goes on with its own settings; leave out {KEY}=auto")
    swept = [word for word in others if _is_swept(word)]
    for word in swept:
        if split_override(word)[0].split(".")[0] in ("data", "experiment"):
            raise UsageError(f"{KEY}=auto looks at one data set: give {word} one value, and start a job for each")
    facts = _facts(compose_config([word for word in others if word not in swept], config_dirs))
    choices = list(choose(facts))
    _print(facts, choices, given)
    return [*(word for choice in choices for word in choice.words if not _is_given(word, given)), *others]


def _is_given(word: str, given: Iterable[str]) -> bool:
    """Whether the user has chosen the word's key, its group, or a key of the group."""
    group = split_override(word)[0].split(".")[0]
    return any(key.split(".")[0] == group for key in given)


def _is_swept(word: str) -> bool:
    try:
        return bool(OverridesParser.create().parse_override(word).is_sweep_override())
    except HydraException:
        return False  # reported when Hydra reads it


def _facts(config: "DictConfig") -> Facts:
    from imbalance_lab.app.slices import slice_columns  # here: these need torch
    from imbalance_lab.app.split_cache import cached_splits
    from imbalance_lab.app.splits import instantiate_splits
    from imbalance_lab.app.validate_config import validate_config
    from imbalance_lab.data.schema import ImageSchema
    from imbalance_lab.data.table_schema import TableSchema

    validate_config(config)
    splits = cached_splits(instantiate_splits, config, slices=slice_columns(config))  # the run takes the same
    schema, task = splits.schema, splits.task
    is_images = isinstance(schema, ImageSchema) or len(splits.prepared_shape) == 3
    return Facts(
        kind="table" if isinstance(schema, TableSchema) else "images" if is_images else "arrays",
        task="multilabel" if task.is_multilabel else "binary" if task.num_classes == 2 else "multiclass",
        counts=tuple(splits.class_counts.tolist()),
        n_train=len(splits.train),
        is_frozen=bool(config.backbone.get("freeze", False)),
        batch_size=config.batch_size if isinstance(config.batch_size, int) else None,
    )


def _print(facts: Facts, choices: Sequence[Choice], given: Iterable[str]) -> None:
    """The facts and each choice, a line each."""
    print(f"{KEY}=auto for {facts}", file=sys.stderr)
    for choice in choices:
        words = [f"{word} (not taken: yours is)" if _is_given(word, given) else word for word in choice.words]
        print(f"  {choice.what + ':':18}{' '.join(words) or 'the defaults'}: {choice.why}", file=sys.stderr)
