"""The main job, run in this process on real digits: what its directory holds, and that it holds the truth."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from sklearn.metrics import average_precision_score, balanced_accuracy_score, recall_score, roc_auc_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from imbalance_lab.app.instantiate import instantiate_experiment
from imbalance_lab.errors import UsageError
from imbalance_lab.evaluation.predictions import Predictions
from imbalance_lab.posthoc import PostProcessor
from tests.conftest import LABEL_LOSSES, RANKING_LOSSES, ROOT, RunJob, composed, needs_fashion_mnist, of_labels
from tests.helpers.command_line import metrics_of

SOFTMAX_LOSSES = sorted(
    {file.stem for file in (ROOT / "configs" / "loss").glob("*.yaml")} - {*LABEL_LOSSES, *RANKING_LOSSES}
)


def weights_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    content: dict[str, torch.Tensor] = torch.load(checkpoint, weights_only=True)["state_dict"]
    return content


def test_run_directory_is_complete(finished_run: Path) -> None:
    files = {str(path.relative_to(finished_run)) for path in finished_run.rglob("*") if path.is_file()}
    assert {name for name in files if not name.startswith("events")} == {
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "predictions/val.parquet",
        "predictions/test.parquet",
        "predictions/mistakes.parquet",
        "report.html",
        "metrics.csv",
        "hparams.yaml",
        "run.json",
        "metrics.json",
        "operating_point.json",
        "roc.png",
        "pr.png",
        "curves.csv",
        *(f"tables/{name}.csv" for name in ("scores", "classes", "confusion", "reliability", "histograms")),
        "tables/operating_point.csv",
    }


def test_scores_are_scikit_learns_on_the_stored_predictions(finished_run: Path) -> None:
    reported = metrics_of(finished_run)["test"]
    stored = Predictions.read(finished_run / "predictions" / "test.parquet")
    probability = torch.from_numpy(stored.logits).double().softmax(1).numpy()
    assert reported["n"] == len(stored.target) == 445
    for c, scores in enumerate(reported["classes"]):
        is_class = stored.target == c
        assert scores["auroc"]["value"] == pytest.approx(roc_auc_score(is_class, probability[:, c]), abs=1e-6)
        assert scores["average_precision"]["value"] == pytest.approx(
            average_precision_score(is_class, probability[:, c]), abs=1e-5
        )
    predicted = stored.logits.argmax(1)
    assert reported["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(stored.target, predicted))


def test_splits_do_not_share_an_example(finished_run: Path) -> None:
    val, test = (Predictions.read(finished_run / "predictions" / f"{split}.parquet") for split in ("val", "test"))
    train = instantiate_experiment(composed()).splits.train.index.numpy()
    assert not set(val.index) & set(test.index)
    assert not set(train) & (set(val.index) | set(test.index))


def test_every_epoch_is_one_row_with_all_its_scores(finished_run: Path) -> None:
    with (finished_run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    *epochs, test = rows
    assert [row["epoch"] for row in epochs] == ["0.0", "1.0", "2.0"]
    for row in epochs:
        for tag in (
            "train/loss",
            "val/loss",
            "val/auroc/macro",
            "val/auroc/class/9",
            "val/average_precision/class/9",
            "lr",
        ):
            assert row[tag], f"{tag} is missing"
    assert float(test["test/auroc/macro"]) == metrics_of(finished_run)["test"]["auroc"]["value"]


def test_tensorboard_reads_back_scalars_and_figures_of_each_epoch(finished_run: Path) -> None:
    scalars: dict[str, int] = {}
    images: dict[str, int] = {}
    for file in finished_run.glob("events.out.tfevents.*"):
        events = EventAccumulator(str(file), size_guidance={"images": 0, "scalars": 0}).Reload()
        for tag in events.Tags()["scalars"]:
            scalars[tag] = scalars.get(tag, 0) + len(events.Scalars(tag))
        for tag in events.Tags()["images"]:
            images[tag] = images.get(tag, 0) + len(events.Images(tag))
    assert scalars["val/auroc/macro"] == scalars["val_classes/auroc/9"] == scalars["train/loss"] == 3
    assert scalars["test/auroc/macro"] == 1
    assert images.keys() == {"val/curves", "val/confusion"}
    assert all(2 <= n <= 3 for n in images.values()), "the first and the last epoch, and others if there is time"


def test_the_first_cards_of_tensorboard_are_scores(finished_run: Path) -> None:
    tags: set[str] = set()
    for file in finished_run.glob("events.out.tfevents.*"):
        events = EventAccumulator(str(file), size_guidance={"scalars": 0}).Reload()
        tags |= set(events.Tags()["scalars"])
    # "epoch" and "lr" would be groups of their own.
    assert sorted({tag.split("/")[0] for tag in tags}) == ["test", "train", "val", "val_classes"]
    assert sorted(tags)[0] == "test/auroc/macro"
    assert sorted(tag for tag in tags if tag.startswith("val/"))[0] == "val/auroc/macro"
    assert {"train/lr", "val/best/auroc/macro"} <= tags


def test_tensorboards_table_has_the_run_with_its_settings_and_final_scores(finished_run: Path) -> None:
    contents: dict[str, Any] = {}
    for file in finished_run.glob("events.out.tfevents.*"):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "hparams":
                    assert value.tag not in contents
                    contents[value.tag] = value.metadata.plugin_data.content
    start = HParamsPluginData.FromString(contents["_hparams_/session_start_info"]).session_start_info
    assert start.hparams["loss.gamma"].number_value == 2
    assert start.hparams["loss.alpha"].string_value == "effective"
    assert not any(key.startswith("logger") for key in start.hparams)
    # As its backend shows them: it sorts the settings, and keeps the order of the scores.
    experiment = Context(None).experiment_from_metadata(None, "", True, {"run": contents}, None)
    shown = [info.name for info in experiment.hparam_infos]
    assert shown[:2] == ["loss.alpha", "max_epochs"]
    assert sorted(shown) == sorted(start.hparams)
    assert [info.name.tag for info in experiment.metric_infos] == [
        "test/auroc/macro",
        "test/average_precision/macro",
        "test/recall/few",
        "test/recall/medium",
        "test/recall/many",
        "test/balanced_accuracy",
        "val/best/auroc/macro",
    ]


def test_best_checkpoint_is_the_best_epoch(finished_run: Path) -> None:
    with (finished_run / "metrics.csv").open() as file:
        by_epoch = [float(row["val/auroc/macro"]) for row in csv.DictReader(file) if row["val/auroc/macro"]]
    best = torch.load(finished_run / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] == int(np.argmax(by_epoch))
    assert metrics_of(finished_run)["val"]["auroc"]["value"] == pytest.approx(max(by_epoch), abs=1e-9)


def test_checkpoint_holds_loss_classes_and_config_as_plain_values(finished_run: Path) -> None:
    checkpoint = torch.load(finished_run / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["state_dict"]["loss.alpha"].shape == (10,)
    hparams = checkpoint["hyper_parameters"]
    assert hparams["task"] == {
        "kind": "multiclass",
        "classes": [str(number) for number in range(10)],
        "activation": "softmax",
        "positive": None,
    }
    assert hparams["input_schema"]["shape"] == [1, 8, 8]
    assert hparams["overrides"] == ["max_epochs=3", "loss.alpha=effective"]
    assert hparams["class_counts"] == [105, 75, 53, 38, 27, 19, 14, 10, 7, 5]
    assert hparams["config"]["loss"]["alpha"] == "effective"


def test_operating_point_is_fitted_on_validation(finished_run: Path) -> None:
    point = json.loads((finished_run / "operating_point.json").read_text())
    assert point["fitted_on"] == "val"
    assert point["n"] == 270
    assert 0.05 <= point["calibration"]["temperature"] <= 20
    # alpha=effective weighs the classes nearly equal: the logits stand for nearly equal shares.
    assert point["prior"] == pytest.approx([0.1] * 10, rel=0.02)
    assert all(0 < each["threshold"] < 1 for each in point["classes"])
    checkpoint = torch.load(finished_run / "checkpoints" / "best.ckpt", weights_only=True)
    assert checkpoint["operating_point"] == point


def test_a_deployment_prior_is_applied_to_test_and_reported_beside_it(run_job: RunJob) -> None:
    uniform = ("prior_correction=deploy_prior", f"prior_correction.deploy_prior={[0.1] * 10}")
    run = run_job("max_epochs=6", "operating_point=min_recall", "operating_point.min_recall=0.85", *uniform)
    reported = metrics_of(run)
    before, after = (reported[split]["balanced_accuracy"]["value"] for split in ("test", "test_adjusted"))
    assert after > before, "the tail is found more often once its classes count as much as the others"
    postprocessor = PostProcessor.from_json(json.loads((run / "operating_point.json").read_text()))
    stored = Predictions.read(run / "predictions" / "test.parquet")
    assert balanced_accuracy_score(stored.target, postprocessor.predict_labels(stored.logits)) == pytest.approx(after)
    flags = postprocessor.flags(stored.logits)
    for c, threshold in enumerate(reported["test_at_thresholds"]):
        assert threshold["recall"] == pytest.approx(flags[stored.target == c, c].mean())


def test_a_sigmoid_loss_is_read_as_such(run_job: RunJob) -> None:
    run = run_job("loss=sigmoid_focal", "max_epochs=1", "logger=csv")
    stored = Predictions.read(run / "predictions" / "test.parquet")
    assert stored.task.activation == "sigmoid"
    for c, scores in enumerate(metrics_of(run)["test"]["classes"]):
        assert scores["auroc"]["value"] == pytest.approx(roc_auc_score(stored.target == c, stored.logits[:, c]))
    with (run / "metrics.csv").open() as file:
        (row, _) = csv.DictReader(file)
    assert float(row["val/auroc/macro"]) == pytest.approx(metrics_of(run)["val"]["auroc"]["value"])


def test_a_seed_gives_the_same_bits_and_another_seed_others(run_job: RunJob) -> None:
    first, second = (run_job("max_epochs=2", "seed=7", "logger=csv", name=name) for name in ("first", "second"))
    other = run_job("max_epochs=2", "seed=8", "logger=csv", name="other")
    one, two, three = (weights_of(run / "checkpoints" / "last.ckpt") for run in (first, second, other))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert (first / "metrics.json").read_bytes() == (second / "metrics.json").read_bytes()
    assert not torch.equal(one["head.weight"], three["head.weight"])


def test_training_leaves_the_global_generator_to_its_key_not_to_its_past(run_job: RunJob) -> None:
    job = ("max_epochs=1", "backbone=mlp", "backbone.dropout=0.3", "logger=csv")
    torch.manual_seed(1)
    first = run_job(*job, name="first")
    torch.manual_seed(2)
    second = run_job(*job, name="second")
    one, two = (weights_of(run / "checkpoints" / "last.ckpt") for run in (first, second))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_fit_false_gives_the_scores_of_the_checkpoint_to_the_last_digit(finished_run: Path, run_job: RunJob) -> None:
    again = run_job("fit=false", "loss.alpha=effective", f"ckpt_path='{finished_run}/checkpoints/best.ckpt'")
    assert metrics_of(again)["test"] == metrics_of(finished_run)["test"]
    assert not (again / "checkpoints").exists()


def test_a_tested_model_needs_no_retyping(finished_run: Path) -> None:
    best = f"ckpt_path='{finished_run}/checkpoints/best.ckpt'"
    config = composed("fit=false", best)
    instantiate_experiment(config, ["fit=false", best])
    assert config.loss.alpha == "effective"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("loss.alpha=inverse", r"loss.alpha=inverse describes another model .* with loss.alpha=effective: leave"),
        (
            "backbone=mlp",
            r"backbone=mlp describes another model .* with backbone._target_=\S+ConvNet: leave backbone out",
        ),
        ("loss=cross_entropy", r"loss=cross_entropy describes another model .* with loss._target_=\S+FocalLoss"),
        ("data=digits_binary", r"(has 10 classes|trained on 10 classes), '?0'?.* but the data have 2"),
    ],
)
def test_an_override_that_describes_another_model_is_refused_by_name(
    finished_run: Path, override: str, sentence: str
) -> None:
    overrides = ["fit=false", f"ckpt_path='{finished_run}/checkpoints/best.ckpt'", override]
    with pytest.raises(UsageError, match=sentence):
        instantiate_experiment(composed(*overrides), overrides)


def test_a_file_that_is_not_a_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(UsageError, match="is damaged, or not a checkpoint of this release"):
        instantiate_experiment(composed("fit=false", f"ckpt_path='{tmp_path}/model.ckpt'"))


def test_resuming_a_finished_run_trains_on_and_keeps_the_better_model(finished_run: Path, run_job: RunJob) -> None:
    last = f"ckpt_path='{finished_run}/checkpoints/last.ckpt'"
    resumed = run_job("max_epochs=4", "loss.alpha=effective", last, "resume=continue")
    with (resumed / "metrics.csv").open() as file:
        epochs = [row["epoch"] for row in csv.DictReader(file) if row["epoch"]]
    assert epochs == ["0.0", "1.0", "2.0", "3.0"]
    before, after = (metrics_of(run)["val"]["auroc"]["value"] for run in (finished_run, resumed))
    assert after >= before


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["loss.gamma=-1"], "loss: gamma must be a finite number ≥ 0, got -1"),
        (["loss.gamma=abc"], "loss: gamma must be a number, got 'abc'"),
        (["loss.alpha=[0.1,0.9]"], "loss: alpha has 2 numbers, but there are 10 classes"),
        (
            ["loss.alpha=efective"],
            "loss: alpha must be a number, one number per class, or one of inverse, sqrt_inverse, effective",
        ),
        (["seed=1.5"], "seed must be an integer in [0, 9223372036854775807], got 1.5"),
        (["batch_size=0"], "batch_size (or auto) must be an integer ≥ 1, got 0"),
        (["max_epochs=none"], "max_epochs must be an integer ≥ 1, got 'none'"),
        (["ckpt_path=nowhere.ckpt"], "ckpt_path=nowhere.ckpt is not a file"),
        (["fit=false"], "fit=false tests a trained model: name it with ckpt_path"),
        (["data.factor=1000"], "factor=1000 leaves no training example of class"),
        (["data=fashion_mnist_lt", "data.root=/nowhere"], "data.root=/nowhere is not a directory"),
        (
            ["prior_correction=deploy_prior", "prior_correction.deploy_prior=[0.5,0.5]", "operating_point=min_recall"],
            "after training: deploy_prior has 2 class priors, but there are 10",
        ),
        (
            [
                "prior_correction=deploy_prior",
                "prior_correction.deploy_prior=[0.5,0.6]",
                "data=digits_binary",
                "operating_point=min_recall",
            ],
            "deploy_prior must sum to 1",
        ),
        (
            ["prior_correction=deploy_prior", "prior_correction.deploy_prior=[0.9,0.1]", "data=digits_binary"],
            "with deploy_prior choose operating_point=min_recall or min_cost",
        ),
        (
            ["prior_correction=logit_adjustment", "prior_correction.tau=best"],
            "prior_correction: the criterion for tau must be one of balanced_accuracy",
        ),
        (
            ["operating_point=min_recall", "operating_point.min_recall=2"],
            "min_recall must be a finite number in (0, 1), got 2",
        ),
        (["calibration._target_=imbalance_lab.posthoc.Platt"], "calibration: "),
        (["monitor_mode=best"], "monitor_mode must be one of max, min, got 'best'"),
        (
            ["early_stopping=0"],
            "early_stopping (true, false, auto or a number of epochs) must be an integer ≥ 1, got 0",
        ),
        (["head_lr=0"], "head_lr (null for optimizer.lr) must be a finite number in (0, 1000], got 0"),
        (
            ["conformal=class_conditional"],
            "conformal: prediction sets need a calibration split of their own",
        ),
        (
            ["conformal=class_conditional", "conformal.alpha=0.01", "data.calibration_fraction=0.02"],
            "conformal: alpha=0.01 takes 99 calibration examples of a class, or of the classes with fewer together, "
            "but 0, 1, 2, 3, 4 and 5 more have 30 together: choose a larger data.calibration_fraction, or alpha ≥ 0.25",
        ),
        (
            ["conformal=class_conditional", "data.calibration_fraction=0.2", "trainer.limit_test_batches=1"],
            "trainer.limit_test_batches=1 leaves out calibration examples too",
        ),
        (
            ["loss=ldam", "prior_correction=logit_adjustment"],
            "the class priors of the logits are unknown after this loss",
        ),
        (["scheduler.warmup=2"], "scheduler: warmup must be a finite number in [0, 1), got 2"),
        (["backbone.widths=3"], "backbone: widths must be a list, got 3"),
        (["loss._target_=imbalance_lab.losses.Foccal"], "loss: "),
    ],
)
def test_a_mistake_is_reported_in_one_sentence_before_training(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        instantiate_experiment(composed(*overrides))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


GROUPS = {
    group.name: sorted(choice.stem for choice in group.glob("*.yaml"))
    for group in sorted((ROOT / "configs").iterdir())
    if group.is_dir()
}


@pytest.mark.parametrize("override", [f"{group}={choice}" for group in GROUPS for choice in GROUPS[group]])
def test_every_choice_composes_with_the_others(override: str) -> None:
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        compose("train", [override])


TRANSFORMER = ["backbone=timm", "backbone.name=test_vit", "backbone.resize=160"]
NEEDED = {
    "conformal=class_conditional": ["data.calibration_fraction=0.1"],
    "augment=cutout": ["augment.size=4"],
    "augment=cifar_autoaugment": ["augment.cutout.size=4"],
    "finetune=adapter": TRANSFORMER,
    "finetune=lora": TRANSFORMER,
}
"""What a choice needs beside it, on digits of 8 × 8 pixels."""


@pytest.mark.parametrize(
    "override",
    [
        f"{group}={choice}"
        for group in GROUPS
        if group not in ("data", "trainer", "experiment")
        for choice in GROUPS[group]
        if choice != "deploy_prior"
    ]
    + ["data=digits_lt", "data=digits_binary"],
)
def test_every_choice_builds(override: str) -> None:
    instantiate_experiment(composed(override, *NEEDED.get(override, [])))


@pytest.mark.parametrize(
    ("override", "sentence"),
    [("optimizer.lr=-1", "optimizer: lr must be a finite number"), ("optimizer.lr=abc", "given lr=abc")],
)
def test_a_mistake_that_only_the_optimizer_sees_is_reported_before_the_first_step(
    run_job: RunJob, override: str, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        run_job(override, "logger=none")


@needs_fashion_mnist
@pytest.mark.parametrize("data", ["fashion_mnist_lt", "fashion_mnist_binary"])
def test_fashion_mnist_builds(data: str) -> None:
    splits = instantiate_experiment(composed(f"data={data}")).splits
    assert splits.train.inputs.shape[1:] == (1, 28, 28)
    assert len(splits.test) == 10_000


def test_no_group_has_a_single_member() -> None:
    assert not {group for group, choices in GROUPS.items() if len(choices) < 2}


def test_binary_classes_share_one_auroc(run_job: RunJob) -> None:
    reported = metrics_of(run_job("data=digits_binary", "max_epochs=2", "loss.alpha=[0.25,0.75]"))["test"]
    negative, positive = reported["classes"]
    assert negative["auroc"]["value"] == positive["auroc"]["value"] == reported["auroc"]["value"]
    assert positive["average_precision"]["value"] != negative["average_precision"]["value"]


@pytest.mark.parametrize("loss", LABEL_LOSSES)
def test_labels_are_learned_stored_and_scored(label_sweep: Path, loss: str) -> None:
    run = label_sweep / loss
    stored = Predictions.read(run / "predictions" / "test.parquet")
    assert stored.task.is_multilabel
    assert stored.task.activation == "sigmoid"
    reported = metrics_of(run)["test"]
    for c, scores in enumerate(reported["classes"]):
        assert scores["auroc"]["value"] == pytest.approx(roc_auc_score(stored.target[:, c], stored.logits[:, c]))
        assert scores["average_precision"]["value"] == pytest.approx(
            average_precision_score(stored.target[:, c], stored.logits[:, c])
        )
        assert scores["recall"]["value"] == pytest.approx(recall_score(stored.target[:, c], stored.logits[:, c] >= 0))
    assert reported["auroc"]["value"] == pytest.approx(roc_auc_score(stored.target, stored.logits, average="macro"))
    with (run / "metrics.csv").open() as file:
        epochs = [row for row in csv.DictReader(file) if row["epoch"]]
    assert len(epochs) == 3
    best = min(epochs, key=lambda row: float(row["val/loss"]))
    val = metrics_of(run)["val"]
    assert float(best["val/auroc/macro"]) == pytest.approx(val["auroc"]["value"])
    assert float(best["val/balanced_accuracy"]) == pytest.approx(val["balanced_accuracy"]["value"])
    for name, scores in zip(("strong", "dark"), val["classes"], strict=True):
        for score in ("auroc", "average_precision", "recall"):
            assert float(best[f"val/{score}/class/{name}"]) == pytest.approx(scores[score]["value"])


def test_a_run_on_labels_leaves_everything_but_a_confusion_matrix(label_sweep: Path) -> None:
    files = {str(path.relative_to(label_sweep)) for path in label_sweep.rglob("*") if path.is_file()}
    for loss in LABEL_LOSSES:
        assert {f"{loss}/{name}" for name in ("report.html", "roc.png", "tables/classes.csv", "curves.csv")} <= files
        assert {f"{loss}/predictions/mistakes.parquet", f"{loss}/operating_point.json"} <= files
    assert not [name for name in files if "confusion" in name]
    events = EventAccumulator(str(label_sweep / "asymmetric"), size_guidance={"images": 0}).Reload()
    assert "val/confusion" not in events.Tags()["images"]


def test_one_column_in_a_list_is_one_label(wine_labels: Path, run_job: RunJob) -> None:
    run = run_job(*of_labels(wine_labels, "loss=auc_margin", "max_epochs=2", "data.drop=[dark]", target="[strong]"))
    stored = Predictions.read(run / "predictions" / "test.parquet")
    assert stored.logits.shape == stored.target.shape == (len(stored.index), 1)
    assert stored.task.activation == "sigmoid"
    reported = metrics_of(run)["test"]["auroc"]["value"]
    assert reported == pytest.approx(roc_auc_score(stored.target[:, 0], stored.logits[:, 0]))


def test_labels_are_moved_to_the_shares_of_a_deployment(wine_labels: Path, run_job: RunJob) -> None:
    run = run_job(
        *of_labels(wine_labels, "loss=asymmetric", "max_epochs=2", "calibration=bias_corrected"),
        "prior_correction=deploy_prior",
        "prior_correction.deploy_prior=[0.9,0.8]",
        "operating_point=min_recall",
        "operating_point.min_recall=0.7",
    )
    reported = metrics_of(run)
    postprocessor = PostProcessor.from_json(json.loads((run / "operating_point.json").read_text()))
    assert postprocessor.prior == (0.9, 0.8)
    stored = Predictions.read(run / "predictions" / "test.parquet")
    decided = postprocessor.adjusted(stored.logits) >= 0
    for c, scores in enumerate(reported["test_adjusted"]["classes"]):
        assert scores["recall"]["value"] == pytest.approx(recall_score(stored.target[:, c], decided[:, c]))
    flags = postprocessor.flags(stored.logits)
    for c, threshold in enumerate(reported["test_at_thresholds"]):
        if not isinstance(threshold, str):
            assert threshold["recall"] == pytest.approx(recall_score(stored.target[:, c], flags[:, c]))


def test_labels_are_learned_from_batches_that_have_each(wine_labels: Path, run_job: RunJob) -> None:
    run = run_job(*of_labels(wine_labels, "loss=auc_margin", "sampler=m_per_class", "max_epochs=2"), "logger=csv")
    assert metrics_of(run)["test"]["auroc"]["value"] > 0.5


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        *(([f"loss={loss}"], "choose loss=sigmoid_focal, asymmetric or auc_margin") for loss in SOFTMAX_LOSSES),
        (["loss=auc_margin", "loss.num_labels=1"], "loss: num_labels=1, but the data have 2 labels"),
        (["loss=asymmetric", "sampler=class_balanced"], "several labels: choose sampler=shuffled"),
        (["loss=asymmetric", "sampler=square_root"], "several labels: choose sampler=shuffled"),
        (["loss=asymmetric", "sampler=progressive"], "several labels: choose sampler=shuffled"),
        (["loss=asymmetric", "sampler=effective_number"], "several labels: choose sampler=shuffled"),
        (
            [
                "loss=asymmetric",
                "prior_correction=deploy_prior",
                "prior_correction.deploy_prior=[0.2,0.1]",
                "operating_point=min_recall",
            ],
            "use calibration=bias_corrected",
        ),
        (["loss=asymmetric", "prior_correction=logit_adjustment"], "use calibration=bias_corrected"),
        (
            [
                "loss=asymmetric",
                "prior_correction=deploy_prior",
                "prior_correction.deploy_prior=[0.2]",
                "operating_point=min_recall",
                "calibration=bias_corrected",
            ],
            "after training: deploy_prior has 1 class priors, but there are 2",
        ),
    ],
)
def test_what_labels_do_not_allow_is_reported_before_training(
    wine_labels: Path, overrides: list[str], sentence: str
) -> None:
    with pytest.raises(UsageError) as raised:
        instantiate_experiment(composed(*of_labels(wine_labels, *overrides)))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
