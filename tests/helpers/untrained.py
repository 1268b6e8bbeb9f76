"""Small untrained models of every kind of data, backbone and post-processing, evaluated on random examples."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imbalance_lab.backbones import CosineHead
from imbalance_lab.backbones.members import build_head, num_members
from imbalance_lab.data import ArraySchema, ImageSchema, InputSchema, Normalize, Preprocess, TableSchema
from imbalance_lab.data.columns import Column
from imbalance_lab.deployment.export.rows import Rows
from imbalance_lab.model import Model
from imbalance_lab.posthoc import (
    BiasCorrectedScaling,
    DeployPrior,
    MaxF1,
    MinRecall,
    NoCalibration,
    NoPriorCorrection,
    TemperatureScaling,
    fit_postprocessor,
)
from imbalance_lab.task import Task

N = 1200
NUMBERS = (Column("amount", "number"), Column("age", "number"), Column("rate", "number"))
CATEGORIES = (Column("shop", "category", ("a", "b=c", "ü")), Column("code", "category", (1, 2, 40)))
CALIBRATIONS: dict[str, Any] = {
    "none": NoCalibration(),
    "temperature": TemperatureScaling(),
    "bias_corrected": BiasCorrectedScaling(),
}


def examples(data: str, classes: tuple[str, ...], n: int = N) -> tuple[InputSchema, nn.Module, Tensor]:
    """Of one kind of data: the schema, the preparation fitted on random examples, and these, encoded.

    Kinds: "floats" and "bytes", arrays; "numbers", "categories" or "mixed" tables, the last with missing values, and
    "quantile", the last scaled so; "gray", "color", "gray16" and "color16" images of 32 × 32 pixels.
    """
    generator = torch.Generator().manual_seed(0)
    if data in ("floats", "bytes"):
        shape = (12,) if data == "floats" else (1, 8, 8)
        inputs = torch.randn(n, *shape, generator=generator)
        inputs = inputs * 3 + 1 if data == "floats" else (inputs * 60 + 128).clamp(0, 255).byte()
        schema = ArraySchema(classes, shape, str(inputs.dtype).removeprefix("torch."))
        return schema, Normalize.fitted(inputs), inputs
    if data in ("gray", "color", "gray16", "color16"):
        channels, deep = 1 if "gray" in data else 3, data.endswith("16")
        inputs = torch.randint(0, 65536 if deep else 256, (n, channels, 32, 32), generator=generator)
        inputs = inputs.float() if deep else inputs.byte()
        return ImageSchema(classes, 32, channels, deep, 10**6), Normalize.fitted(inputs), inputs
    columns = {"numbers": NUMBERS, "categories": CATEGORIES}.get(data, NUMBERS + CATEGORIES)
    numbers = sum(column.kind == "number" for column in columns)
    rows = torch.randn(n, len(columns), generator=generator).exp()
    for at, column in enumerate(columns[numbers:], numbers):
        rows[:, at] = torch.randint(0, len(column.categories) + 1, (n,), generator=generator)
    if data in ("mixed", "quantile"):
        rows[::7, 1] = torch.nan
        rows[1::3, 0] = 2.0  # ties
    fitted = Preprocess.fitted(rows, numbers, "quantile" if data == "quantile" else "standard")
    gaps = tuple(columns[at].name for at in fitted.gaps.tolist())
    scaling = "quantile" if data == "quantile" else "standard"
    return TableSchema(classes, columns, ("y",), scaling, gaps, fitted.quantiles.shape[1]), fitted, rows


def untrained(
    data: str,
    backbone: type[nn.Module],
    *,
    head: str = "linear",
    calibration: str = "temperature",
    prior: bool = False,
    kind: str = "multiclass",
    activation: str = "softmax",
    n: int = N,
    **options: Any,
) -> tuple[Model, Rows]:
    """A model with random weights and statistics, whose thresholds are log-odds of its examples, and these."""
    torch.manual_seed(0)
    classes = ("no", "yes") if kind == "binary" else ("first", "second", "third")
    schema, prepare, inputs = examples(data, classes, n)
    arguments = {"cardinalities": schema.cardinalities} if schema.cardinalities else {}
    net: Any = backbone(input_shape=schema.prepared_shape, **arguments, **options)
    last = build_head(
        lambda: (CosineHead if head == "cosine" else nn.Linear)(net.num_features, len(classes)), num_members(net)
    )
    with torch.no_grad():
        net.train()(prepare(inputs[:64]))  # statistics of batch normalization
    task = Task(kind, classes, activation)  # type: ignore[arg-type]
    model = Model(task, schema, prepare, net, last, None).eval().requires_grad_(False)
    logits = model.logits_of(inputs)
    noise = np.random.default_rng(0).normal(size=logits.shape) * logits.std(0)
    noisy = logits - logits.mean(0) + noise
    target = (noisy > 0.8 * logits.std(0)).astype(np.int64) if kind == "multilabel" else noisy.argmax(1)
    share = (0.3,) * len(classes) if activation == "sigmoid" else tuple(np.full(len(classes), 1 / len(classes)))
    deployed = (0.05,) * len(classes) if activation == "sigmoid" else (0.9, *[0.1 / (len(classes) - 1)] * len(classes))
    postprocessor = fit_postprocessor(
        logits,
        target,
        classes,
        MinRecall(0.8, confidence=0.5) if prior else MaxF1(min_positives=5),
        train_prior=share,
        activation=activation,  # type: ignore[arg-type]
        calibration=CALIBRATIONS[calibration],
        prior_correction=DeployPrior(deployed[: len(classes)]) if prior else NoPriorCorrection(),
    )
    model = model.with_postprocessor(postprocessor)
    names = [f"row {at}" for at in range(n)]
    rows = Rows(inputs, model.output(logits), postprocessor.log_odds(logits), lambda at: [names[i] for i in at])
    return model, rows
