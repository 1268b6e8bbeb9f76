"""The tables of a comparison as files: CSV for programs, Markdown and LaTeX (booktabs) for texts."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from imbalance_lab.evaluation.comparison_data import ComparisonData
from imbalance_lab.evaluation.scores import Score, defined
from imbalance_lab.evaluation.sweep import varied_overrides
from imbalance_lab.files import atomic_write
from imbalance_lab.report.comparison_table import difference_cells
from imbalance_lab.report.setting_columns import differences, name_of, reference, score_columns
from imbalance_lab.report.terminal import interval
from imbalance_lab.text import csv_cell, visible

FORMATS = (".csv", ".md", ".tex")

_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after a line end it would begin an option
    "-": "-{}",  # two would become a dash
    "*": "{*}",  # as would a star after a line end
}


def write_table(path: Path, data: ComparisonData) -> Path:
    """Write the table of the settings in the format of the file's ending, one of `FORMATS`, whole or not at all."""
    text = {".csv": settings_csv, ".md": settings_markdown, ".tex": settings_latex}[path.suffix.lower()](data)
    return _write(path, text)


def write_csv_files(page: Path, data: ComparisonData) -> list[Path]:
    """Write the tables of the settings and of the runs beside the page."""
    runs = page.with_name(f"{page.stem}_runs.csv")
    return [_write(page.with_suffix(".csv"), settings_csv(data)), _write(runs, runs_csv(data))]


def settings_csv(data: ComparisonData) -> str:
    """All digits: a row a setting, with the ends of every interval."""
    keys = list(dict.fromkeys(key for setting in data.settings for key, _ in setting.overrides))
    columns = score_columns(data)
    heads = ["setting", *keys, "n", *_ends(f"val {data.score}"), *_ends(f"test {data.score}")]
    heads += [*_ends("difference"), "p", "p_holm", "unit", *(end for each in columns[1:] for end in _ends(each.key))]
    units = {each.a: each.unit for each in (*data.setting_comparisons, *data.baseline_comparisons)}
    rows = []
    for place, (setting, compared) in enumerate(zip(data.rows, differences(data), strict=True)):
        row: list[object] = [name_of(setting, data), *(dict(setting.overrides).get(key) for key in keys), setting.n]
        row += [*_values(setting.val), *_values(setting.test)]
        if compared is None:
            row += [None] * 6
        else:
            difference, ends, p, _ = compared.comparison
            row += [*_values(Score(difference, ends)), defined(p), defined(compared.adjusted_p), units[setting.name]]
        rows.append([*row, *(value for each in columns[1:] for value in _values(each.scores[place]))])
    return _csv(heads, rows)


def runs_csv(data: ComparisonData) -> str:
    """All digits: a row a run, in the order of the page."""
    keys = varied_overrides(data.runs)
    scores = [each.key for each in score_columns(data)]
    heads = ["run", *keys, "state", *_ends(f"val {data.score}"), *(end for key in scores for end in _ends(key))]
    rows = [
        [
            run.name,
            *(run.overrides.get(key) for key in keys),
            run.state,
            *_values(run.score("val", data.score)),
            *(value for key in scores for value in _values(run.score("test", key))),
        ]
        for run in data.runs
    ]
    return _csv(heads, rows)


def settings_markdown(data: ComparisonData) -> str:
    """Three digits, the best of each column in bold."""
    heads, rows = _cells(data, lambda text: f"**{text}**", _markdown)
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + f"\n{_markdown(_note(data))}\n"


def settings_latex(data: ComparisonData) -> str:
    """Three digits, the best of each column in bold, for the package booktabs."""
    heads, rows = _cells(data, lambda text: rf"\textbf{{{text}}}", latex_text)
    body = "".join(f"{' & '.join(row)} \\\\\n" for row in rows)
    columns = "l" + "r" * (len(heads) - 1)
    return (
        f"% \\usepackage{{booktabs}}\n% {latex_text(_note(data))}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{' & '.join(heads)} \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )


def latex_text(text: str) -> str:
    """Any text as LaTeX prints it: no character acts."""
    return "".join(_LATEX.get(char, char) for char in visible(text))


def _markdown(text: str) -> str:
    """Any text as Markdown shows it: a backslash before a character that acts there makes it text."""
    return re.sub(r"([\\`*_\[\]<>|~#&!$^])", r"\\\1", visible(text))


def _cells(
    data: ComparisonData, bold: Callable[[str], str], escaped: Callable[[str], str]
) -> tuple[list[str], list[list[str]]]:
    """Headings and rows, escaped."""
    against, columns = reference(data), score_columns(data)
    heads = ["setting", "n", *(f"{each.title}" for each in columns)]
    heads += [] if against is None else [f"difference to {against or 'all runs'}", "p"]
    rows = []
    for place, (setting, compared) in enumerate(zip(data.rows, differences(data), strict=True)):
        row = [escaped(name_of(setting, data)), str(setting.n)]
        for number, column in enumerate(columns):
            score = column.scores[place]
            text = "–" if score is None else interval(score) if number == 0 else f"{score.value:.3f}"
            row.append(bold(escaped(text)) if place in column.best else escaped(text))
        if against is not None:
            row += [escaped(each).replace("-{}", "$-$") for each in difference_cells(compared)]  # a minus in LaTeX
        rows.append(row)
    return [escaped(head) for head in heads], rows


def _note(data: ComparisonData) -> str:
    """What the table shows."""
    ranked = f"{data.n_settings} settings were tried; the best on validation first; " if data.n_settings else ""
    parts = [f"{ranked}scores on test."]
    if data.nested is not None:
        nested = f" Nested selection: {interval(data.nested.score)}." if data.n_settings > 1 else ""
        parts.append(f"Means over the folds of a cross-validation with 95 % intervals (corrected resampled t).{nested}")
    elif any(setting.n > 1 for setting in data.settings):
        parts.append("Means over n replicates with 95 % intervals (Student's t).")
    if len(data.setting_comparisons) > 1:
        parts.append("p after Holm's correction, with intervals of the differences that agree with it.")
    return " ".join(parts)


def _ends(name: str) -> list[str]:
    return [name, f"{name} low", f"{name} high"]


def _values(score: Score | None) -> list[float | None]:
    if score is None:
        return [None, None, None]
    low, high = score.interval or (None, None)
    return [defined(score.value), low, high]


def _csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([csv_cell(each) for each in row] for row in [heads, *rows])
    return out.getvalue()


def _write(path: Path, text: str) -> Path:
    with atomic_write(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")
    return path
