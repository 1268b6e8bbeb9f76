"""The scores of one split in the terminal: a table of the classes, and the headline scores."""

from collections.abc import Sequence

from rich.table import Table

from imbalance_lab.evaluation.evaluation import Evaluation
from imbalance_lab.evaluation.scores import FEW_POSITIVES, ClassScores
from imbalance_lab.evaluation.shot_groups import score_shot_groups
from imbalance_lab.report.terminal import interval, number, plain_table

MAX_CLASSES, LISTED = 20, 15
"""So many classes are all listed; of more, this many: the rarest."""


def listed_classes(train_counts: Sequence[int], reported: Sequence[int] | None = None) -> list[int]:
    """The classes that a table lists: all in their order, or of many the rarest, those first.

    Args:
        train_counts: training examples of each class, (C,).
        reported: the classes that the task reports; None for all.
    """
    classes = list(range(len(train_counts)) if reported is None else reported)
    return classes if len(classes) <= MAX_CLASSES else sorted(classes, key=lambda c: train_counts[c])[:LISTED]


def rarest_caption(shown: Sequence[int], n_classes: int) -> str | None:
    """What a table says that lists the rarest classes only; None if it lists all."""
    return f"the {len(shown)} rarest of {n_classes:,} classes" if 1 < len(shown) < n_classes else None


def evaluation_table(evaluation: Evaluation, title: str, more: str | None = None, *, is_decided: bool = False) -> Table:
    """Per class: training count, group, positives, AUROC and AP with intervals, recall.

    Of more than `MAX_CLASSES` classes, the rarest; of a binary task, the positive class.

    Args:
        evaluation: the scores.
        title: above the table.
        more: where the scores of all classes are.
        is_decided: whether other lines say what the decisions find, which are not those of the most probable class.
    """
    shown = shown_classes(evaluation)
    table = plain_table(title, more)
    table.add_name_column()
    table.add_number_columns(("train n", 4), ("group", 5), ("test n", 2), ("AUROC [95 % CI]", 1))
    table.add_number_columns(("AP [95 % CI]", 3), *(() if is_decided else (("recall", 0),)))
    table.columns[2].justify = "left"
    for scores in (evaluation.classes[c] for c in shown):
        table.add_row(*_row(scores)[: len(table.columns)], style="yellow" if scores.has_few_positives else None)
    table.caption = rarest_caption(shown, len(evaluation.classes))
    return table


def shown_classes(evaluation: Evaluation) -> list[int]:
    """The classes that the tables of this evaluation list."""
    return listed_classes(evaluation.train_counts, evaluation.predictions.task.reported_classes)


def summary_lines(evaluation: Evaluation, *, is_decided: bool = False) -> list[str]:
    """The headline scores, a line each; a binary task has no means over classes but the balanced accuracy.

    ``is_decided`` as for `evaluation_table`.
    """
    reported = [evaluation.classes[c] for c in evaluation.predictions.task.reported_classes]
    is_binary = len(reported) < len(evaluation.classes)
    lines = [] if is_binary else _macro_lines(evaluation)
    if not is_decided:
        lines.append(f"balanced accuracy  {interval(evaluation.balanced_accuracy)}")
    if not is_binary:
        lines += _group_lines(evaluation)
    rare = sum(scores.has_few_positives for scores in reported)
    if rare:
        of = "" if is_binary else f" ({rare} of {len(reported)} classes)"
        lines.append(f"* fewer than {FEW_POSITIVES} positives in the split{of}: interpret with care")
    return lines


def prior_words(prior: Sequence[float]) -> str:
    """Class priors in words: of many classes the smallest and the largest."""
    shares = [round(float(share), 4) for share in prior]
    if len(shares) <= MAX_CLASSES:
        return f"the class priors {shares}"
    return f"class priors from {min(shares)} to {max(shares)} (operating_point.json)"


def _macro_lines(evaluation: Evaluation) -> list[str]:
    of = f"{evaluation.n_defined} of {len(evaluation.classes)} classes"
    return [f"macro AUROC        {interval(evaluation.macro_auroc)}  over {of}"]


def _group_lines(evaluation: Evaluation) -> list[str]:
    """Mean recall and AUROC of the classes with many, medium and few training examples, if there are several groups."""
    groups = score_shot_groups(evaluation)
    if len(groups) < 2:
        return []
    return [
        f"{each.group:6} {each.n_classes:4} {'class  ' if each.n_classes == 1 else 'classes'}  "
        f"mean recall {number(each.recall)}  mean AUROC {number(each.auroc)}"
        for each in groups
    ]


def _row(scores: ClassScores) -> list[str]:
    flag = "*" if scores.has_few_positives else ""
    return [
        scores.name,
        f"{scores.train_count:,}",
        scores.group,
        f"{scores.n_positive:,}{flag}",
        interval(scores.auroc),
        interval(scores.average_precision),
        number(scores.recall.value),
    ]
