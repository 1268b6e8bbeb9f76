"""The space of a search, from Hydra's overrides: what is varied, what is fixed, and which keys a trial has.

A key may belong to one choice of a group only, as ``loss.gamma`` to ``loss=focal``: the configuration is composed for
the choices of a trial, and only the keys that it has are asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import CategoricalDistribution
from optuna.trial import Trial

from imbalance_lab.app.search.dimension import Dimension, dimension_of
from imbalance_lab.errors import UsageError
from imbalance_lab.text import split_override
from imbalance_lab.validation import did_you_mean

MOST_COMPOSED = 64
"""Combinations of choices that are looked at before the first trial, for a key that none of the first ones has."""

NOT_SEARCHED = ("sweep", "monitor", "monitor_mode", "check", "fit", "ckpt_path", "resume")
"""What is the same in all trials of a search, or makes no score."""


@dataclass
class Space:
    """What the trials of a search may have.

    Args:
        context: of Hydra, to compose configurations.
        config: of the search itself.
        groups: the choices of whole groups, which decide what other keys there are.
        keys: all others.
        fixed_groups, fixed_keys: overrides that every trial has, as far as its configuration has the key.
    """

    context: HydraContext
    config: DictConfig
    groups: Sequence[Dimension]
    keys: Sequence[Dimension]
    fixed_groups: Sequence[str]
    fixed_keys: Sequence[str]
    _composed: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)

    @property
    def dimensions(self) -> dict[str, str]:
        """The values of each key that is varied, as they were given."""
        return {each.key: each.given for each in (*self.groups, *self.keys)}

    @property
    def fixed(self) -> list[str]:
        """The overrides that are not varied."""
        return [*self.fixed_groups, *self.fixed_keys]

    def suggest(self, trial: Trial) -> dict[str, str]:
        """Ask for the settings of a trial: first the choices of groups, then the keys that its configuration has."""
        given = {each.key: each.suggest(trial) for each in self.groups}
        there = self._compose(tuple(f"{key}={text}" for key, text in given.items()))
        return given | {each.key: each.suggest(trial) for each in self.keys if _has(there, each.key)}

    def overrides(self, given: Mapping[str, str]) -> list[str]:
        """The command line of a trial with these settings."""
        there = self._compose(tuple(f"{each.key}={given[each.key]}" for each in self.groups))
        fixed = [*self.fixed_groups, *(word for word in self.fixed_keys if _has(there, word.partition("=")[0]))]
        return [*fixed, *(f"{key}={text}" for key, text in given.items())]

    def check(self) -> None:
        """Check that every key exists with some choice of the groups.

        Raises:
            UsageError: for one that no choice has, with the nearest that there is.
        """
        missing = {each.key: each.given for each in self.keys}
        missing |= dict(word.partition("=")[::2] for word in self.fixed_keys)
        known: dict[str, None] = {}
        for choices in self._combinations():
            there = self._compose(choices)
            missing = {key: given for key, given in missing.items() if not _has(there, key)}
            if not missing:
                return
            known |= dict.fromkeys(_flat(there, ""))
        for key, given in missing.items():
            varied = " and ".join(each.key for each in self.groups)
            where = f"with any choice of {varied}" if varied else "in this configuration"
            near = did_you_mean(key, known).replace("'", "")
            raise UsageError(f"{key}={given}: there is no {key} {where}{near} (--help lists what there is)")

    def _combinations(self) -> Iterator[tuple[str, ...]]:
        """Choices of the groups: each choice of each group beside the first ones of the others, then any others."""
        choices = [[f"{each.key}={text}" for text in _choices(each)] for each in self.groups]
        first = [of_group[0] for of_group in choices]
        for place, of_group in enumerate(choices):
            for word in of_group:
                yield (*first[:place], word, *first[place + 1 :])
        yield from islice(product(*choices), MOST_COMPOSED)

    def _compose(self, choices: tuple[str, ...]) -> dict[str, Any]:
        """The configuration with these choices, as plain values."""
        if choices not in self._composed:
            composed = self.context.config_loader.load_sweep_config(self.config, [*self.fixed_groups, *choices])
            content: Any = OmegaConf.to_container(composed, resolve=False)
            self._composed[choices] = content
        return self._composed[choices]


def read_space(context: HydraContext, config: DictConfig, arguments: Sequence[str]) -> Space:
    """The space that the overrides of a command line describe.

    Raises:
        UsageError: if nothing or the wrong thing is varied, for senseless bounds, and for a key that no choice has.
    """
    parser = OverridesParser.create(config_loader=context.config_loader)
    groups: list[Dimension] = []
    keys: list[Dimension] = []
    fixed_groups: list[str] = []
    fixed_keys: list[str] = []
    for override in parser.parse_overrides(list(arguments)):
        word = str(override.input_line)
        name = split_override(word)[0]
        top = name.split(".")[0]
        if top == "sweep" and not override.is_sweep_override():
            continue  # of the search itself
        is_group = bool(context.config_loader.get_group_options(override.key_or_group))
        if not override.is_sweep_override():
            (fixed_groups if is_group else fixed_keys).append(word)
            continue
        if top in NOT_SEARCHED:
            raise UsageError(f"{word}: a search cannot vary {name}: give it one value, or use sweep=grid")
        (groups if is_group else keys).append(_dimension(override, is_group=is_group))
    if not groups and not keys:
        raise UsageError("sweep=optuna has nothing to vary: add 'KEY=interval(LOW,HIGH)' or 'KEY=choice(A,B)'")
    space = Space(context, config, groups, keys, fixed_groups, fixed_keys)
    space.check()
    return space


def _dimension(override: Override, *, is_group: bool) -> Dimension:
    dimension = dimension_of(override)
    if is_group and not isinstance(dimension.distribution, CategoricalDistribution):
        raise UsageError(f"{override.input_line}: {dimension.key} has choices: write {dimension.key}=choice(A,B)")
    return dimension


def _choices(dimension: Dimension) -> Sequence[Any]:
    assert isinstance(dimension.distribution, CategoricalDistribution)
    return dimension.distribution.choices


def _has(content: Any, key: str) -> bool:
    """Whether a configuration has a key; one that is added or taken out needs none."""
    if key.startswith(("+", "~")):
        return True
    for part in key.partition("@")[0].replace("[", ".").replace("]", "").split("."):
        if isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        elif isinstance(content, dict) and part in content:
            content = content[part]
        else:
            return False
    return True


def _flat(node: Any, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from _flat(value, f"{prefix}{key}.")
