"""What is measured: a method is one line of overrides.

The first words are the paper's defaults. The alternatives are other values of the method's main parameter; together
with the default, the best of them on validation is the tuned variant. Every method has at most two, so that all are
tuned with the same budget. A method ``of`` another is a post-processing of its predictions: it trains nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from image_benchmark.plain_torch import ldam, logit_adjusted, train_plainly
from image_benchmark.stored_run import StoredRun, train_program


@dataclass(frozen=True)
class Method:
    """A method.

    Attributes:
        name: of it.
        overrides: of the command line.
        alternatives: to the overrides, each one value of the main parameter.
        of: the method whose predictions it processes.
        train: what runs a command line.
    """

    name: str
    overrides: str
    alternatives: tuple[str, ...] = ()
    of: str | None = None
    train: Callable[[list[str]], StoredRun] = train_program


CROSS_ENTROPY, LOGIT_ADJUSTMENT = "cross-entropy", "post-hoc logit adjustment"
BASELINES = (
    Method(CROSS_ENTROPY, "loss=cross_entropy", ("optimizer.weight_decay=1e-3", "optimizer.weight_decay=2e-3")),
    Method(
        LOGIT_ADJUSTMENT,
        "loss=cross_entropy prior_correction=logit_adjustment",
        ("prior_correction.tau=balanced_accuracy",),
        of=CROSS_ENTROPY,
    ),
)
"""What every other method is compared with: the plain loss, and the honest one, which costs no training."""

LOSSES = (
    Method("focal", "loss=focal", ("loss.gamma=0.5", "loss.gamma=1")),
    Method("class-balanced", "loss=class_balanced", ("loss.weight=sqrt_inverse", "loss.weight=inverse")),
    Method("class-balanced focal", "loss=focal loss.alpha=effective", ("loss.gamma=0.5", "loss.gamma=1")),
    Method("logit-adjusted loss", "loss=logit_adjusted", ("loss.tau=0.75", "loss.tau=1.25")),
    Method("LDAM", "loss=ldam", ("loss.max_margin=0.25", "loss.max_margin=0.75")),
    Method("vector scaling", "loss=vector_scaling", ("loss.gamma=0.15", "loss.gamma=0.05")),
    Method("poly-1", "loss=poly", ("loss.epsilon=-1", "loss.epsilon=2")),
    Method("seesaw", "loss=seesaw", ("loss.p=0.4", "loss.p=1.2")),
)
SAMPLERS = (
    Method("class-balanced sampling", "loss=cross_entropy sampler=class_balanced"),
    Method(
        "square-root sampling",
        "loss=cross_entropy sampler=square_root",
        ("sampler.power=0.25", "sampler.power=0.75"),
    ),
    Method("progressive sampling", "loss=cross_entropy sampler=progressive"),
    Method(
        "effective-number sampling",
        "loss=cross_entropy sampler=effective_number",
        ("sampler.beta=0.99", "sampler.beta=0.9999"),
    ),
)
LAST = "weights=last"  # stage 2 begins with the last epoch, as in the papers
STRATEGIES = (
    Method("DRW", "loss=cross_entropy strategy=drw", ("strategy.drw.start=0.6", "strategy.drw.start=0.9")),
    Method("DRS", "loss=cross_entropy strategy=drs", ("strategy.drs.start=0.6", "strategy.drs.start=0.9")),
    Method("LDAM-DRW", "loss=ldam strategy=drw", ("loss.max_margin=0.25", "loss.max_margin=0.75")),
    Method(
        "cRT",
        f"loss=cross_entropy strategy=crt strategy.crt.{LAST}",
        ("strategy.crt.lr=0.01", "strategy.crt.epochs=5"),
    ),
    Method(
        "LWS",
        f"loss=cross_entropy strategy=lws strategy.lws.{LAST}",
        ("strategy.lws.lr=0.2", "strategy.lws.lr=0.01"),
    ),
    Method(
        "label over-smoothing",
        f"loss=cross_entropy strategy=label_oversmoothing strategy.label_oversmoothing.{LAST}",
        ("strategy.label_oversmoothing.smoothing=0.9", "strategy.label_oversmoothing.smoothing=0.99"),
    ),
    Method(
        "τ-normalization",
        "loss=cross_entropy prior_correction=tau_normalization",
        ("prior_correction.tau=1",),
        of=CROSS_ENTROPY,
    ),
    Method("mixup", "loss=cross_entropy strategy=mixup", ("strategy.mixup.alpha=0.2", "strategy.mixup.alpha=0.4")),
    Method(
        "CutMix",
        "loss=cross_entropy strategy=cutmix",
        ("strategy.cutmix.probability=0.25", "strategy.cutmix.probability=1"),
    ),
    Method("Remix", "loss=cross_entropy strategy=remix", ("strategy.remix.alpha=0.2", "strategy.remix.kappa=10")),
    Method("EMA", "loss=cross_entropy strategy=ema", ("strategy.ema.decay=0.99", "strategy.ema.decay=0.995")),
    Method("SWA", "loss=cross_entropy strategy=swa", ("strategy.swa.start=0.6", "strategy.swa.start=0.9")),
    Method(
        "MaxNorm",
        "loss=cross_entropy strategy=max_norm",
        ("strategy.max_norm.limit=0.5", "strategy.max_norm.limit=2"),
    ),
    Method(
        "weight balancing",
        "loss=cross_entropy strategy=weight_balancing optimizer.weight_decay=5e-3",
        ("strategy.weight_balancing.limit=0.5", "strategy.weight_balancing.limit=2"),
    ),
    Method("RandAugment", "loss=cross_entropy augment=randaugment", ("augment.magnitude=5", "augment.magnitude=15")),
    Method("TrivialAugment", "loss=cross_entropy augment=trivialaugment", ("augment.translate=4",)),
    Method(
        "random erasing",
        "loss=cross_entropy augment=random_erasing",
        ("augment.probability=0.25", "augment.probability=1"),
    ),
)
COMBINATIONS = (
    Method("cross-entropy, 30 epochs", "loss=cross_entropy max_epochs=30"),
    Method(
        "post-hoc logit adjustment, 30 epochs",
        "loss=cross_entropy max_epochs=30 prior_correction=logit_adjustment",
        of="cross-entropy, 30 epochs",
    ),
    Method("logit-adjusted loss, 30 epochs", "loss=logit_adjusted max_epochs=30"),
    Method("class-balanced sampling, 30 epochs", "loss=cross_entropy sampler=class_balanced max_epochs=30"),
    Method("progressive sampling, 30 epochs", "loss=cross_entropy sampler=progressive max_epochs=30"),
    Method(
        "logit-adjusted loss, mixup, weight decay 1e-3, 30 epochs",
        "loss=logit_adjusted strategy=mixup strategy.mixup.alpha=0.2 optimizer.weight_decay=1e-3 max_epochs=30",
    ),
    Method(
        "progressive sampling, mixup, EMA, 30 epochs",
        "loss=cross_entropy sampler=progressive strategy=[mixup,ema] strategy.mixup.alpha=0.2 strategy.ema.decay=0.99 "
        "max_epochs=30",
    ),
)
FOR_LONGER = ", 30 epochs"
"""The end of the names of methods that are trained for longer than the others."""

PLAIN = "plain PyTorch: "
IN_PLAIN_TORCH = (
    Method(f"{PLAIN}logit-adjusted loss", "loss=logit_adjusted", train=partial(train_plainly, logit_adjusted, None)),
    Method(f"{PLAIN}LDAM", "loss=ldam", train=partial(train_plainly, ldam, 30.0)),
)
"""The method of the same name behind `PLAIN`, written again: the two must agree."""

LONG_TAILED = (*BASELINES, *LOSSES, *SAMPLERS, *STRATEGIES, *COMBINATIONS, *IN_PLAIN_TORCH)
_BY_NAME = {method.name: method for method in (*LOSSES, *SAMPLERS, *COMBINATIONS)}
AUC_FAMILY = (
    Method("AUC margin", "loss=auc_margin sampler=m_per_class sampler.m=8", ("loss.margin=0.5", "sampler.m=60")),
    Method("SOPA", "loss=partial_auc sampler=m_per_class sampler.m=8", ("loss.max_fpr=0.3", "sampler.m=60")),
    Method("SOPA-s", "loss=soft_partial_auc sampler=m_per_class sampler.m=8", ("loss.temperature=1", "sampler.m=60")),
    Method(
        "SOTA-s", "loss=two_way_partial_auc sampler=m_per_class sampler.m=8", ("loss.temperature=1", "sampler.m=60")
    ),
    Method(  # a gradient 1 / π times as large: with the others' rate the net is lost
        "SOAP",
        "loss=average_precision sampler=m_per_class sampler.m=8 optimizer.lr=0.01",
        ("loss.decay=0.3", "sampler.m=60"),
    ),
    Method(
        "recall at budget",
        "loss=recall_at_budget sampler=m_per_class sampler.m=8",
        ("loss.temperature=0.3", "sampler.m=60"),
    ),
)
LONGER = tuple(
    _BY_NAME[name]
    for name in (
        "cross-entropy, 30 epochs",
        "post-hoc logit adjustment, 30 epochs",
        "class-balanced sampling, 30 epochs",
        "progressive sampling, 30 epochs",
    )
)
BINARY = (
    *BASELINES,
    *(_BY_NAME[name] for name in ("focal", "class-balanced", "logit-adjusted loss", "vector scaling")),
    _BY_NAME["class-balanced sampling"],
    Method("sigmoid focal", "loss=sigmoid_focal", ("loss.gamma=0.5", "loss.gamma=1")),
    Method("asymmetric", "loss=asymmetric", ("loss.gamma_negative=2", "loss.margin=0")),
    *AUC_FAMILY,
    *LONGER,
)
RANKING = (*BASELINES, _BY_NAME["class-balanced sampling"], *AUC_FAMILY, *LONGER)
"""Where positives are less rare: the losses that rank, beside the baselines."""
_TRAINED = (
    *BASELINES,
    *(_BY_NAME[name] for name in ("focal", "class-balanced", "logit-adjusted loss", "LDAM")),
    _BY_NAME["class-balanced sampling"],
    Method("cosine head", "loss=cross_entropy head=cosine", ("head.scale=10", "head.scale=20")),
)
HEADS = (
    *(replace(method, overrides=f"batch_size=128 max_epochs=100 {method.overrides}") for method in _TRAINED),
    Method("nearest neighbors", "head=knn", ("head.k=20", "head.balanced=true")),
    Method("LDA", "head=lda", ("head.balanced=true",)),
    Method("logistic regression", "head=logistic", ("head.balanced=true",)),
    Method("kernel ridge regression", "head=kernel_ridge", ("head.balanced=true",)),
    Method(
        "kernel ridge regression, post-hoc logit adjustment",
        "head=kernel_ridge prior_correction=logit_adjustment",
        of="kernel ridge regression",
    ),
)
"""On frozen features; those with a head of their own are fitted at once, and need no epochs."""
