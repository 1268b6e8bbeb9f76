"""The comparison of several runs as tables and sentences for the terminal."""

from collections.abc import Sequence

from rich.text import Text

from imbalance_lab.evaluation.comparison import Compared
from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.score_keys import heading
from imbalance_lab.evaluation.scores import Score
from imbalance_lab.evaluation.setting_names import short_values
from imbalance_lab.evaluation.sweep import Run, varied_overrides
from imbalance_lab.report.comparison_verdict import comparison_verdict
from imbalance_lab.report.plain_table import PlainTable
from imbalance_lab.report.setting_columns import differences, reference, score_columns
from imbalance_lab.report.study_texts import natural, pruned_line, study_commands, study_lines
from imbalance_lab.report.terminal import console, interval, number, plain_table, print_sentence

BASELINES_DIFFER = "the runs have different baselines: see their reports"

MAX_ROWS = 15
"""Rows of a table; all are in the files beside the page."""

MAX_ALIKE = 3
"""Runs with the same error that have a line each."""


def print_comparison(data: ComparisonData) -> None:
    """Print what was found, the tables of the settings and of the runs, and which runs have no scores."""
    out = console()
    if data.study is not None:
        for line in study_lines(data.study):
            print_sentence(line)
        for command in study_commands(data.study):
            out.print(Text(f"  {command}"), soft_wrap=True)
        out.print()
    for sentence in comparison_verdict(data):
        print_sentence(sentence)
    if data.settings:
        out.print()
        out.print(settings_table(data))
    if any(len(setting.runs) > 1 for setting in data.settings):
        out.print()
        out.print(comparison_table(data.runs, data.score))
    if pruned := pruned_line(data.runs):
        print_sentence(pruned)
    for line in failure_lines(data):
        print_sentence(line, style="red")


def settings_table(data: ComparisonData) -> PlainTable:
    """One row a setting, the best on validation first."""
    against = reference(data)
    name = heading(data.score)
    first_words = "1 setting" if len(data.settings) == 1 else f"{len(data.settings)} settings"
    title = first_words + f", best validation {name} first" * (data.n_settings > 1)
    table = plain_table(title, "comparison.csv")
    single = all(len(setting.runs) == 1 for setting in data.settings)
    keys = list(dict.fromkeys(key for setting in data.settings for key, _ in setting.overrides))
    if single or (data.baselines and not keys):
        table.add_column("run" if single else "setting", no_wrap=True)
    for key in keys:
        table.add_column(key, overflow="fold")  # in a narrow terminal these wrap, not the scores
    first, *others = score_columns(data)
    columns = [] if single else [("n", 3)]
    columns += [(f"val {name}", 4), (f"test {name} [95 % CI]", 0)]
    columns += [("difference [CI]", 2), ("p", 1)] if against is not None else []
    names = _names(data, keys, len(table.columns))
    table.add_number_columns(*columns, *((each.title, 5 + place) for place, each in enumerate(others)))
    for place, (setting, compared) in enumerate(zip(data.rows, differences(data), strict=True)):
        if place == len(data.settings):
            table.add_section()
        elif MAX_ROWS <= place < len(data.settings):
            continue
        cells = names[place] if single else [*names[place], str(setting.n)]
        cells += [number(setting.val.value), _format(first.scores[place])]
        cells += difference_cells(compared) if against is not None else []
        cells += [number(each.value) if each else "–" for each in (column.scores[place] for column in others)]
        table.add_row(*cells)
    table.caption = "; ".join(_notes(data))
    return table


def _names(data: ComparisonData, keys: Sequence[str], width: int) -> list[list[str]]:
    """The first ``width`` cells of each row: a run, the swept values, or the name of a baseline."""
    short = {key: short_values([dict(each.overrides).get(key, "") for each in data.settings]) for key in keys}
    rows = []
    for setting in data.settings:
        first = [] if width == len(keys) else [setting.runs[0].name if len(setting.runs) == 1 else "all runs"]
        rows.append([*first, *(short[key][dict(setting.overrides).get(key, "")] for key in keys)])
    return rows + [[setting.name, *[""] * (width - 1)] for setting in data.baselines]


def comparison_table(runs: Sequence[Run], score: str = "auroc") -> PlainTable:
    """One row a run, in the order given; only overrides that differ between the runs are shown."""
    varied = varied_overrides(runs)
    table = plain_table(f"{len(runs)} runs, best validation {heading(score)} first", "comparison_runs.csv")
    table.add_column("run", no_wrap=True)
    for key in varied:
        table.add_column(key, overflow="fold")
    second = "balanced_accuracy" if score == "auroc" else "auroc"
    table.add_number_columns(
        (f"val {heading(score)}", 2),
        (f"test {heading(score)} [95 % CI]", 0),
        (f"test {heading(second)} [95 % CI]", 1),
    )
    short = {key: short_values([run.overrides.get(key, "") for run in runs]) for key in varied}
    for run in runs[:MAX_ROWS]:
        overrides = [short[key][run.overrides.get(key, "")] for key in varied]
        val = run.score("val", score)
        scores = [_format(run.score("test", each)) for each in (score, second)]
        table.add_row(run.name, *overrides, "–" if val is None else number(val.value), *scores)
    if len(runs) > MAX_ROWS:
        table.caption = f"{len(runs) - MAX_ROWS} more runs"
    return table


def failure_lines(data: ComparisonData) -> list[str]:
    """Why runs have no scores, are not compared on test, or are left out altogether."""
    return [
        *_without_scores([run for run in data.unfinished if not run.is_pruned]),
        *(
            f"run {run.name} is not compared on test: {run.directory.predictions('test')} is missing"
            for run in data.without_predictions
        ),
        *(f"run {run.name} is left out: {run.damage}" for run in data.damaged),
    ]


def _without_scores(runs: Sequence[Run]) -> list[str]:
    """A line for each run, but one for many that say the same."""
    by_state: dict[str, list[str]] = {}
    for run in sorted(runs, key=lambda each: natural(each.name)):
        by_state.setdefault(run.state, []).append(run.name)
    lines = []
    for state, names in by_state.items():
        if len(names) <= MAX_ALIKE:
            lines += [f"run {name} has no scores: {state}" for name in names]
        else:
            more = len(names) - MAX_ALIKE
            lines.append(f"{len(names)} runs ({', '.join(names[:MAX_ALIKE])} and {more} more) have no scores: {state}")
    return lines


def _notes(data: ComparisonData) -> list[str]:
    """What the columns mean, and what is left out."""
    notes = []
    if data.nested is not None:
        notes.append("test: mean over folds, corrected resampled t")
    elif any(setting.n > 1 for setting in data.settings):
        notes.append("test: mean over n replicates, Student's t")
    against = reference(data)
    if against is not None:
        which = "the first" if against == data.settings[0].name else against
        n = max(len(data.setting_comparisons), len(data.baseline_comparisons))
        holm = ", p after Holm, CI to match it" if n > 1 else ""
        notes.append(f"difference: to {which}{holm}")
    if data.baselines:
        notes.append(f"the last {len(data.baselines)} are baselines")
    if data.baselines_differ:
        notes.append(BASELINES_DIFFER)
    if len(data.settings) > MAX_ROWS:
        notes.append(f"{len(data.settings) - MAX_ROWS} more settings")
    return notes


def difference_cells(compared: Compared | None) -> list[str]:
    """A difference with its interval, and p after the correction."""
    if compared is None:
        return ["–", "–"]
    difference, ends, *_ = compared.comparison
    return [interval(Score(difference, ends)), _p_value(compared.adjusted_p)]


def _p_value(p: float) -> str:
    return "–" if p != p else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _format(score: Score | None) -> str:
    return "–" if score is None else interval(score)
