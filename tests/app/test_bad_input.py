"""Wrong command lines: each is answered in one sentence that names what is wrong, exit code 2, before any training."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.command_line import ENVIRONMENT, ROOT, train
from tests.helpers.in_process import Answer, runner

Run = Callable[..., Answer]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Run:
    """Run a command line in a folder with a table ``t.csv``, images in ``images/`` and their table ``images.csv``."""
    monkeypatch.chdir(folder)
    return runner(monkeypatch, capsys)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    draws = np.random.default_rng(0)
    rows = [f"{x:.3f},{i // 2},{'yes' if x > 0.5 else 'no'},{1 + i % 2}" for i, x in enumerate(draws.normal(size=200))]
    (folder / "t.csv").write_text("\n".join(["x,patient,y,z", *rows, ""]))
    (folder / "na.csv").write_text("\n".join(["x,y", *(f"{i},{'NA' if i % 2 else 'B'}" for i in range(40)), ""]))
    names = []
    for number in range(40):
        kind = "cat" if number % 4 else "dog"
        path = folder / "images" / kind / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 255, (12, 12, 3)).astype("uint8")).save(path)
        names.append(f"images/{kind}/{number}.png,{kind}")
    (folder / "images.csv").write_text("\n".join(["path,y", *names, ""]))
    return folder


TABLE = ("data=table", "data.path=t.csv", "data.target=y")
IMAGES = ("data=image_folder", "data.root=images", "data.image_size=8", "backbone=convnet", "num_workers=0")
IMAGE_TABLE = ("data=image_table", "data.path=images.csv", "data.label=y", "data.image_size=8", "backbone=convnet")
ZEROS = f"[{','.join('0' * 10)}]"
RECALL = ("operating_point=min_recall",)
DEPLOY = ("prior_correction=deploy_prior", *RECALL)

GROUPS = [group.name for group in sorted((ROOT / "configs").iterdir()) if group.is_dir()]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("value", ["5", "''", "no_such", "/etc/passwd", "../{}/none"])
def test_a_group_is_chosen_by_the_name_of_a_file(group: str, value: str, run: Run) -> None:
    value = value.format(group)
    check(run(f"{group}={value}"), f"{group}={value.strip(chr(39))}")


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "experiment"])
def test_no_group_can_be_emptied(group: str, run: Run) -> None:
    for argument in (f"{group}=null", f"++{group}=5", f"~{group}"):
        check(run(argument), argument)


COMMAND_LINE = [
    (["loss=[focal]"], "loss=[focal] is not a choice: loss is one of asymmetric"),
    (["loss=focal.yaml"], "loss=focal.yaml is not a choice"),
    (["loss=focal,ldam"], "loss=focal,ldam has several values: add -m to run each of them"),
    (["+loss=focal"], "+loss=focal: a choice of loss replaces the one that there is: leave out the +"),
    (["seed=0,1"], "seed=0,1 has several values: add -m to run each of them, or write 'seed=[0,1]' for a list"),
    (["loss.gamma=1", "loss.gamma=2"], "loss.gamma is given twice, as loss.gamma=1 and as loss.gamma=2: leave one out"),
    (["loss=focal", "loss=ldam"], "loss is given twice, as loss=focal and as loss=ldam"),
    (["~loss.gamma"], "~loss.gamma deletes what every run needs: leave it out, or choose a value with loss.gamma=…"),
    (["+foo=1"], "+foo=1: nothing reads foo; leave it out"),
    (["+max_epoch=1"], "+max_epoch=1: nothing reads max_epoch; did you mean max_epochs?"),
    (["max_epoch=1"], "there is no 'max_epoch' in this configuration; did you mean max_epochs?"),
    (["loss.gamma", "5"], "cannot read 'loss.gamma' as KEY=VALUE: write both"),
    (["=5"], "cannot read '=5' as KEY=VALUE"),
    (
        ["data.path=a (1).csv"],
        """if the value is text, write 'data.path="a (1).csv"'""",
    ),
    (["loss.alpha=[1,2"], "cannot read 'loss.alpha=[1,2' as KEY=VALUE: close every bracket"),
    (["loss.gamma=${nothing}"], "loss.gamma: Interpolation key 'nothing' not found"),
    (["loss.gamma=${oc.env:NO_SUCH}"], "loss.gamma: KeyError raised while resolving interpolation"),
    (["--epochs", "5"], "there is no flag --epochs; values are given as KEY=VALUE"),
    (["--multrun"], "there is no flag --multrun; did you mean --multirun?"),
    (["--cfg", "foo"], "--cfg must be followed by one of job, hydra, all, got 'foo'"),
    (["--info", "foo"], "--info must be followed by one of all, config"),
    (["--config-dir"], "--config-dir must be followed by a value"),
    (["--config-dir", "/nowhere"], "Additional config directory '/nowhere' not found"),
    (["--config-name", "nowhere"], "Cannot find primary config 'nowhere'"),
    (["hydra.run.dir="], "hydra.run.dir= names no directory"),
    (["hydra.run.dir=/proc/x"], "no run can be written to /proc/x (No such file or directory): choose another hydra"),
    (["hydra.run.dir=/dev/null/x"], "no run can be written to /dev/null/x (Not a directory)"),
    (["hydra.run.dir=t.csv"], "no run can be written to t.csv (File exists)"),
    (["hydra.run.dir=${nothing}"], "hydra.run.dir: Interpolation key 'nothing' not found"),
    (["hydra.output_subdir=null"], "hydra.output_subdir=null would hide the configuration of the run"),
    (["hydra.verbose=5"], "Hydra cannot run hydra.verbose=5 ("),
    (["hydra.job.chdir=abc"], "Error merging override hydra.job.chdir=abc: Value 'abc' is not a valid bool"),
    (["hydra/launcher=none_such"], "there is no hydra/launcher=none_such (choices: basic, batched, "),
    (["-m", "hydra.sweep.dir=/proc/x", "seed=0,1"], "no run can be written to /proc/x"),
    (["-m", "hydra.sweep.subdir=same", "seed=0,1"], "hydra.sweep.subdir=same is the same directory for every run"),
    (["-m", "hydra.sweeper.max_batch_size=0"], "hydra.sweeper.max_batch_size=0: it must be an integer ≥ 1"),
    (["-m", "loss.gamma=range(0,0)"], "loss.gamma=range(0,0) has no value, so that the sweep would have no run"),
    (["-m", "loss.gamma=range(0,1,0)"], "cannot read the sweep loss.gamma=range(0,1,0)"),
    (["-m", "loss=glob(zz*)"], "the sweep has no run"),
    (["ckpt_path=true"], "ckpt_path=true is read as true, not as text"),
    (["fit=false"], "fit=false tests a trained model: name it with ckpt_path"),
]

JOB = [
    (["seed=9223372036854775808"], "seed must be an integer in [0, 9223372036854775807], got 9223372036854775808"),
    (["seed=-1"], "seed must be an integer in [0, 9223372036854775807], got -1"),
    (["seed=null"], "seed must be an integer in [0, 9223372036854775807], got None"),
    (["batch_size=1.5"], "batch_size (or auto) must be an integer ≥ 1, got 1.5"),
    (["batch_size=1", "backbone=convnet"], "batch_size=1 makes batches of one example, but ConvNet has batch norm"),
    (["batch_size=1", "backbone=resnet_cifar"], "batch_size=1 makes batches of one example, but ResNetCifar"),
    (["eval_batch_size=0"], "eval_batch_size must be an integer ≥ 1, got 0"),
    (["num_workers=100000"], "num_workers must be an integer in [0, 1024], got 100000"),
    (["max_epochs=true"], "max_epochs must be an integer ≥ 1, got True"),
    (["head_lr=0"], "head_lr (null for optimizer.lr) must be a finite number in (0, 1000], got 0"),
    (["head_weight_decay=-1"], "head_weight_decay (null for optimizer.weight_decay) must be a finite number ≥ 0, got"),
    (["head_weight_decay=400"], "head_weight_decay=400 with a learning rate of 0.003 leaves nothing of the weights"),
    (["head.bias=abc"], "there is no 'head.bias' in this configuration"),
    (["+head.bias=abc"], "head.bias must be true or false, got 'abc'"),
    (["monitor=null"], "monitor must be text, got None"),
    (["monitor=val/aurok/macro"], "monitor=val/aurok/macro is not logged; did you mean 'val/auroc/macro'?"),
    (["monitor_mode=best"], "monitor_mode must be one of max, min, got 'best'"),
    (["early_stopping=0"], "early_stopping (true, false, auto or a number of epochs) must be an integer ≥ 1, got 0"),
    (["check=abc"], "check must be true or false, got 'abc'"),
    (["report=5"], "report must be one of its configurations, got 5"),
    (["report.images=1"], "report.images must be true or false, got 1"),
    (["data_summary=null"], "data_summary must be one of its configurations, got None"),
    (["data_summary.auroc=1"], "data_summary.auroc must be a finite number in (0, 1), got 1"),
]

TRAINER = [
    (["trainer.max_epochs=-1"], "trainer.max_epochs=-1 is not max_epochs=1: set max_epochs"),
    (["trainer.max_epochs=1.5"], "trainer.max_epochs=1.5 is not max_epochs=1"),
    (["trainer.max_epochs=null"], "trainer.max_epochs=None is not max_epochs=1"),
    (["trainer.max_steps=0"], "trainer.max_steps=0 trains nothing"),
    (["trainer.max_steps=1.5"], "trainer.max_steps must be an integer ≥ -1, got 1.5"),
    (["trainer.max_time=5"], "trainer.max_time (or null) must be a time as DD:HH:MM:SS, as in 00:12:00:00, got 5"),
    (["trainer.max_time=00:00:00:00"], "trainer.max_time (or null)=00:00:00:00 leaves no time to train"),
    (["trainer.precision=abc"], "trainer: Precision 'abc' is invalid"),
    (["trainer.gradient_clip_val=-1"], "trainer.gradient_clip_val (or null) must be a finite number > 0, got -1"),
    (["trainer.gradient_clip_val=0"], "trainer.gradient_clip_val (or null) must be a finite number > 0, got 0"),
    (["trainer.accumulate_grad_batches=0"], "trainer.accumulate_grad_batches must be an integer ≥ 1, got 0"),
    (["trainer.accumulate_grad_batches=null"], "trainer.accumulate_grad_batches must be an integer ≥ 1, got None"),
    (["trainer.deterministic=abc"], "trainer.deterministic (or null) (or warn) must be true or false, got 'abc'"),
    (["trainer.limit_train_batches=0"], "trainer.limit_train_batches=0 leaves no batch to train on"),
    (["trainer.limit_train_batches=true"], "trainer.limit_train_batches (or null) as a number of batches must be"),
    (["trainer.limit_val_batches=1.5"], "as a fraction of the batches must be a finite number in [0, 1], got 1.5"),
    (["trainer.limit_val_batches=0"], "trainer.limit_val_batches=0 of 1 leaves no batch to select the model"),
    (["trainer.limit_test_batches=0.5"], "trainer.limit_test_batches=0.5 of 1 leaves no batch to score the model on"),
    (["trainer.val_check_interval=0"], "trainer.val_check_interval (or null)=0 never validates"),
    (["trainer.check_val_every_n_epoch=0"], "trainer.check_val_every_n_epoch (or null) must be an integer ≥ 1, got 0"),
    (["trainer.check_val_every_n_epoch=2"], "trainer.check_val_every_n_epoch=2 never validates in 1 epochs"),
    (["trainer.num_nodes=0"], "trainer.num_nodes must be an integer ≥ 1, got 0"),
    (["trainer.num_sanity_val_steps=abc"], "trainer.num_sanity_val_steps must be an integer ≥ -1, got 'abc'"),
    (["trainer.use_distributed_sampler=true"], "trainer.use_distributed_sampler=true would repeat examples: leave it"),
    (["trainer.enable_model_summary=5"], "trainer.enable_model_summary must be true or false, got 5"),
    (["trainer.log_every_n_steps=0"], "trainer.log_every_n_steps must be an integer ≥ 1, got 0"),
    (["trainer.accelerator=abc"], "trainer: You selected an invalid accelerator name: `accelerator='abc'`"),
    (["trainer.devices=0"], "trainer: `Trainer(devices=0)` value is not a valid input"),
    (["trainer.devices=true"], "trainer.devices must be a number of devices, auto, or a list"),
    (["trainer._target_=5"], "trainer needs a _target_, the path of a class, got 5"),
    (["+trainer.foo=1"], "unexpected keyword argument 'foo'"),
    (["trainer.profiler=simple"], "write +trainer.profiler=…"),
    (["+trainer.fast_dev_run=true"], "trainer.fast_dev_run=True saves no checkpoint to test"),
    (["+trainer.overfit_batches=2"], "trainer.overfit_batches=2 takes the place of what the run directory needs"),
    (["+trainer.logger=false"], "trainer.logger=False takes the place of what the run directory needs: choose logger"),
    (["+trainer.benchmark=abc"], "trainer.benchmark (or null) must be true or false, got 'abc'"),
    (["+trainer.callbacks=5"], "trainer.callbacks (or null) must be a list, got 5"),
    (["+callbacks.mine=1"], "callbacks.mine needs a _target_, the path of a callback class, got 1"),
    (["+strategy.mine=1"], "strategy.mine needs a _target_, the path of a strategy class, got 1"),
    (["+strategy._target_=my.Mine"], "strategy needs a name above its _target_: write mine: {_target_: my.Mine, …}"),
    (
        ["+strategy.mine._target_=lightning.pytorch.callbacks.Timer"],
        "strategy.mine: Timer is not a subclass of imbalance_lab.training.strategies.Strategy",
    ),
    (
        ["callbacks=early_stopping", "callbacks.early_stopping.patience=abc"],
        "callbacks.early_stopping.patience must be an integer ≥ 1, got 'abc'",
    ),
]

LOSS = [
    (["loss.ignore_index=3"], "loss.ignore_index=3 is class '3', which is then never learned: leave it at -100"),
    (["loss.ignore_index=abc"], "loss: ignore_index must be an integer, got 'abc'"),
    ([f"loss.alpha={ZEROS}"], "loss: loss.alpha=[0, 0, 0, 0, 0, 0, 0, 0, 0, 0] gives no gradient, so that nothing is"),
    (["loss.alpha={}"], "loss: alpha"),
    (["loss.label_smoothing=1"], "loss: with loss.label_smoothing=1 the gradient does not depend on the target"),
    (["loss.gamma=1000"], "loss: gamma must be a finite number ≤ 100, got 1000"),
    (["loss.gamma=nan"], "loss: gamma must be a finite number ≥ 0, got nan"),
    (["loss.gamma=[1,2]"], "loss: gamma has 2 numbers, but there are 10 classes"),
    (["loss.gamma=null"], "loss: gamma must be a number, got None"),
    (["loss.background_class=10"], "loss: background_class=10 is none of the 10 classes"),
    (["loss.reduction=none"], "loss: with loss.reduction=none it is not one number, but of shape (20,): choose a red"),
    (["loss.reduction=abc"], "loss: reduction must be one of"),
    (["loss=cross_entropy", f"loss.weight={ZEROS}"], "loss: loss.weight=[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"),
    (
        ["loss=cross_entropy", "loss.label_smoothing=1"],
        "loss: with loss.label_smoothing=1 the gradient does not depend",
    ),
    (["loss=class_balanced", "loss.weight=null"], "is the same as loss=cross_entropy: choose that"),
    (["loss=logit_adjusted", "loss.tau=1e9"], "loss: tau must be a finite number in [0, 100], got 1e+09"),
    (["loss=vector_scaling", "loss.gamma=1000"], "loss: gamma must be a finite number in [0, 10], got 1000"),
    (["loss=ldam", "loss.max_margin=5"], "loss: max_margin must be a finite number in [0, 2], got 5"),
    (["loss=ldam", "head.scale=0"], "scale must be a finite number in (0, 10000], got 0"),
    (["loss=seesaw", "loss.q=1e9"], "loss: q must be a finite number in [0, 10], got 1e+09"),
    (["loss=sigmoid_focal", "loss.gamma=1000"], "loss: gamma must be a finite number in [0, 100], got 1000"),
    (["loss=asymmetric", "loss.gamma_negative=1e9"], "loss: gamma_negative must be a finite number in [0, 100]"),
    (["loss=asymmetric", "loss.margin=1"], "loss: margin must be a finite number in [0, 1), got 1"),
    (["loss=auc_margin", "loss.margin=1e9"], "loss: margin must be a finite number in [0, 10], got 1e+09"),
    (["loss=auc_margin", "loss.num_labels=5"], "num_labels"),
    (["loss=poly", "loss.epsilon=-2"], "loss: epsilon must be a finite number in [-1, 1000], got -2"),
    (["loss._target_=5"], "loss needs a _target_, the path of a class, got 5"),
]

MODEL = [
    (["optimizer.lr=0"], "optimizer: lr must be a finite number in (0, 1000], got 0"),
    (["optimizer.lr=-1"], "optimizer: lr must be a finite number in (0, 1000], got -1"),
    (["optimizer.lr=inf"], "optimizer: lr must be a finite number in (0, 1000], got inf"),
    (["optimizer.lr=abc"], "optimizer: lr must be a number, got 'abc'"),
    (["optimizer.lr=[1,2]"], "optimizer: lr must be a number, got [1, 2]"),
    (["optimizer.weight_decay=-1"], "optimizer: weight_decay must be a finite number ≥ 0, got -1"),
    (["optimizer.weight_decay=1e9"], "optimizer.weight_decay=1e+09 with a learning rate of 0.003 leaves nothing"),
    (["optimizer=sgd", "optimizer.momentum=2"], "optimizer: momentum must be a finite number in [0, 1), got 2"),
    (["+optimizer.betas=[0.9,1]"], "optimizer: betas[1] must be a finite number in [0, 1), got 1"),
    (["+optimizer.eps=0"], "optimizer: eps must be a finite number in (0, 1], got 0"),
    (["+optimizer.foo=1"], "optimizer: AdamW.__init__() got an unexpected keyword argument 'foo'"),
    (["optimizer._partial_=false"], "optimizer: AdamW.__init__() missing 1 required positional argument: 'params'"),
    (["scheduler.warmup=1"], "scheduler: warmup must be a finite number in [0, 1), got 1"),
    (["scheduler=steps", "scheduler.factors=5"], "scheduler: factors must be a mapping of fractions"),
    (["scheduler=steps", "scheduler.factors={0:0}"], "scheduler: factors[0] must be a finite number in (0, 1000]"),
    (["scheduler=steps", "scheduler.factors={abc:1}"], "scheduler: a fraction of the run in factors must be a number"),
    (["backbone.widths=3"], "backbone: widths must be a list, got 3"),
    (["backbone.widths=[0]"], "backbone: widths[0] must be an integer ≥ 1, got 0"),
    (["backbone.dropout=1"], "backbone: dropout must be a finite number in [0, 1), got 1"),
    (["backbone=resnet_cifar", "backbone.depth=21"], "backbone: depth must be 6n + 2 (20, 32, 44, 56, 110), got 21"),
    (["backbone=torchvision", "backbone.name=abc"], "abc"),
    (["backbone=torchvision", "backbone.freeze=5"], "backbone: freeze must be true or false, got 5"),
    (["backbone._target_=torch.nn.Identity"], "backbone: Identity has no integer attribute num_features: set it"),
    (["sampler=m_per_class", "sampler.only=[]"], "sampler: only is an empty list, of no class: name classes, or null"),
    (["sampler=m_per_class", "sampler.only=[10]"], "sampler: only must list class indices from 0 to 9, got 10"),
    (["sampler=m_per_class", "sampler.m=50"], "sampler: 50 of each of 10 classes do not fit into a batch of"),
    (["sampler=effective_number", "sampler.beta=1"], "sampler: beta must be a finite number in [0, 1), got 1"),
    (["sampler._target_=imbalance_lab.losses.FocalLoss"], "sampler: FocalLoss has no order: choose a _target_ that"),
    (["augment.shift=100"], "augment: shift (for images of 8 × 8 pixels) must be an integer ≤ 7, got 100"),
    (["augment.flip=abc"], "augment: flip must be true or false, got 'abc'"),
    (["augment=strong", "augment.scale=[1,0.5]"], "augment: scale must be two numbers, the smaller first"),
    ([*TABLE, "augment=shift"], "augment: ShiftFlip needs images (channels, height, width), got inputs of shape (3,)"),
    ([*TABLE, "augment=strong"], "augment: RandomResizedCrop needs images"),
    ([*TABLE, "backbone=convnet"], "backbone: ConvNet needs images"),
]

DATA = [
    (["data=table"], "data.path is missing: add data.path=…"),
    ([*TABLE[:2], "data.target=nope"], "nope"),
    ([*TABLE[:2], "data.target=[]"], "data: data.target is an empty list: name the columns to predict"),
    (["data=table", "data.path=na.csv", "data.target=y"], "without which NA, N/A, NaN, nan, null, NULL"),
    (["data=table", "data.path=5", "data.target=y"], "data.path=5 is read as 5, not as text"),
    ([*TABLE, "data.drop=abc"], "data: data.drop must be a list, got 'abc'"),
    ([*TABLE, "data.group=nope"], "nope"),
    ([*TABLE, "data.scaling=abc"], "data: scaling must be one of standard, quantile, none, got 'abc'"),
    ([*TABLE, "data.val_fraction=1"], "data: val_fraction must be a finite number in [0, 1), got 1"),
    ([*TABLE, "data.test_fraction=0"], "data: there is no example in the test split"),
    (
        [*TABLE, "data.split_seed=9223372036854775808"],
        "data: split_seed must be an integer in [0, 9223372036854775807]",
    ),
    (["data.factor=0"], "data: factor must be a finite number ≥ 1, got 0"),
    (["data.factor=1e9"], "leaves no training example of class"),
    (["data.profile=abc"], "data: profile must be one of exp, step, got 'abc'"),
    (["data.subset_seed=9223372036854775808"], "data: subset_seed must be an integer in [0, 9223372036854775807]"),
    (["data.val_fraction=-0.1"], "data: val_fraction must be a finite number in [0, 1), got -0.1"),
    (["data.val_fraction=0", "early_stopping=5"], "early_stopping=5 stops by a score on validation, but there is no"),
    (["data.many=10"], "data.few=20 is above many=10"),
    (["data.few=x"], "data.few must be an integer ≥ 0, got 'x'"),
    (["data.dataset=null"], "data: dataset must be a function of imbalance_lab.data"),
    (["data=digits_binary", "data.positive_ratio=1"], "data: positive_ratio must be a finite number in (0, 1), got 1"),
    (["data=image_folder"], "data.root is missing: add data.root=…"),
    (["data=image_folder", "data.root=/nowhere"], "data: data.root=/nowhere is not a directory"),
    ([*IMAGES, "data.image_size=100000"], "data.image_size is given twice"),
    (
        [*IMAGES[:2], "data.image_size=100000"],
        "data: image_size (auto, or pixels) must be an integer in [1, 4096], got 100000",
    ),
    ([*IMAGES, "data.channels=2"], "data: channels must be 1, 3 or auto, got 2"),
    ([*IMAGES, "data.normalize=abc"], "data: normalize must be one of fitted, imagenet, inception, got 'abc'"),
    ([*IMAGES, "data.max_pixels=0"], "data: max_pixels must be an integer ≥ 1, got 0"),
    ([*IMAGES, 'data.group_pattern="["'], "data: data.group_pattern='[' is not a regular expression"),
    ([*IMAGE_TABLE, "data.path_column=nope"], "nope"),
]

AFTER = [
    (["operating_point.min_positives=0"], "operating_point: min_positives must be an integer ≥ 1, got 0"),
    ([*RECALL, "operating_point.min_recall=1"], "min_recall must be a finite number in (0, 1), got 1"),
    ([*RECALL, "operating_point.confidence=abc"], "operating_point: confidence must be a number, got 'abc'"),
    (
        ["operating_point=alert_budget", "operating_point.k=2000"],
        "operating_point: k must be at most per=1000, got 2000",
    ),
    (["operating_point=min_cost", "operating_point.false_negative=0"], "false_negative must be a finite number > 0"),
    (["operating_point=max_fpr", "operating_point.max_fpr=null"], "max_fpr must be a number, got None"),
    (["prior_correction=deploy_prior"], "prior_correction.deploy_prior is missing"),
    ([*DEPLOY, "prior_correction.deploy_prior=5"], "prior_correction: deploy_prior must be a list, got 5"),
    ([*DEPLOY, "prior_correction.deploy_prior=[0.5,0.5]"], "deploy_prior has 2 class priors, but there are 10 classes"),
    (["prior_correction=logit_adjustment", "prior_correction.tau=-1"], "tau must be a finite number ≥ 0, got -1"),
    (["prior_correction=logit_adjustment", "loss=ldam"], "use calibration=bias_corrected"),
    (["calibration._target_=imbalance_lab.losses.FocalLoss"], "calibration: FocalLoss has no fit"),
    (["logger=csv", "logger.flush_logs_every_n_steps=0"], "flush_logs_every_n_steps must be an integer ≥ 1, got 0"),
    (["logger=csv", "logger.version=null"], "there is no 'logger.version' in this configuration"),
    (["logger=csv", "+logger.version=null"], "logger: CSV.__init__() got an unexpected keyword argument 'version'"),
    (["logger=tensorboard", "+logger.foo=1"], "unexpected keyword argument 'foo'"),
    (["logger._target_=imbalance_lab.losses.FocalLoss"], "logger: FocalLoss has no log_metrics"),
]


def check(answer: Answer, sentence: str) -> None:
    assert answer.code == 2, answer
    assert answer.error.startswith("error: "), answer.error
    assert sentence in answer.error
    assert answer.error.count("\n") == 1, answer.error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [*COMMAND_LINE, *JOB, *TRAINER, *LOSS, *MODEL, *DATA, *AFTER],
    ids=lambda value: str(value),
)
def test_a_wrong_value_is_answered_in_a_sentence(arguments: list[str], sentence: str, run: Run) -> None:
    check(run(*arguments), sentence)


@pytest.mark.parametrize(
    "arguments",
    [
        ["scheduler=steps", "scheduler.factors={0.5:0.1}"],
        ["callbacks=[early_stopping]"],
        ["strategy=[none]"],
        ["+strategy._target_=imbalance_lab.training.strategies.Strategy"],
        ["eval_batch_size=${batch_size}"],
        ["+rate=0.1", "optimizer.lr=${rate}"],
        ["~callbacks.early_stopping", "callbacks=early_stopping"],
        ["loss.label_smoothing=0.9", "loss.gamma=100", "trainer.max_time=00:00:01:00"],
        ["backbone=convnet", "batch_size=3"],
        ["logger=csv"],
        ["logger=tensorboard", "+logger.flush_secs=5"],
        [*TABLE, "data.group=patient"],
        [*IMAGES],
    ],
    ids=str,
)
def test_what_looks_alike_but_is_right_trains(arguments: list[str], run: Run) -> None:
    answer = run(*arguments)
    assert answer == (None, "")


def test_a_sweep_over_choices_is_none_of_these(run: Run) -> None:
    answer = run("-m", "loss=focal,ldam", "seed=range(2)", "check=true")
    assert answer.code == 0, answer.error


@pytest.mark.filterwarnings("ignore")  # MLflow's and its database's own
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("tracking_uri=foo://x", "logger: tracking_uri=foo://x cannot be used"),
        ("tracking_uri=sqlite:////proc/x.db", "(unable to open database file): the default is sqlite:///mlflow.db"),
        ("tracking_uri=http://127.0.0.1:9", "logger: no MLflow server answers at tracking_uri=http://127.0.0.1:9"),
        ("tracking_uri=null", "logger: tracking_uri must be text, got None"),
        ("experiment_name=''", "logger: experiment_name must not be empty"),
        ("artifact_location=5", "logger: artifact_location must be text, got 5"),
    ],
)
def test_mlflow_is_tried_before_training(setting: str, sentence: str, run: Run) -> None:
    pytest.importorskip("mlflow")
    check(run("logger=mlflow", f"logger.{setting}"), sentence)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_never_answers_is_given_up(silent_server: str, run: Run) -> None:
    pytest.importorskip("mlflow")
    start = time.monotonic()
    check(run("logger=mlflow", f"logger.tracking_uri={silent_server}"), "no MLflow server answers")
    assert time.monotonic() - start < 10


def test_an_unknown_option_of_wandb_is_refused(run: Run) -> None:
    pytest.importorskip("wandb")
    check(run("logger=wandb", "+logger.foo=1"), "neither Lightning's logger nor wandb.init has an option 'foo'")
    check(run("logger=wandb", "logger.project=''"), "logger: project must not be empty")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hydra.run.dir=/proc/x"], "no run can be written to /proc/x"),
        pytest.param(
            ["-m", "hydra.sweep.dir=/proc/x"], "no run can be written to /proc/x", marks=pytest.mark.exhaustive
        ),
        pytest.param(
            ["-m", "loss.gamma=range(0,0)"], "loss.gamma=range(0,0) has no value", marks=pytest.mark.exhaustive
        ),
        (["optimizer.lr=0"], "optimizer: lr must be a finite number in (0, 1000], got 0"),
    ],
)
def test_a_process_of_its_own_says_the_same(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = train("logger=none", *arguments, cwd=tmp_path)
    check(Answer(done.returncode, done.stderr), sentence)


@pytest.mark.parametrize("flag", ["--help", "--cfg job"])
def test_a_reader_that_stops_early_is_no_error(flag: str, tmp_path: Path) -> None:
    command = f"{sys.executable} {ROOT / 'train.py'} {flag} | head -3; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3
