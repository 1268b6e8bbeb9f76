"""What a comparison found, in the sentences that the page and the terminal begin with."""

import math
from pathlib import PurePath

from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.score_keys import heading, is_lower_better
from imbalance_lab.evaluation.setting_comparison import SettingComparison
from imbalance_lab.evaluation.settings import REPLICATES, Setting
from imbalance_lab.evaluation.stored_files import BASELINES
from imbalance_lab.evaluation.sweep import Run
from imbalance_lab.report.baseline_texts import PEERS, flipped, standing
from imbalance_lab.report.terminal import interval
from imbalance_lab.text import shorten_middle, visible

MAX_KEYS, MAX_NAME, MAX_CHOSEN = 4, 90, 3
"""Keys in the title, characters of a setting's name in a sentence, and settings that folds have chosen."""


def comparison_title(data: ComparisonData) -> str:
    """What was swept: "loss.gamma × seed on digits_lt: 3 settings, 9 runs"."""
    keys = list(dict.fromkeys(key for setting in data.settings for key, _ in setting.overrides))
    keys += [key for key in REPLICATES if key in data.varied]
    swept = " × ".join(keys[:MAX_KEYS]) + f" and {len(keys) - MAX_KEYS} more" * (len(keys) > MAX_KEYS)
    on = _data_name(data)
    subject = f"{swept} on {on}" if swept and on else swept or on
    runs = _count(len(data.runs), "run")
    counts = runs if len(data.settings) in (1, len(data.runs)) else f"{_count(len(data.settings), 'setting')}, {runs}"
    return visible(f"{subject}: {counts}" if subject else counts)


def comparison_verdict(data: ComparisonData) -> list[str]:
    """The best setting, how it differs from others and the baselines, its selection's price, what is not compared."""
    best = data.settings[0] if data.settings else None
    if best is not None and math.isnan(best.val.value) and any(_is_unselected(run) for run in best.runs):
        sentence = "There was no validation split: no run is selected, and the scores are those of the last epochs."
        return [sentence, *map(visible, _differences(data, best))]
    if best is None or math.isnan(best.val.value):
        return [f"No run has {'an' if heading(data.score) == 'AUROC' else 'a'} {heading(data.score)} on validation."]
    tested = "no score on test" if math.isnan(best.test.value) else f"{interval(best.test)} on test"
    over = f" over {_replicates(data, best.n)}" if best.n > 1 else ""
    among = f", the best of {data.n_settings} settings on validation" if data.n_settings > 1 else ""
    sentences = [f"{_name(best)}: {heading(data.score)} {tested}{over}{among}.", *_differences(data, best)]
    sentences += _baselines(data, best)
    sentences += _nested(data)
    corrected = data.best_corrected
    if data.n_settings > 2 and corrected is not None and corrected != best.test and corrected.interval is not None:
        sentences.append(f"Corrected for the choice among {data.n_settings} settings: {interval(corrected)}.")
    if len(data.groups) > 1:
        sentences.append(f"The runs were tested on {len(data.groups)} different sets of examples.")
    return [visible(each) for each in sentences]


def _nested(data: ComparisonData) -> list[str]:
    """What the choice among cross-validated settings is worth."""
    nested = data.nested
    if nested is None or data.n_settings < 2:
        return []
    names = {each.name: _name(each) for each in data.settings}
    chosen = ", ".join(f"{names[name]} in {n}" for name, n in nested.chosen[:MAX_CHOSEN])
    more = f" and {len(nested.chosen) - MAX_CHOSEN} others" * (len(nested.chosen) > MAX_CHOSEN)
    return [
        f"Nested selection, the setting of each fold chosen on that fold's validation: {heading(data.score)} "
        f"{interval(nested.score)} on test ({chosen}{more} of {nested.n} folds)."
    ]


def _is_unselected(run: Run) -> bool:
    """Whether its data had no validation split."""
    return run.scores is not None and run.scores.get("val") is None


def _baselines(data: ComparisonData, best: Setting) -> list[str]:
    """How the setting that all are compared with stands to the baselines that learn."""
    defined = [each for each in data.baseline_comparisons if each.compared.comparison.interval is not None]
    pairs = [(each.a, flipped(each.compared)) for each in defined if each.a in {BASELINES[key] for key in PEERS}]
    if not pairs:
        return []
    reference = next(each for each in data.settings if each.name == defined[0].b)
    whom = "it" if reference is best else _name(reference)
    return [f"By {heading(data.score)}, {whom} {standing(pairs, lower=is_lower_better(data.score))}."]


def _differences(data: ComparisonData, best: Setting) -> list[str]:
    defined = [each for each in data.setting_comparisons if each.compared.comparison.interval is not None]
    if not defined:
        return []
    with_best = [each for each in defined if best.name in (each.a, each.b)]
    sentences = [_difference(data, with_best[0])] if with_best else []
    if len(defined) > 1:
        reference = next(each for each in data.settings if each.name == defined[0].b)
        n_equal = sum(not each.compared.is_distinguishable for each in defined)
        whom = "it" if reference is best else _name(reference)
        sentences.append(_distinguishable(len(defined), n_equal, whom))
    return sentences


def _distinguishable(n: int, n_equal: int, whom: str) -> str:
    """How many of the n ≥ 2 other settings are distinguishable from one."""
    if n_equal == n:
        return f"None of the {n} other settings is distinguishable from {whom}."
    if n_equal == 0:
        return f"{'Both' if n == 2 else f'All {n}'} other settings are distinguishable from {whom}."
    return f"{n_equal} of the {n} other settings {'is' if n_equal == 1 else 'are'} not distinguishable from {whom}."


def _difference(data: ComparisonData, each: SettingComparison) -> str:
    names = {setting.name: _name(setting) for setting in data.settings} | {data.settings[0].name: "it"}
    difference, ends, p, _ = each.compared.comparison
    assert ends is not None
    a, b = names[each.a], names[each.b]
    is_first = (difference < 0) if is_lower_better(data.score) else (difference > 0)
    if not is_first:
        a, b = b, a
    if difference < 0:
        difference, ends = -difference, (-ends[1], -ends[0])
    size = f"{difference:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"
    over = {"seeds": f" over {_replicates(data, each.n)}", "folds": f" over {each.n} folds"}.get(each.unit)
    over = over or " on the same examples"
    p = each.compared.adjusted_p if len(data.setting_comparisons) > 1 else p
    evidence = f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}" + " after Holm" * (len(data.setting_comparisons) > 1)
    if each.compared.is_distinguishable:
        return f"{_begun(a)} is better than {b} by {size}{over} ({evidence})."
    other = b if a == "it" else a
    return f"It and {other} are not distinguishable: they differ by {size}{over} ({evidence})."


def _begun(name: str) -> str:
    return "It" if name == "it" else name


def _name(setting: Setting) -> str:
    return shorten_middle(setting.name, MAX_NAME) or "All runs"


def _replicates(data: ComparisonData, n: int) -> str:
    return f"{n} {'seeds' if 'data.subset_seed' not in data.varied else 'replicates'}"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"


def _data_name(data: ComparisonData) -> str:
    """The data that all runs chose, and the file if it is the same; empty if the command lines do not say."""
    chosen, paths = ({run.overrides.get(key, "") for run in data.runs} for key in ("data", "data.path"))
    if len(chosen) != 1:
        return ""
    path = next(iter(paths)) if len(paths) == 1 else ""
    return PurePath(path.strip("'\"")).name or next(iter(chosen))
