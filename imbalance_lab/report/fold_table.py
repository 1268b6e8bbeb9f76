"""What a cross-validation found, as a table and sentences for the terminal and the page."""

from collections.abc import Sequence

from imbalance_lab.evaluation.fold_scores import Folds
from imbalance_lab.evaluation.join_folds import OF_SUMS, JoinedFolds
from imbalance_lab.evaluation.score_keys import heading, stored_scores
from imbalance_lab.report.plain_table import PlainTable
from imbalance_lab.report.terminal import interval, number, plain_table
from imbalance_lab.text import visible

MACRO = ("auroc", "average_precision", "balanced_accuracy", "accuracy", "macro_f1", "log_loss")
OF_CLASS = ("auroc", "average_precision", "recall", "precision")
AT_THRESHOLD = ("recall_at_threshold", "precision_at_threshold", "f1_at_threshold")


def shown_scores(joined: JoinedFolds) -> list[str]:
    """The keys of the scores that are shown: of the positive class of two, or of the whole split."""
    task = joined.evaluations[0].predictions.task
    keys = [*MACRO]
    if task.positive is not None:
        name = task.classes[task.positive]
        keys = [f"{score}/class/{name}" for score in (*OF_CLASS[:2], *AT_THRESHOLD)]
        keys += ["balanced_accuracy", "log_loss"]
    known = stored_scores(joined.scores, "test")
    return [key for key in keys if key in known]


def fold_lines(joined: JoinedFolds) -> list[str]:
    """The sentences above the table: the first score with its interval, and what it is."""
    folds = joined.folds
    known = stored_scores(joined.scores, "test")
    keys = shown_scores(joined)
    lines = [f"{heading(key)} {interval(known[key])}: {_what(key, folds)}." for key in keys[:1]]
    lines += [
        f"{heading(key)} is defined in {len(folds.values('test', key))} of {len(folds.scores)} folds."
        for key in keys
        if len(folds.values("test", key)) < len(folds.scores)
    ]
    return list(map(visible, lines))


def fold_table(joined: JoinedFolds, where: str) -> PlainTable:
    """One row a fold, and below them all together; ``where`` names the file that has all scores."""
    folds, keys = joined.folds, shown_scores(joined)
    known = stored_scores(joined.scores, "test")
    table = plain_table(f"{len(folds.scores)} folds{_of_class(joined)}", where)
    table.add_column("fold", no_wrap=True)
    table.add_number_columns(
        ("n", 9), *((short_heading(key), 0 if place == 0 else 1 + place) for place, key in enumerate(keys))
    )
    for each in folds.scores:
        table.add_row(str(each.number), f"{each.n_test:,}", *(number(each.test.get(key, float("nan"))) for key in keys))
    table.add_section()
    total = sum(each.n_test for each in folds.scores[: folds.folds])
    table.add_row("all", f"{total:,}", *(number(known[key].value) for key in keys))
    ends = [known[key].interval for key in keys]
    table.add_row("95 % CI", "", *("–" if each is None else f"[{each[0]:.3f}, {each[1]:.3f}]" for each in ends))
    table.caption = "; ".join(notes(folds, keys))
    return table


def notes(folds: Folds, keys: Sequence[str]) -> list[str]:
    """What the rows are of."""
    summed = [short_heading(key) for key in keys if is_of_sums(key)]
    found = [f"all: means over folds{_repeats(folds)}"]
    found += [f"{', '.join(summed)}: from the counts of all folds"] if summed else []
    return [*found, "intervals: corrected resampled t, which accounts for the examples that folds share"]


def short_heading(key: str) -> str:
    """The heading of a score without its class."""
    name = key.partition("/")[0]
    if name.endswith("_at_threshold"):
        return f"{name.removesuffix('_at_threshold')} at threshold"
    return heading(name)


def _of_class(joined: JoinedFolds) -> str:
    task = joined.evaluations[0].predictions.task
    return "" if task.positive is None else f", scores of “{task.classes[task.positive]}”"


def is_of_sums(key: str) -> bool:
    """Whether a score is computed from the counts of all folds, and is not their mean."""
    name = key.partition("/")[0]
    return name in OF_SUMS or name.endswith("_at_threshold")


def _what(key: str, folds: Folds) -> str:
    if is_of_sums(key):
        return f"from the counts of {len(folds.scores)} folds together, 95 % interval of the corrected resampled t"
    over = f"{folds.folds} folds" + (f" × {folds.repeats} repeats" if folds.repeats > 1 else "")
    return f"the mean over {over}, 95 % interval of the corrected resampled t test"


def _repeats(folds: Folds) -> str:
    return f" and {folds.repeats} repeats" if folds.repeats > 1 else ""
