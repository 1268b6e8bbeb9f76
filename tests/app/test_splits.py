"""The positive class that a configuration names, for data of any source."""

import pytest
from omegaconf import OmegaConf

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.postprocessing import is_rule_chosen
from imbalance_lab.app.resume import changed_settings
from imbalance_lab.app.splits import instantiate_splits
from imbalance_lab.errors import UsageError
from imbalance_lab.task import Task
from tests.conftest import composed
from tests.helpers.payments import payments

LOW, HIGH = "0|1|2|3|4", "5|6|7|8|9"


@pytest.mark.parametrize(("given", "index"), [(None, 1), (f"'{LOW}'", 0), (f"'{HIGH}'", 1)])
def test_the_positive_class_goes_by_name(given, index):
    config = composed("data=digits_binary", *([] if given is None else [f"data.positive={given}"]))
    before = OmegaConf.to_yaml(config)
    splits = instantiate_splits(config)
    assert (splits.classes, splits.task.positive) == ((LOW, HIGH), index)
    assert splits.class_counts.tolist()[1] < splits.class_counts.tolist()[0]
    assert OmegaConf.to_yaml(config) == before


def test_a_trained_model_keeps_its_positive_class_unless_another_is_named():
    trained = Task("binary", (LOW, HIGH), positive=0)
    assert instantiate_splits(composed("data=digits_binary"), trained=trained).task.positive == 0
    named = composed("data=digits_binary", f"data.positive='{HIGH}'")
    assert instantiate_splits(named, trained=trained).task.positive == 1
    other = Task("binary", ("x", "y"), positive=0)
    assert instantiate_splits(composed("data=digits_binary"), trained=other).task.positive == 1


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["data=digits_binary", "data.positive=five"], f"data.positive=five is not a class of the data: choose {LOW}"),
        (
            ["data=digits_lt", "data.positive=3"],
            "names the positive class of two, but the data have 10 classes, 0, 1",
        ),
        (["data=digits_binary", "data.positive=[a]"], "must be the name of one class"),
    ],
)
def test_another_name_is_one_sentence_before_training(overrides, sentence):
    with pytest.raises(UsageError) as refused:
        instantiate_experiment(composed(*overrides))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "given", "positive"), [((0, 1), "0", "0"), ((False, True), "false", "false"), ((7, 12), "12", "12")]
)
def test_numbers_and_truth_values_name_classes_too(tmp_path, values, given, positive):
    frame = payments(300, seed=0, share=0.2)
    frame["class"] = [values[label == "fraud"] for label in frame["class"]]
    frame.drop(columns="id").to_parquet(tmp_path / "p.parquet")
    config = composed(
        "data=table", f"data.path='{tmp_path / 'p.parquet'}'", "data.target=class", f"data.positive={given}"
    )
    task = instantiate_splits(config).task
    assert task.positive is not None
    assert task.classes[task.positive] == positive


def test_which_rule_counts_as_chosen():
    assert not is_rule_chosen(composed(), [])
    assert not is_rule_chosen(composed(), ["loss.gamma=1", "calibration=none"])
    assert is_rule_chosen(composed(), ["operating_point=max_f1"])
    assert is_rule_chosen(composed(), ["+operating_point.min_positives=20"])
    assert is_rule_chosen(composed("operating_point.min_positives=10"), [])
    assert is_rule_chosen(composed("operating_point=min_recall"), [])


def test_a_resumed_run_and_runs_of_earlier_releases_do_not_differ_by_it():
    earlier = OmegaConf.to_container(composed("data=digits_binary"), resolve=True)
    assert changed_settings(composed("data=digits_binary", "data.positive=x"), earlier) == {}
    del earlier["data"]["positive"]
    assert changed_settings(composed("data=digits_binary"), earlier) == {}
