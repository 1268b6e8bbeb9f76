"""Sample images of the training split as one picture, for whoever checks the data before training."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from imbalance_lab.evaluation.sample_images import ClassSamples
from imbalance_lab.files import atomic_write
from imbalance_lab.report.curves import short

DPI = 100
MARGIN, LABEL, HEADING = 12, 170, 28
"""Pixels around everything and between rows and columns, of the class names, and above the rows."""


def write_sample_figure(path: Path, samples: Sequence[ClassSamples], classes: Sequence[str]) -> None:
    """Write a PNG with a row for each class: its name, images as they are read, and the same augmented."""
    with atomic_write(path) as unfinished, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # of a class name
        draw_samples(samples, classes).savefig(unfinished, format="png", dpi=DPI)


def draw_samples(samples: Sequence[ClassSamples], classes: Sequence[str]) -> Figure:
    """The figure, at whose resolution a pixel of the stored pictures is one of the figure."""
    rows = [[_decoded(each.plain), _decoded(each.augmented)] for each in samples]
    strips = [strip for row in rows for strip in row if strip is not None]
    height, width = (max(strip.shape[side] for strip in strips) for side in (0, 1))
    columns = 2 if any(row[1] is not None for row in rows) else 1
    whole = (LABEL + columns * (width + MARGIN) + MARGIN, HEADING + len(rows) * (height + MARGIN) + MARGIN)
    figure = Figure(figsize=(whole[0] / DPI, whole[1] / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    for column, heading in enumerate(("as read", "augmented")[:columns]):
        x = LABEL + column * (width + MARGIN)
        figure.text(x / whole[0], 1 - 0.6 * HEADING / whole[1], heading, va="center", fontsize=8, color="0.35")
    for number, (each, row) in enumerate(zip(samples, rows, strict=True)):
        top = HEADING + number * (height + MARGIN)
        name = short(classes[each.of_class], 22) or "(no name)"
        middle = 1 - (top + height / 2) / whole[1]
        figure.text(MARGIN / whole[0], middle, name, va="center", fontsize=8, parse_math=False)
        for column, strip in enumerate(row):
            if strip is not None:
                x, y = LABEL + column * (width + MARGIN), whole[1] - top - strip.shape[0]
                figure.figimage(strip, x, y, cmap="gray", vmin=0, vmax=255)
    return figure


def _decoded(content: bytes | None) -> NDArray[np.uint8] | None:
    return None if content is None else np.asarray(Image.open(io.BytesIO(content)))
