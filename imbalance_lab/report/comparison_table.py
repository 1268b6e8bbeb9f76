"""The comparison of several runs as a table and sentences for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.evaluation import Score
from imbalance_lab.evaluation.sweep import SCORES, Run, varied_overrides
from imbalance_lab.report.terminal import console, interval, number, plain_table


def print_comparison(data: ComparisonData) -> None:
    """Print the table of the runs, means over seeds, differences as sentences, and which runs have no scores."""
    out = console()
    out.print(comparison_table(data.runs, data.score))
    for line in (*seed_lines(data), *comparison_lines(data)):
        out.print(line, soft_wrap=True)
    for line in failure_lines(data):
        out.print(line, style="red", soft_wrap=True)


def comparison_table(runs: Sequence[Run], score: str = "auroc") -> Table:
    """One row a run, in the order given; only overrides that differ between the runs are shown."""
    varied = varied_overrides(runs)
    table = plain_table(f"{len(runs)} runs, best validation {SCORES[score]} first")
    table.add_column("run", no_wrap=True)
    for heading in varied:
        table.add_column(heading, overflow="fold")  # in a narrow terminal these wrap, not the scores
    second = "balanced_accuracy" if score == "auroc" else "auroc"
    for heading in (f"val {SCORES[score]}", *(f"test {SCORES[each]} [95 % CI]" for each in (score, second))):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        overrides = [run.overrides.get(key, "") for key in varied]
        val = run.score("val", score)
        scores = [_format(run.score("test", each)) for each in (score, second)]
        table.add_row(run.name, *overrides, "–" if val is None else number(val.value), *scores)
    return table


def failure_lines(data: ComparisonData) -> list[str]:
    """Why runs have no scores, are not compared on test, or are left out altogether."""
    return [
        *(f"run {run.name} has no scores: {run.state}" for run in data.unfinished),
        *(
            f"run {run.name} is not compared on test: {run.directory.predictions('test')} is missing"
            for run in data.without_predictions
        ),
        *(f"run {run.name} is left out: {run.damage}" for run in data.damaged),
    ]


def comparison_lines(data: ComparisonData) -> list[str]:
    """How each run differs on test from the best one, or from the baseline, by test set."""
    lines = []
    for place, group in enumerate(data.groups, 1):
        if len(data.groups) > 1:
            lines.append(f"test set {place} of {len(data.groups)}: run {', '.join(group.runs)}")
        lines += [f"test {SCORES[data.score]}: {each.describe(data.score)}" for each in group.comparisons]
    return lines


def seed_lines(data: ComparisonData) -> list[str]:
    """The mean test score of runs that differ in the seed only."""
    lines = []
    for mean in data.seed_means:
        name = " ".join(f"{key}={value}" for key, value in mean.overrides) or "all runs"
        lines.append(f"{name}: test {SCORES[data.score]} {interval(mean.score)} over {mean.n} seeds")
    return lines


def _format(score: Score | None) -> str:
    return "–" if score is None else interval(score)
