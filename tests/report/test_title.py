"""The title of a page: short, with the whole text on hover."""

from imbalance_lab.evaluation.report_data import RunRecord
from imbalance_lab.evaluation.run_title import RunTitle
from imbalance_lab.report.title import MAX_PART, page_title


def test_long_values_are_shortened_in_the_middle_and_kept_for_the_hover_text() -> None:
    path = "data.val_path=/the/very/long/way/to/a/folder/of/the/hospital/with/stays_of_2024.csv"
    record = RunRecord(
        "03-41-10", {}, started="2026-11-28T03:41:10+00:00", title=RunTitle(("t" * 90 + ".csv",), (path,))
    )
    texts = page_title(record)
    assert len(texts["title"]) == MAX_PART
    assert texts["title"].endswith(".csv")
    assert texts["title_full"] == "t" * 90 + ".csv"
    [(short, full)] = texts["title_overrides"]
    assert full == path
    assert short.startswith("data.val_path=/the/")
    assert short.endswith("2024.csv")
    assert len(short) < 60
    assert [each for each, _ in texts["title_place"]] == ["03-41-10", "2026-11-28 03:41"]


def test_a_run_without_a_configuration_is_called_by_its_directory() -> None:
    texts = page_title(RunRecord("03-41-10", {}))
    assert (texts["title"], texts["title_overrides"], texts["title_place"]) == ("03-41-10", [], [])
