from table_benchmark.page import Page
from table_benchmark.results import Result
from table_benchmark.sources import DEVELOPMENT, HELD_OUT


def result(table, method, auroc, loss=0.5):
    return Result(table, 0, 0, method, "1", auroc, auroc, loss, loss, 0.1, 0.1, 1.0)


def page(tmp_path, *results):
    return Page(results, "ours: default", tmp_path).text()


def both(table, ours, theirs, loss=0.5):
    return result(table, "ours: default", ours, loss), result(table, "LightGBM", theirs)


HELD = [source.name for source in HELD_OUT[:4]]


def test_goals_are_those_of_the_held_out_half_first(tmp_path):
    results = [*both(HELD[0], 0.9, 0.8), *both(HELD[1], 0.9, 0.8), *both(DEVELOPMENT[0].name, 0.5, 0.9, loss=0.9)]
    text = page(tmp_path, *results)
    held, development = text.split("## Development half")
    assert f"2 of its {len(HELD_OUT)} tables" in held
    assert held.count("not reached") == 0
    assert held.count("reached (") == 4
    assert development.count("**not reached**") == 3
    assert "at most 2 tables: reached (1: abalone" in development


def test_three_tables_far_behind_are_too_many(tmp_path):
    text = page(tmp_path, *(each for name in HELD[:3] for each in both(name, 0.8, 0.82)))
    assert f"at most 2 tables: **not reached** (3: {', '.join(HELD[:3])})" in text
    text = page(tmp_path, *(each for name in HELD[:3] for each in both(name, 0.8, 0.8199)))
    assert "at most 2 tables: reached (0)" in text


def test_what_is_not_measured_is_said(tmp_path):
    text = page(tmp_path, result(HELD[0], "LightGBM", 0.9), result(HELD[0], "XGBoost", 0.8))
    assert "have not both been measured yet" in text
    assert "No table has been measured with every method yet." in text
    assert "nan" not in text.lower()


def test_other_settings_are_compared_with_the_headline(tmp_path):
    results = [*both(HELD[0], 0.8, 0.85), result(HELD[0], "ours: tabm", 0.9)]
    text = page(tmp_path, *results)
    assert "| held-out | ours: tabm | 1 | 1.00 | 1.00 | 1.50 | 0 | 1 – 0 – 0 |" in text
    assert "| held-out | ours: default | 1 | 2.00 | 2.00 | 1.50 | 1 |  |" in text
    assert str(tmp_path) not in text
