import json
import time
from dataclasses import replace

import numpy as np
import pytest
from image_benchmark import measure as module
from image_benchmark.measure import Plan, command_words, measure, prediction_file
from image_benchmark.methods import CROSS_ENTROPY, LOGIT_ADJUSTMENT, Method
from image_benchmark.results import ImageResult, score
from image_benchmark.stored_run import StoredRun
from measurements.json_lines import append_line, read_lines

from imbalance_lab.app.compose import compose_config


@pytest.fixture
def plan(image_set, tmp_path):
    return Plan([image_set], [], range(3), False, [tmp_path / "r.jsonl"], tmp_path / "predictions", "c0ffee")


@pytest.fixture
def quick(monkeypatch):
    """Composing a configuration for each score would take most of the time of these tests."""

    def quick_score(run, overrides):
        offset = np.log(run.train_prior) if "prior_correction=logit_adjustment" in overrides else 0
        val, test = ((each.logits - offset).argmax(1) == each.target for each in (run.val, run.test))
        return {"balanced_accuracy": float(val.mean())}, {"balanced_accuracy": float(test.mean())}

    monkeypatch.setattr(module, "score", quick_score)


def keys(plan):
    return [result.key[1:] for result in read_lines(plan.results, ImageResult)]


DEFAULTS = [(name, "", seed) for seed in range(3) for name in (CROSS_ENTROPY, LOGIT_ADJUSTMENT, "focal")]


@pytest.mark.usefixtures("quick")
def test_seed_by_seed_and_a_post_processing_trains_nothing(plan, recorder):
    assert measure(plan) == []
    assert keys(plan) == DEFAULTS
    assert recorder.seeds == [0, 0, 1, 1, 2, 2]


@pytest.mark.usefixtures("quick")
def test_what_is_there_is_not_measured_again(plan, recorder):
    measure(replace(plan, seeds=range(2)))
    lines = plan.results[0].read_text()
    measure(plan)
    assert recorder.seeds == [0, 0, 1, 1, 2, 2]
    assert plan.results[0].read_text().startswith(lines)
    assert keys(plan) == DEFAULTS
    assert len(plan.results[0].read_text().splitlines()) == len(DEFAULTS), "no line twice"


@pytest.mark.usefixtures("quick")
def test_results_of_another_file_are_not_measured_again(plan, recorder, tmp_path):
    measure(replace(plan, seeds=range(1)))
    other = tmp_path / "mine.jsonl"
    measure(replace(plan, seeds=range(1), results=[other, plan.results[0]]))
    assert recorder.seeds == [0, 0]
    assert not other.exists()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("when", ["in training", "before the line", "within the line"])
def test_killed_at_any_time_nothing_is_lost_or_doubled(plan, recorder, monkeypatch, when):
    """The third training, or what follows it, is killed; the next call gives what one without an end gives."""
    whole = replace(plan, results=[plan.results[0].with_name("whole.jsonl")])
    measure(whole)
    recorder.seeds.clear()
    trained = recorder.__class__.__call__

    def dies(self, overrides):
        if len(self.seeds) == 2:
            raise KeyboardInterrupt
        return trained(self, overrides)

    def append(path, line):
        if line.key[1:] != (CROSS_ENTROPY, "", 1):
            return append_line(path, line)
        if when == "within the line":
            with path.open("a") as file:
                file.write(json.dumps({"set": "tiny", "method": CROSS_ENTROPY}))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if when == "in training":
            patch.setattr(type(recorder), "__call__", dies)
        else:
            patch.setattr(module, "append_line", append)
        with pytest.raises(KeyboardInterrupt):
            measure(plan)
    assert keys(plan) == DEFAULTS[:3], "what was finished is there"
    measure(plan)
    assert keys(plan) == DEFAULTS
    found, wanted = (read_lines(each.results, ImageResult) for each in (plan, whole))
    assert [each.test for each in found] == [each.test for each in wanted]
    assert plan.results[0].read_text().count("\n") == len(DEFAULTS)


@pytest.mark.usefixtures("quick")
def test_other_settings_are_measured_again(plan, image_set, recorder):
    measure(plan)
    recorder.seeds.clear()
    longer = replace(image_set, overrides=(*image_set.overrides, "batch_size=32"))
    measure(replace(plan, sets=[longer], methods=["focal"]))
    assert recorder.seeds == [0, 1, 2]
    assert sum("batch_size=32" in each.overrides for each in read_lines(plan.results, ImageResult)) == 3


@pytest.mark.usefixtures("quick")
def test_the_best_alternative_on_validation_is_measured_with_every_seed(plan, recorder):
    measure(replace(plan, tuned=True))
    assert keys(plan)[9:] == [
        ("focal", "loss.gamma=1", 0),
        ("focal", "loss.gamma=3", 0),
        ("focal", "loss.gamma=3", 1),
        ("focal", "loss.gamma=3", 2),
    ]


@pytest.mark.usefixtures("quick")
def test_a_failed_run_is_told_and_the_others_go_on(plan, image_set):
    def fails(overrides):
        raise ValueError("no luck")

    broken = replace(image_set, methods=(Method("broken", "loss=focal", train=fails), *image_set.methods))
    failed = measure(replace(plan, sets=[broken], seeds=range(1)))
    assert failed == ["tiny, broken, seed 0: no luck"]
    assert len(keys(plan)) == 3


@pytest.mark.usefixtures("quick")
def test_a_post_processing_trains_what_it_needs_unless_that_is_there(plan):
    alone = replace(plan, methods=[LOGIT_ADJUSTMENT], seeds=range(1))
    assert measure(alone) == []
    predictions = list(plan.predictions.rglob("*.npz"))
    written = [each.stat().st_mtime_ns for each in predictions]
    assert len(predictions) == 1
    plan.results[0].unlink()
    assert measure(alone) == []
    assert [each.stat().st_mtime_ns for each in predictions] == written


@pytest.mark.usefixtures("quick")
def test_no_run_begins_after_the_deadline(plan, recorder):
    measure(replace(plan, deadline=time.monotonic() - 1))
    assert recorder.seeds == []


def test_a_method_replaces_what_the_set_says(image_set):
    longer = Method("longer", "loss=focal max_epochs=3 optimizer.lr=0.5", ("optimizer.lr=1",))
    words = command_words(image_set, longer, "optimizer.lr=1", 4)
    assert "max_epochs=1" not in words
    config = compose_config(words)
    assert (config.max_epochs, config.optimizer.lr, config.seed, config.data.subset_seed) == (3, 1, 4, 4)


def test_a_run_of_the_program_is_scored_by_what_is_kept(plan, image_set):
    """The one test that trains."""
    small = ("data=digits_lt", "data.subset_seed={seed}", "max_epochs=2", "backbone.widths=[8]", "data.factor=10")
    real = replace(image_set, overrides=small, methods=(Method(CROSS_ENTROPY, "loss=cross_entropy"),))
    assert measure(replace(plan, sets=[real], seeds=range(1))) == []
    (result,) = read_lines(plan.results, ImageResult)
    run = StoredRun.read(prediction_file(plan.predictions, real, CROSS_ENTROPY, "", 0))
    assert (result.epochs, run.epochs, len(run.train_counts)) == (2, 2, 10)
    assert score(run, result.overrides) == (result.val, result.test)
    hits = (run.test.logits.argmax(1) == run.test.target).mean()
    assert result.test["accuracy"] == pytest.approx(hits)
    assert result.cpu_seconds > 0
