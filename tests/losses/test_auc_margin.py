import monai
import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from imbalance_lab.losses import AUCMarginLoss, auc_margin_loss

TARGET = torch.tensor([1, 0, 0, 1, 0, 0, 0])
A, B, ALPHA, MARGIN = 0.8, 0.3, 0.45, 0.9


def scores(labels=1):
    return 2 * torch.randn(7, labels, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


def variables(labels=1, alpha=ALPHA):
    return [torch.full((labels,), v, dtype=torch.float64, requires_grad=True) for v in (A, B, alpha)]


def published(h, y, a=A, b=B, alpha=ALPHA, margin=MARGIN):
    """E₊[(h − a)²] + E₋[(h − b)²] + 2α (m + E₋h − E₊h) − α², LibAUC's documentation of "v2"."""
    positive, negative = h[y == 1], h[y == 0]
    gap = margin + negative.mean() - positive.mean()
    return ((positive - a) ** 2).mean() + ((negative - b) ** 2).mean() + 2 * alpha * gap - alpha**2


def test_equals_the_published_formula():
    z = scores()
    value = auc_margin_loss(z, TARGET[:, None], *variables(), margin=MARGIN)
    assert value.item() == pytest.approx(published(z.sigmoid().squeeze(1).numpy(), TARGET.numpy()), rel=1e-12)


@pytest.mark.parametrize("positives", [3, 1])
def test_agrees_with_monai_value_and_gradients(positives):
    # MONAI takes the scores h, where ours takes logits, and leaves it to the user to climb with α.
    z, y = scores().requires_grad_(), (torch.arange(7) < positives).double()[:, None]
    theirs = monai.losses.AUCMLoss(margin=MARGIN, version="v2").double()
    for variable, number in zip((theirs.a, theirs.b, theirs.alpha), (A, B, ALPHA), strict=True):
        variable.data.fill_(number)
    ours = AUCMarginLoss(MARGIN).double()
    ours.load_state_dict(ours.state_dict() | {k: v[None] for k, v in theirs.state_dict().items()})
    value, expected = ours(z, y), theirs(z.sigmoid(), y)
    torch.testing.assert_close(value, expected, check_dtype=False)
    by_z, by_a, by_b, by_alpha = torch.autograd.grad(value, [z, ours.a, ours.b, ours.alpha])
    expected = torch.autograd.grad(expected, [z, theirs.a, theirs.b, theirs.alpha])
    torch.testing.assert_close([by_z, by_a[0], by_b[0], -by_alpha[0]], list(expected), check_dtype=False)


def test_by_hand_where_libauc_computes_something_else():
    # h: positives ¾, negatives ½, ¼, ¼; a = ¾, b = ½, α = 1, m = 1. E₊h = ¾, E₋h = ⅓.
    # 0 + (0 + 2/16) / 3 + 2 (1 + ⅓ − ¾) − 1 = 1/24 + 1/6.
    # LibAUC's code departs from its own formula. The mean of a class is its sum over the number of *nonzero* terms,
    # so E₊[(h − a)²] is 0/0 here and E₋[(h − b)²] 1/16; and a misplaced bracket makes E₋h ¼, a sum over all N.
    h = torch.tensor([0.75, 0.5, 0.25, 0.25], dtype=torch.float64)
    a, b, alpha = (torch.tensor([v], dtype=torch.float64) for v in (0.75, 0.5, 1.0))
    value = auc_margin_loss(h.logit()[:, None], torch.tensor([[1], [0], [0], [0]]), a, b, alpha)
    assert value.item() == pytest.approx(1 / 24 + 1 / 6, rel=1e-12)


def test_gradients_of_net_a_and_b_are_the_formulas_and_that_of_alpha_is_turned():
    z, y = scores(), TARGET.numpy()
    z.requires_grad_()
    a, b, alpha = variables()
    auc_margin_loss(z, TARGET[:, None], a, b, alpha, margin=MARGIN).backward()
    h = z.detach().sigmoid().squeeze(1).numpy()
    positive, negative = h[y == 1], h[y == 0]
    assert a.grad.item() == pytest.approx(-2 * (positive - A).mean(), rel=1e-12)
    assert b.grad.item() == pytest.approx(-2 * (negative - B).mean(), rel=1e-12)
    ascent = 2 * (MARGIN + negative.mean() - positive.mean()) - 2 * ALPHA
    assert alpha.grad.item() == pytest.approx(-ascent, rel=1e-12)
    by_h = np.where(y == 1, (2 * (h - A) - 2 * ALPHA) / 2, (2 * (h - B) + 2 * ALPHA) / 5)
    np.testing.assert_allclose(z.grad.squeeze(1), by_h * h * (1 - h), rtol=1e-10)


@pytest.mark.parametrize(("optimizer", "rate"), [(torch.optim.SGD, 0.1), (torch.optim.Adam, 0.02)])
@pytest.mark.parametrize("margin", [1.0, 0.2])
def test_any_minimizer_finds_the_saddle_point(optimizer, rate, margin):
    # For fixed scores: a = E₊h, b = E₋h, α = max(0, m + E₋h − E₊h), the last one 0 at the small margin.
    z = torch.tensor([2.0, 1.0, -1.0, -2.0, 0.0])
    target = torch.tensor([1, 1, 0, 0, 0])
    loss = AUCMarginLoss(margin)
    loss.alpha.data.fill_(-3.0)  # thrown far below 0, it must find back
    optimizer = optimizer(loss.parameters(), rate)
    for _ in range(1500):
        optimizer.zero_grad()
        loss(z, target).backward()
        optimizer.step()
    h = z.sigmoid()
    gap = margin + h[2:].mean() - h[:2].mean()
    assert (gap > 0) == (margin == 1)
    assert loss.a.item() == pytest.approx(h[:2].mean().item(), abs=1e-3)
    assert loss.b.item() == pytest.approx(h[2:].mean().item(), abs=1e-3)
    assert loss.alpha.clamp(min=0).item() == pytest.approx(max(0, gap.item()), abs=1e-3)
    spread = h[:2].var(correction=0) + h[2:].var(correction=0)
    torch.testing.assert_close(loss(z, target), spread + gap.clamp(min=0) ** 2, atol=1e-5, rtol=0)


def test_a_negative_alpha_counts_as_zero_but_not_for_its_own_gradient():
    z = scores()
    below, zero = (auc_margin_loss(z, TARGET[:, None], *variables(alpha=alpha)) for alpha in (-0.5, 0.0))
    assert below == zero


@pytest.mark.parametrize("only", [0, 1])
def test_a_batch_of_one_class_uses_the_center_of_the_other(only):
    z = scores().requires_grad_()
    a, b, alpha = variables()
    value = auc_margin_loss(z, torch.full((7, 1), only), a, b, alpha, margin=MARGIN)
    h = z.sigmoid()
    spread, gap = ((h - A) ** 2, MARGIN + B - h.mean()) if only else ((h - B) ** 2, MARGIN + h.mean() - A)
    torch.testing.assert_close(value, spread.mean() + 2 * ALPHA * gap - ALPHA**2)
    value.backward()
    missing = b if only else a
    assert missing.grad.item() == 0
    assert all(torch.isfinite(t.grad).all() for t in (z, a, b, alpha))


def test_one_label_in_every_accepted_shape():
    z = scores()
    two = torch.cat([torch.ones_like(z), z + 1], 1)  # log-odds z
    loss = AUCMarginLoss(class_counts=[90, 10]).double()
    expected = loss(z, TARGET)
    for logits, target in [(two, TARGET), (z.squeeze(1), TARGET), (z, TARGET[:, None]), (z, TARGET.double())]:
        torch.testing.assert_close(loss(logits, target), expected)


def test_many_labels_are_the_mean_over_labels():
    z = scores(labels=3)
    target = torch.tensor([0, 1, 2, 0, 0, 1, 0])
    a, b, alpha = (torch.rand(3, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(3))
    value = auc_margin_loss(z, F.one_hot(target, 3), a, b, alpha)
    h = z.sigmoid().numpy()
    each = [published(h[:, c], (target == c).numpy(), a[c].item(), b[c].item(), alpha[c].item(), 1) for c in range(3)]
    assert value.item() == pytest.approx(np.mean(each), rel=1e-12)


def test_class_indices_are_taken_one_against_the_rest():
    z, target = scores(labels=3), torch.tensor([0, 1, 2, 0, 0, 1, 0])
    loss = AUCMarginLoss(class_counts=[4, 2, 1]).double()
    torch.testing.assert_close(loss(z, target), loss(z, F.one_hot(target, 3)))


def test_warm_up_trains_the_net_by_cross_entropy_while_a_b_and_alpha_follow():
    z, loss, plain = scores().requires_grad_(), AUCMarginLoss(warmup_steps=2).double(), AUCMarginLoss().double()
    entropy = F.binary_cross_entropy_with_logits(z.squeeze(1), TARGET.double())
    followed = torch.autograd.grad(plain(z, TARGET), list(plain.parameters()))
    for _ in range(2):
        value = loss(z, TARGET)
        torch.testing.assert_close(value, entropy)
        by_net, *by_variables = torch.autograd.grad(value, [z, *loss.parameters()])
        torch.testing.assert_close(by_net, torch.autograd.grad(entropy, z, retain_graph=True)[0])
        torch.testing.assert_close(by_variables, list(followed))
    torch.testing.assert_close(loss(z, TARGET), plain(z, TARGET))
    gradients = (torch.autograd.grad(module(z, TARGET), z)[0] for module in (loss, plain))
    torch.testing.assert_close(*gradients)


def test_warm_up_counts_training_steps_only_and_resumes():
    loss, resumed = AUCMarginLoss(warmup_steps=2), AUCMarginLoss(warmup_steps=2)
    loss(scores(), TARGET)
    loss.eval()(scores(), TARGET)
    resumed.load_state_dict(loss.state_dict())
    assert resumed.steps == 1


def test_training_improves_the_ranking():
    generator = torch.Generator().manual_seed(8)
    inputs = torch.randn(400, 5, generator=generator)
    target = (inputs @ torch.tensor([1.0, -1, 0.5, 0, 0]) + 0.5 * torch.randn(400, generator=generator) > 2.2).long()
    weight = torch.zeros(1, 5, requires_grad=True)
    loss = AUCMarginLoss()
    optimizer = torch.optim.SGD([{"params": [weight], "lr": 0.5}, {"params": loss.parameters(), "lr": 0.1}])
    for _ in range(200):
        optimizer.zero_grad()
        loss(inputs @ weight.T, target).backward()
        optimizer.step()
    assert 10 < target.sum() < 60
    assert roc_auc_score(target, (inputs @ weight.T).detach().squeeze(1)) > 0.95


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"warmup_steps": -1}, ValueError, "warmup_steps must be an integer ≥ 0, got -1"),
        ({"warmup_steps": 1.5}, TypeError, "warmup_steps must be an integer"),
        ({"num_labels": 0}, ValueError, "num_labels must be an integer ≥ 1, got 0"),
    ],
)
def test_invalid_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        AUCMarginLoss(**arguments)


@pytest.mark.parametrize(("shape", "target"), [((4, 3), (4,)), ((4, 1), (3,)), ((3, 2), (4, 1))])
def test_shapes_that_do_not_fit_one_label_are_refused(shape, target):
    with pytest.raises(ValueError, match=r"do not fit one label"):
        AUCMarginLoss()(torch.zeros(shape), torch.zeros(target, dtype=torch.int64))


@pytest.mark.parametrize(("num_labels", "width"), [(1, 2), (1, 3), (3, 2), (3, 1)])
def test_a_target_with_another_number_of_labels_is_refused(num_labels, width):
    expected = rf"^num_labels={num_labels}, but the target has {width} labels: set num_labels={width}$"
    with pytest.raises(ValueError, match=expected):
        AUCMarginLoss(num_labels=num_labels)(torch.zeros(4, width), torch.zeros(4, width))


@pytest.mark.parametrize(("counts", "num_labels"), [([9, 5, 1], 2), ([9, 5, 1], 1), ([9, 5], 3)])
def test_a_number_of_labels_that_contradicts_the_counts_is_refused(counts, num_labels):
    with pytest.raises(ValueError, match=rf"^num_labels={num_labels}, but class_counts has {len(counts)} entries"):
        AUCMarginLoss(class_counts=counts, num_labels=num_labels)


@pytest.mark.parametrize(
    ("counts", "num_labels", "expected", "activation"),
    [
        (None, None, 1, "softmax"),
        ([9, 5], None, 1, "softmax"),
        ([9, 5], 1, 1, "softmax"),
        ([9, 5], 2, 2, "sigmoid"),
        ([9, 5, 1], None, 3, "sigmoid"),
        ([9, 5, 1], 3, 3, "sigmoid"),
        ([9], None, 1, "softmax"),
    ],
)
def test_the_number_of_labels_and_the_activation(counts, num_labels, expected, activation):
    loss = AUCMarginLoss(class_counts=counts, num_labels=num_labels)
    assert len(loss.a) == len(loss.b) == len(loss.alpha) == loss.num_labels == expected
    assert loss.activation == activation
