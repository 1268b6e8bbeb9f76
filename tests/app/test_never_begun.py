"""A warning where training ends before a strategy begins, or before a loss is through its warm-up."""

from pathlib import Path

import pytest

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.train import train
from imbalance_lab.evaluation.run_directory import RunDirectory
from tests.conftest import composed

DRAWS = "PartialAUCLoss trains by cross-entropy for the first"
LATE = "strategy=drw begins in epoch"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("strategy=drw trainer.max_steps=7 max_epochs=10", f"{LATE} 9, and training ends in epoch 2: it has no effect"),
        ("strategy=drw early_stopping=1 optimizer.lr=1 max_epochs=10", f"{LATE} 9, and training ends in epoch"),
        pytest.param("strategy=drw max_epochs=2", None, marks=pytest.mark.exhaustive),
        ("strategy=crt strategy.crt.epochs=1 max_epochs=1", None),
        ("data=digits_binary loss=partial_auc max_epochs=4 trainer.max_steps=11", f"{DRAWS} 1,204 draws of an example"),
        ("data=digits_binary loss=partial_auc max_epochs=4 trainer.limit_train_batches=0.25", f"{DRAWS} 1,204 draws"),
        pytest.param("data=digits_binary loss=partial_auc max_epochs=1", None, marks=pytest.mark.exhaustive),
    ],
)
def test_what_a_run_is_too_short_for_is_said(
    words: str, sentence: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ["backbone=mlp", "logger=none", *words.split()]
    overrides += [] if "loss=" in words else ["loss=cross_entropy"]
    config = composed(*overrides)
    train(config, instantiate_experiment(config, overrides), RunDirectory(tmp_path))
    said = " ".join("".join(capsys.readouterr()).split())
    if sentence is None:
        assert LATE not in said
        assert DRAWS not in said
    else:
        assert said.count(sentence) == 1
