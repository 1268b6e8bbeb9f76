"""The data summary in the terminal: short before a fit, in full on request."""

import pytest

from imbalance_lab.data.summary import ClassSummary, DataSummary
from imbalance_lab.report.data_summary import print_summary


def summary(n_classes: int = 3, n_warnings: int = 10) -> DataSummary:
    classes = [
        ClassSummary(f"class {c}", "few" if c else "many", 1000 // (c + 1), 7, 1.5, None if c == 0 else 0.25, val=c)
        for c in range(n_classes)
    ]
    warnings = [f"remark {number}" for number in range(n_warnings)]
    return DataSummary(classes, {"train": 1833, "val": 3, "test": 21}, 3.0, ["a leak"], warnings)


def test_the_short_form_has_totals_errors_and_the_first_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(), "data_summary.json", full=False)
    assert capsys.readouterr().out.splitlines() == [
        "1,833 train + 3 val + 21 test examples of 3 classes (1 many, 2 few), imbalance factor 3",
        "error: a leak",
        *(f"warning: remark {number}" for number in range(8)),
        "and 2 more warnings, in data_summary.json",
    ]


def test_the_full_form_has_more_warnings_and_the_rarest_classes(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(summary(n_classes=45, n_warnings=23), "data_summary.json", full=True)
    shown = capsys.readouterr().out
    assert "warning: remark 19" in shown
    assert "and 3 more warnings, in data_summary.json" in shown
    assert "the 15 rarest of 45 classes; more in data_summary.json" in shown
    rows = [line for line in shown.splitlines() if line.startswith("class ")]
    assert len(rows) == 1 + 15  # with the heading
    assert rows[2].split() == ["class", "44", "22", "44", "7", "few", "1.5", "0.125"]
