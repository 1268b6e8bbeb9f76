"""``imbalance-lab predict RUN INPUT -o OUT``: what a trained model says about a file."""

import argparse
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imbalance_lab.errors import UsageError
from imbalance_lab.text import shell_words

if TYPE_CHECKING:
    from imbalance_lab.deployment.inputs import InputOptions
    from imbalance_lab.deployment.predict import PredictionSummary
    from imbalance_lab.model import Model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``predict``."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory, or a checkpoint of one")
    parser.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="a .csv, .tsv or .parquet file, a folder of them, or a pattern in quotes; a folder of images, a table of "
        "paths, or an image; a .npy or .npz file",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="a .csv or .parquet file")
    parser.add_argument(
        "--id", action="append", default=[], metavar="COLUMN", help="name the rows by this column; may be repeated"
    )
    parser.add_argument("--score", action="store_true", help="the input has labels: print the scores on them too")
    _add_dialect(parser)
    decisions = parser.add_argument_group("decide differently, without training again")
    decisions.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="CLASS=P",
        help="flag the class from this probability on; may be repeated",
    )
    decisions.add_argument(
        "--operating-point",
        metavar="RULE",
        help="choose thresholds by this rule on validation, as in max_f1, min_recall=0.9 or "
        "min_cost:false_positive=1,false_negative=50",
    )
    decisions.add_argument(
        "--deploy-prior",
        metavar="P1,P2,…",
        help="adjust the probabilities to these class priors, in the order of the classes",
    )
    parser.add_argument("--device", default="auto", help="auto (a GPU if there is one), cpu, cuda or cuda:1")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PACKAGE", help="your own package that the model was built from"
    )


def _add_dialect(parser: argparse.ArgumentParser) -> None:
    written = parser.add_argument_group("how a text file is written, where what is detected is wrong")
    written.add_argument("--delimiter", metavar="MARK", help="comma, semicolon, tab, pipe, space, or a character")
    written.add_argument("--decimal", metavar="MARK", help="point or comma")
    written.add_argument("--thousands", metavar="MARK", help="comma, point, space or apostrophe")
    written.add_argument("--encoding", metavar="NAME", help="utf-8, utf-16, cp1252, …")
    written.add_argument(
        "--missing",
        action="append",
        metavar="TEXT",
        help="what stands for a missing value, instead of what did in training; may be repeated",
    )


def run(options: argparse.Namespace) -> None:
    """Predict, write, and print the summary.

    Raises:
        UsageError: for a run, an input or an option that does not fit; no file is written then.
    """
    from imbalance_lab.app.decide import decided
    from imbalance_lab.deployment.inputs import open_input
    from imbalance_lab.deployment.predict import predict
    from imbalance_lab.deployment.predictions_file import check_output
    from imbalance_lab.files import remove_leftovers
    from imbalance_lab.model import load_model
    from imbalance_lab.progress import progress

    if not options.run.exists():
        raise UsageError(f"{options.run} does not exist: name a run directory, or a checkpoint of one")
    if not options.input.exists() and not has_magic(str(options.input)):
        raise UsageError(f"{options.input} does not exist: name the input")
    check_output(options.output, options.input)
    model = load_model(options.run, allow=options.allow)
    model = decided(model, options.run, options.threshold, options.operating_point, options.deploy_prior)
    model.to(_device(options.device))
    source = open_input(options.input, model.schema, _input_options(options, model))
    remove_leftovers(options.output.parent)
    with progress("predicting") as step:
        summary = predict(model, source, options.output, step)
    _print(model, summary, source.notes, options)


def _device(name: str) -> Any:
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {name} cannot be used here ({str(error).splitlines()[0]}): use cpu") from error


def _input_options(options: argparse.Namespace, model: "Model") -> "InputOptions":
    """Where the input has paths and labels, as the data of the run have them."""
    from imbalance_lab.data.dialect import OPTIONS, DialectOptions
    from imbalance_lab.data.table_schema import TableSchema
    from imbalance_lab.deployment.inputs import InputOptions

    labels: Any = None
    if options.score:
        labels = model.data_options.get("label", "targets")
        if isinstance(model.schema, TableSchema):
            targets = model.schema.targets
            labels = list(targets) if model.task.is_multilabel else targets[0]
    try:
        dialect = DialectOptions.parse(**{name: getattr(options, name) for name in OPTIONS})
    except ValueError as error:
        raise UsageError(str(error).replace("data.", "--")) from error
    return InputOptions.as_trained(model.data_options, ids=tuple(options.id), labels=labels, dialect=dialect)


def _print(model: "Model", summary: "PredictionSummary", notes: list[str], options: argparse.Namespace) -> None:
    from imbalance_lab.class_counts import ShotLimits
    from imbalance_lab.data.encode_columns import describe_unknown
    from imbalance_lab.deployment.prediction_table import difference_lines, prediction_table
    from imbalance_lab.evaluation.evaluation import Evaluation, adjusted
    from imbalance_lab.report.evaluation_table import evaluation_table, summary_lines
    from imbalance_lab.report.terminal import console, print_path
    from imbalance_lab.report.threshold_table import listed_thresholds

    out = console()
    for sentence in [*notes, *describe_unknown(summary.unknown, summary.n)]:
        out.print(f"note: {sentence}", soft_wrap=True)
    title = f"Predictions for {summary.n:,} examples of {options.input}"
    out.print(prediction_table(summary, title, model.class_counts, model.task.reported_classes))
    for line in difference_lines(summary, shell_words("imbalance-lab", "watch", str(options.run), str(options.input))):
        out.print(line, soft_wrap=True)
    if summary.scored is not None:
        postprocessor = model.evaluated_postprocessor
        on_test = postprocessor.evaluate_on(summary.scored.logits, summary.scored.target)
        scored = adjusted(summary.scored, postprocessor) if postprocessor.prior_correction else summary.scored
        known = {key: model.data_options[key] for key in ShotLimits._fields if key in model.data_options}
        scores = Evaluation(scored, model.class_counts, ShotLimits(**known))
        out.print("")
        out.print(evaluation_table(scores, f"Scores on {options.input}"))
        for line in ["", *summary_lines(scores), ""]:
            out.print(line)
        if (thresholds := listed_thresholds(scores, postprocessor.thresholds, on_test, None)) is not None:
            out.print(thresholds)
    out.print()
    print_path(options.output)
