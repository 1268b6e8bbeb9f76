import pytest
import torch
from image_benchmark.methods import IN_PLAIN_TORCH, PLAIN
from image_benchmark.plain_torch import ldam, logit_adjusted
from image_benchmark.studies import FASHION_MNIST_LT

from imbalance_lab.losses import LDAMLoss, LogitAdjustedLoss

COUNTS = torch.tensor([500.0, 60.0, 7.0])


def test_the_formulas_are_those_of_our_losses():
    torch.manual_seed(0)
    cosine, target = torch.rand(50, 3) * 2 - 1, torch.randint(0, 3, (50,))
    ours = LDAMLoss(class_counts=COUNTS)(30 * cosine, target)
    assert ldam(COUNTS)(cosine, target) == pytest.approx(ours.item(), rel=1e-5)
    ours = LogitAdjustedLoss(class_counts=COUNTS)(cosine, target)
    assert logit_adjusted(COUNTS)(cosine, target) == pytest.approx(ours.item(), rel=1e-5)


def test_each_stands_beside_a_method_with_its_words():
    for method in IN_PLAIN_TORCH:
        assert FASHION_MNIST_LT.method(method.name.removeprefix(PLAIN)).overrides == method.overrides


@pytest.mark.parametrize("method", IN_PLAIN_TORCH, ids=lambda method: method.name)
def test_a_plain_loop_learns_the_examples_of_the_program(method):
    words = [
        "data=digits_lt",
        "data.factor=5",
        "optimizer=sgd",
        "optimizer.lr=0.1",
        "batch_size=32",
        "max_epochs=12",
        "seed=3",
    ]
    run = method.train([*words, *method.overrides.split()])
    assert run.epochs == 12
    right = run.test.logits.argmax(1) == run.test.target
    assert right.mean() > 0.5
