"""A loss of rankings is given what it needs of the data: the positive class, the counts, the examples, the run."""

import pytest

from imbalance_lab.app.compose import compose_config
from imbalance_lab.app.instantiate import instantiate_experiment


@pytest.mark.parametrize("positive", ["null", "0|1|2|3|4"])
def test_facts_of_the_data_reach_the_loss(positive: str) -> None:
    overrides = ["data=digits_binary", "loss=average_precision", "max_epochs=4", f"data.positive='{positive}'"]
    if positive == "null":
        overrides.pop()
    experiment = instantiate_experiment(compose_config(overrides))
    loss, train = experiment.loss, experiment.splits.train
    assert loss.positive == experiment.task.positive == (positive == "null")
    assert loss.count == experiment.splits.class_counts[loss.positive]
    assert loss.prior.item() == pytest.approx(float(loss.count) / len(train))
    assert len(loss.estimates) == train.index.max() + 1
    assert loss.warmup_examples == 2 * len(train)
