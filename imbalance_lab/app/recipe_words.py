"""The word ``recipe=auto`` becomes plain words of the command line, by the rules of `imbalance_lab.app.recipe`.

Everything behind it (the stored configuration, a sweep, a resumed run) so sees plain choices.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep
from omegaconf import DictConfig, OmegaConf

from imbalance_lab.app.automatic import choose_automatic
from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.fitted_head import is_fitted
from imbalance_lab.app.recipe import Facts, choose
from imbalance_lab.app.slices import slice_columns
from imbalance_lab.app.split_cache import cached_splits
from imbalance_lab.app.splits import instantiate_splits
from imbalance_lab.app.validate_arguments import parsed_override
from imbalance_lab.app.validate_config import validate_config
from imbalance_lab.backbones.finetune import HeadOnly
from imbalance_lab.data import NoAugmentation
from imbalance_lab.data.schema import ImageSchema
from imbalance_lab.data.table_schema import TableSchema
from imbalance_lab.errors import UsageError
from imbalance_lab.text import split_override

KEY = "recipe"

SEEN = ("data", "experiment", "backbone", "finetune", "head", "augment", "batch_size")
"""The groups and keys that facts depend on: a sweep over others cannot change a choice."""


def expand_recipe(words: Sequence[str], config_dirs: Iterable[Path] = ()) -> list[str]:
    """``words`` with the choices in the place of ``recipe=auto``, which are printed; what is given stays.

    Given is also what ``experiment=`` sets.

    Args:
        words: ``KEY=VALUE`` of the command line.
        config_dirs: of ``--config-dir``.

    Raises:
        UsageError: for another recipe, with ``ckpt_path``, and for a sweep whose jobs it would choose differently for.
    """
    others = [word for word in words if split_override(word)[0] != KEY]
    recipe = dict(map(split_override, words)).get(KEY, "null")
    if recipe == "null":
        return others
    if recipe != "auto":
        raise UsageError(f"{KEY}={recipe} is not known: choose {KEY}=auto, or leave it out")
    if any(split_override(word)[0] == "ckpt_path" for word in others):
        raise UsageError(f"{KEY}=auto with ckpt_path: the run goes on with its own settings; leave out {KEY}=auto")
    config_dirs = list(config_dirs)
    jobs = ((label, _facts(job, others, config_dirs)) for label, job in _jobs(others))
    first, facts = next(jobs)
    chosen = _chosen_words(facts)
    for label, other in jobs:
        if _chosen_words(other) != chosen:
            raise UsageError(f"{KEY}=auto chooses differently for {first} and {label}: start a job for each")
    _print(facts)
    return [*chosen, *others]


def _jobs(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """What is swept, one value after the other, and the words of that job that its facts depend on.

    Each swept word goes through its values while the others keep their first. Words of a sweep that facts do not
    depend on are left out.
    """
    parsed = [(word, parsed_override(word)) for word in words]
    plain = [word for word, override in parsed if override is None or not override.is_sweep_override()]
    swept = [_values(word, override) for word, override in parsed if override is not None and _is_seen_sweep(override)]
    first = [values[0] for values in swept]
    yield " ".join(first), [*plain, *first]
    for at, values in enumerate(swept):
        for value in values[1:]:
            yield value, [*plain, *first[:at], value, *first[at + 1 :]]


def _is_seen_sweep(override: Override) -> bool:
    return override.is_sweep_override() and _group(override.key_or_group) in SEEN


def _values(word: str, override: Override) -> list[str]:
    if not isinstance(override.value(), ChoiceSweep | RangeSweep):
        raise UsageError(f"{KEY}=auto has to know every value of {word}: list them, or give one")
    key = override.get_key_element()
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _facts(job: Sequence[str], words: Sequence[str], config_dirs: Sequence[Path]) -> Facts:
    """The facts of one job; ``words`` are all that the user has given."""
    config = compose_config(job, config_dirs)
    validate_config(config)
    splits = cached_splits(instantiate_splits, config, slices=slice_columns(config))  # the run takes the same
    choose_automatic(config, len(splits.train))
    schema, task = splits.schema, splits.task
    is_images = isinstance(schema, ImageSchema) or len(splits.prepared_shape) == 3
    given = {_group(split_override(word)[0]) for word in words} | _set_by_experiment(job, config_dirs)
    return Facts(
        kind="table" if isinstance(schema, TableSchema) else "images" if is_images else "arrays",
        task="multilabel" if task.is_multilabel else "binary" if task.num_classes == 2 else "multiclass",
        counts=tuple(splits.class_counts.tolist()),
        n_train=len(splits.train),
        batch_size=config.batch_size,
        is_frozen=bool(config.backbone.get("freeze")) or config.finetune._target_.endswith(f".{HeadOnly.__name__}"),
        has_validation=splits.val is not None,
        given=frozenset(given),
        given_head_is_fitted=is_fitted(config),
        given_augmentation="augment" in given and not config.augment._target_.endswith(f".{NoAugmentation.__name__}"),
    )


def _set_by_experiment(job: Sequence[str], config_dirs: Sequence[Path]) -> set[str]:
    """The groups and keys that ``experiment=`` makes differ from the defaults of its data."""
    experiment = [word for word in job if split_override(word)[0] == "experiment"]
    if not experiment:
        return set()
    own = compose_config(experiment, config_dirs, with_hydra=True)
    plain = compose_config([f"data={own.hydra.runtime.choices.data}"], config_dirs)
    values, defaults = _plain(own), _plain(plain)
    return {key for key in values if key != "hydra" and values[key] != defaults.get(key)}


def _plain(config: DictConfig) -> dict[str, Any]:
    """Plain values with their interpolations as they are written."""
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=False))


def _group(key: str) -> str:
    return key.lstrip("+~").split(".")[0].split("@")[0]


def _chosen_words(facts: Facts) -> list[str]:
    return [word for choice in choose(facts) for word in choice.words if not _is_given(word, facts.given)]


def _is_given(word: str, given: Collection[str]) -> bool:
    """Whether the user has chosen the word's key, its group, or a key of the group."""
    return _group(split_override(word)[0]) in given


def _print(facts: Facts) -> None:
    """The facts and each choice, a line each."""
    print(f"{KEY}=auto for {facts}", file=sys.stderr)
    for choice in choose(facts):
        words = [f"{word} (not taken: yours is)" if _is_given(word, facts.given) else word for word in choice.words]
        print(f"  {choice.what + ':':18}{' '.join(words)}{': ' if words else ''}{choice.why}", file=sys.stderr)
