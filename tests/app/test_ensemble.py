"""Ensembles through the whole program: configuration, training, checkpoint, and what uses a trained model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imbalance_lab.app.checkpoint import inherit_overrides
from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.program import main
from imbalance_lab.backbones import MLP, ConvNet
from imbalance_lab.backbones.members import MemberHeads, Members
from imbalance_lab.data import digits
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from tests.conftest import RunJob, composed
from tests.helpers.runs import trained

FAST = ("backbone=mlp", "backbone.widths=[16]", "logger=none", "scheduler=none")
LDAM = ("backbone=convnet", "backbone.widths=[4]", "loss=ldam", "ensemble=2", "max_epochs=1", "logger=none")


def test_a_checkpoint_is_all_that_a_model_of_copies_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = RunDirectory(trained(tmp_path / "run", *LDAM))
    assert "warning: LDAM" not in capsys.readouterr().err  # each member has the head that LDAM needs
    model, stored = load_model(run.path), run.read_predictions("test")
    assert isinstance(model.backbone, Members)
    assert isinstance(model.head, MemberHeads)
    assert [type(net) for net in model.backbone.nets] == [ConvNet, ConvNet]
    np.testing.assert_array_equal(model.logits(digits().test.inputs), stored.logits)
    inputs = model.prepare(digits().test.inputs)
    each = [head(net(inputs)).softmax(1) for net, head in zip(model.backbone.nets, model.head.heads, strict=True)]
    mean = torch.stack(each).mean(0).numpy()
    np.testing.assert_allclose(np.exp(stored.logits), mean, atol=1e-6)
    main(["evaluate", str(run.path), "calibration=none"])
    main(["export", str(run.path), "--to", "torch_export", "-o", str(tmp_path / "model.pt2")])
    p, labels, _ = torch.export.load(tmp_path / "model.pt2").module()(digits().test.inputs)
    np.testing.assert_allclose(p, mean, atol=1e-5)
    np.testing.assert_array_equal(labels, mean.argmax(1))


@pytest.mark.exhaustive
def test_a_resumed_ensemble_ends_where_the_whole_run_does(run_job: RunJob) -> None:
    whole = run_job(*FAST, "ensemble=3", "max_epochs=2", "backbone.dropout=0.2", name="whole")
    half = run_job(*FAST, "ensemble=3", "max_epochs=1", "backbone.dropout=0.2", name="half")
    last = f"ckpt_path='{half}/checkpoints/last.ckpt'"
    words = inherit_overrides([last, "resume=continue", "max_epochs=2"])
    assert "ensemble=3" in words
    resumed = run_job(*words, name="resumed")
    expected, found = (load_model(run / "checkpoints" / "last.ckpt").state_dict() for run in (whole, resumed))
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
    with pytest.raises(UsageError, match=r"^ensemble=2 describes another model .* with ensemble=3: leave ensemble out"):
        run_job(*FAST, last, "resume=continue", "max_epochs=2", "ensemble=2", "backbone.dropout=0.2", name="wrong")
    tested = composed(*FAST, last, "fit=false", "backbone.dropout=0.2")
    assert instantiate_experiment(tested).backbone.num_members == 3


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("ensemble=0", r"^ensemble \(or auto\) must be an integer in \[1, 1024\], got 0$"),
        ("ensemble=2.5", r"^ensemble \(or auto\) must be an integer in \[1, 1024\], got 2.5$"),
        ("ensemble=many", r"^ensemble \(or auto\) must be an integer in \[1, 1024\], got 'many'$"),
    ],
)
def test_a_wrong_number_is_one_sentence(override: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        instantiate_experiment(composed(*FAST, override))


def test_tabm_is_an_ensemble_already() -> None:
    small = ("backbone=tabm", "backbone.k=4", "backbone.d_block=8")
    with pytest.raises(UsageError, match=r"ensemble=3, but TabM alone is 4 nets .*: leave ensemble at 1"):
        instantiate_experiment(composed(*small, "ensemble=3"))
    assert instantiate_experiment(composed(*small, "ensemble=auto")).backbone.num_members == 4


def test_more_than_the_memory_is_refused_before_the_nets_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 256}[name])
    wide = ("backbone=mlp", "backbone.widths=[256,256]")
    assert isinstance(instantiate_experiment(composed(*wide)).backbone, MLP)
    with pytest.raises(UsageError, match=r"^ensemble=9 nets of .* need about .*: choose a smaller ensemble"):
        instantiate_experiment(composed(*wide, "ensemble=9"))


def test_the_start_of_a_single_net_does_not_know_of_ensembles() -> None:
    torch.manual_seed(0)
    one = instantiate_experiment(composed(*FAST))
    assert sorted(one.backbone.state_dict()) == ["layers.1.bias", "layers.1.weight"]
    assert sorted(one.head.state_dict()) == ["bias", "weight"]
