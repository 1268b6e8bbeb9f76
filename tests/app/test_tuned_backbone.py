"""finetune through the whole program: what is trained and told, and whether a checkpoint is all that a model needs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.app.program import main
from imbalance_lab.app.tuned_backbone import ParameterCount
from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint
from imbalance_lab.data import digits
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.run_directory import RunDirectory
from imbalance_lab.model import load_model
from tests.conftest import RunJob, composed
from tests.helpers.runs import assert_same_run, trained

VIT = (
    "~backbone.widths",
    "~backbone.convolutions",
    "backbone._target_=timm.models.vision_transformer.VisionTransformer",
    "+backbone.img_size=8",
    "+backbone.patch_size=4",
    "+backbone.in_chans=1",
    "+backbone.num_classes=0",
    "+backbone.embed_dim=16",
    "+backbone.depth=1",
    "+backbone.num_heads=2",
    "logger=none",
    "scheduler=none",
    "max_epochs=1",
)
LORA = (*VIT, "finetune=lora", "finetune.rank=2")


@pytest.fixture(scope="module")
def lora_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("lora") / "run", *LORA)


def test_a_checkpoint_is_all_that_a_tuned_model_needs(lora_run: Path) -> None:
    model = load_model(lora_run)
    stored = RunDirectory(lora_run).read_predictions("test")
    np.testing.assert_array_equal(model.logits(digits().test.inputs), stored.logits)
    before = instantiate_experiment(composed(*LORA)).backbone.state_dict()
    for name, after in model.backbone.state_dict().items():
        is_added = name.endswith((".0.a", ".0.b"))
        assert torch.equal(after, before[name]) != is_added, name


def test_the_run_says_how_much_is_trained(lora_run: Path) -> None:
    of_lora, of_head = 2 * ((16 + 48) + (16 + 16)), 16 * 10 + 10
    counts = json.loads(RunDirectory(lora_run).metadata.read_text())["parameters"]
    assert counts["trained"] == of_lora + of_head
    assert counts["all"] == sum(each.numel() for each in load_model(lora_run).parameters())
    assert str(ParameterCount(362, 4_000)) == "trains 362 of the net's 4,000 parameters (9.05%)"
    assert str(ParameterCount(4_000, 4_000)) == "trains all 4,000 parameters of the net"


def test_an_export_has_plain_weights(lora_run: Path, tmp_path: Path) -> None:
    main(["export", str(lora_run), "--to", "torch_export", "-o", str(tmp_path / "model.pt2")])
    program = torch.export.load(tmp_path / "model.pt2")
    assert any("attn.qkv.weight" in name for name in program.state_dict)
    assert not any("parametrizations" in name for name in program.state_dict)


def test_a_resumed_run_ends_where_the_whole_one_does(run_job: RunJob) -> None:
    whole = run_job(*LORA, "max_epochs=2", name="whole")
    half = run_job(*LORA, name="half")
    resumed = run_job(*LORA, "max_epochs=2", "resume=continue", f"ckpt_path='{half}/checkpoints/last.ckpt'", name="on")
    assert_same_run(whole, resumed)


def test_runs_of_earlier_releases_are_read_as_full(finished_run: Path, tmp_path: Path) -> None:
    content = read_checkpoint_file(RunDirectory(finished_run).last_checkpoint)
    del content["hyper_parameters"]["config"]["finetune"]
    path = tmp_path / "checkpoints" / "last.ckpt"
    path.parent.mkdir()
    write_checkpoint(path, content)
    old, new = load_model(path), load_model(RunDirectory(finished_run).last_checkpoint)
    assert all(torch.equal(each, new.state_dict()[name]) for name, each in old.state_dict().items())
    given = ("max_epochs=3", "loss.alpha=effective", f"ckpt_path='{path}'")
    instantiate_experiment(composed(*given), given)  # resume=exact finds no difference
    with pytest.raises(UsageError, match=r"^finetune=head describes another model than .*Full: leave finetune out$"):
        instantiate_experiment(composed(*given, "finetune=head"), [*given, "finetune=head"])


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("finetune=lora",), r"^finetune: LoRA finds no attention in ConvNet: choose a ViT"),
        (("finetune=lora", "finetune.rank=0"), r"^finetune: rank must be an integer ≥ 1, got 0$"),
        (("finetune=bias", "backbone.freeze=true"), r"^finetune: only finetune=head goes with backbone.freeze=true: "),
        (("finetune._target_=torch.nn.ReLU",), r"^finetune: ReLU is not a subclass of imbalance_lab.*\.Finetune$"),
    ],
)
def test_what_does_not_fit_is_one_sentence(overrides: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        instantiate_experiment(composed(*overrides))


def test_head_is_what_freeze_was_and_random_weights_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    warned = "warning: the backbone keeps most of the random weights"
    counts = []
    for overrides, is_told in (
        (("finetune=head",), True),
        (("backbone.freeze=true",), True),
        (("finetune=head", "backbone.freeze=true"), True),
        ((), False),
    ):
        experiment = instantiate_experiment(composed(*overrides))
        counts.append(ParameterCount.of((experiment.backbone, experiment.head)))
        assert (warned in capsys.readouterr().err) == is_told
        assert any(each.training for each in experiment.backbone.modules()) != is_told
    assert counts[0] == counts[1] == counts[2]
    assert counts[0].trained == 128 * 10 + 10
    assert counts[3].trained == counts[3].all == counts[0].all


def test_the_experiment_lift_composes_and_trains_what_it_says() -> None:
    config = composed("experiment=lift")
    assert (config.backbone.resize, config.finetune.dim, config.head.scale, config.max_epochs) == (224, 4, 25, 10)
    assert list(config.strategy) == ["class_means"]
    small = ("data=digits_lt", "backbone.name=test_vit", "backbone.resize=160", "backbone.pretrained=false")
    experiment = instantiate_experiment(composed("experiment=lift", *small))
    adapters = 6 * (2 * 64 * 4 + 64 + 4 + 1)
    assert ParameterCount.of((experiment.backbone, experiment.head)).trained == adapters + 64 * 10
