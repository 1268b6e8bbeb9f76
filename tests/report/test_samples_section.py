"""The section with sample images: any class name, no request, nothing wider than the page."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from imbalance_lab.app.evaluate import evaluate_run
from imbalance_lab.data import Arrays, NoAugmentation, ShiftFlip, Splits, digits
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.evaluation.sample_images import write_samples
from imbalance_lab.report.sample_figure import draw_samples, write_sample_figure
from imbalance_lab.text import visible
from tests.conftest import composed
from tests.helpers.browser import Opened, needs_browser
from tests.helpers.runs import HOSTILE, rewritten

TRAIN = digits().test
NAMES = (*HOSTILE[:6], "", "日本語", "x" * 200, "line\nbreak")


def samples(path: Path, augment: Any) -> Any:
    arrays = Arrays(TRAIN.inputs, TRAIN.targets, torch.arange(len(TRAIN)))
    return write_samples(path, Splits(NAMES, arrays, arrays, arrays), augment, seed=0)


@pytest.mark.parametrize(("augment", "columns"), [(NoAugmentation(), 1), (ShiftFlip(1), 2)])
def test_the_figure_has_a_row_a_class_and_takes_any_name(augment: Any, columns: int, tmp_path: Path) -> None:
    found = samples(tmp_path / "samples.parquet", augment)
    write_sample_figure(tmp_path / "samples.png", found, NAMES)
    figure = draw_samples(found, NAMES)
    assert len(figure.images) == columns * len(found)
    assert len(figure.texts) == columns + len(found)
    drawn = np.asarray(Image.open(tmp_path / "samples.png").convert("L"))
    assert drawn.shape[1] < 700
    assert (drawn < 50).mean() > 0.1  # black around the digits
    assert (tmp_path / "samples.png").stat().st_size < 60_000


@pytest.fixture(scope="module")
def page(finished_run: Path, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    directory = tmp_path_factory.mktemp("samples")
    report = rewritten(finished_run, directory, NAMES)
    without = report.read_text()
    assert 'id="samples-section"' not in without
    samples(RunDirectory(directory).samples, ShiftFlip(1))
    evaluate_run(RunDirectory(directory), composed())
    return Opened(browser, report)


@needs_browser
def test_the_page_shows_the_samples_of_a_run_that_has_them(page: Opened) -> None:
    rows = page.page.locator("#samples tbody tr")
    assert rows.count() == 8
    names = page.page.locator("#samples tbody td:first-child").all_inner_texts()
    assert set(names) <= {visible(name) or "(no name)" for name in NAMES}
    loaded = page.page.evaluate("[...document.querySelectorAll('#samples img')].map(each => each.naturalWidth)")
    assert len(loaded) == 16
    assert min(loaded) == 3 * 64 + 2 * 2
    assert not page.complaints
    assert all(address.startswith(("file:", "data:", "blob:")) for address in page.requests)
    for width in (1400, 400):
        page.page.set_viewport_size({"width": width, "height": 800})
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
