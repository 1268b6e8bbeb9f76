import json
import sys
from dataclasses import asdict

import pytest
from table_benchmark.command import chosen_sources
from table_benchmark.results import Result

from scripts import reproduce


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["reproduce.py", "tables", *map(str, words)])
    reproduce.main()


def test_the_page_is_written_from_results_alone(tmp_path, monkeypatch, capsys):
    results, page = tmp_path / "r.jsonl", tmp_path / "page.md"
    lines = [
        Result("ecoli3", 0, 0, method, "1", 0.9, 0.5, 0.1, 0.1, 0.1, 0.1, 1.0) for method in ("LightGBM", "XGBoost")
    ]
    results.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    run(monkeypatch, "--only", "page", "--cache", tmp_path, "--results", results, "--page", page)
    assert capsys.readouterr().out.strip() == str(page)
    assert "| ecoli3 | **0.900** | **0.900** |" in page.read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--table", "ecoli"], "there is no table 'ecoli': choose among abalone"),
        (["--only", "peers", "--method", "SVM"], "there is no peer 'SVM': choose among LogisticRegression"),
        (["--only", "ours", "--ours", "=x"], "--ours '=x' has no name"),
        (["--only", "page"], "holds no result: measure first"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words, sentence, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=f"error: .*{sentence}"):
        run(monkeypatch, *words, "--cache", tmp_path, "--results", tmp_path / "r.jsonl")


def test_the_held_out_half_comes_first():
    halves = [source.half for source in chosen_sources(None, [])]
    assert halves == sorted(halves, reverse=True)
    assert {source.half for source in chosen_sources("development", [])} == {"development"}
    assert [source.name for source in chosen_sources(None, ["pima"])] == ["pima"]
