"""The fused form of the losses of labels against the same losses in plain operations."""

from functools import partial

import pytest
import torch

from imbalance_lab.losses import _elementwise, asymmetric_loss, sigmoid_focal_loss

LOSSES = {
    "sigmoid focal": partial(sigmoid_focal_loss, gamma=1.5, alpha=0.3),
    "sigmoid focal, γ = 4": partial(sigmoid_focal_loss, gamma=4, alpha=None),
    "asymmetric": partial(asymmetric_loss, gamma_positive=0.5),
    "asymmetric, no margin": partial(asymmetric_loss, margin=0),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@pytest.fixture(params=["one chunk", "many chunks"], autouse=True)
def chunks(request, monkeypatch):
    if request.param == "many chunks":
        monkeypatch.setattr(_elementwise, "CHUNK", 7)


def batch(*, soft, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(6, 5, 2, generator=generator, dtype=torch.float64)
    y = torch.rand(logits.shape, generator=generator)
    return logits.to(dtype).requires_grad_(), y if soft else (y < 0.3).float()


def nodes(node):
    """The names of the operations behind a value."""
    return {type(node).__name__}.union(*(nodes(each) for each, _ in node.next_functions if each is not None))


def value_and_gradient(loss, logits, y):
    each = loss(logits, y, reduction="none")
    weights = torch.linspace(0.5, 2, each.numel()).view_as(each)
    return each.detach(), torch.autograd.grad(each, logits, weights.to(each.dtype))[0]


@every_loss
@pytest.mark.parametrize("soft", [False, True])
def test_fused_form_is_the_plain_one(loss, soft, monkeypatch):
    logits, y = batch(soft=soft)
    fused = value_and_gradient(loss, logits, y)
    with monkeypatch.context() as patch:
        patch.setattr(_elementwise, "needs_plain_operations", lambda *_: True)
        plain = value_and_gradient(loss, logits, y)
    torch.testing.assert_close(fused, plain, rtol=1e-10, atol=1e-14)


@every_loss
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_single_precision_rounded(loss, soft, dtype):
    logits, y = batch(soft=soft, dtype=dtype)
    found = value_and_gradient(loss, logits, y)
    expected = value_and_gradient(loss, logits.detach().float().requires_grad_(), y)
    for half, single in zip(found, expected, strict=True):
        torch.testing.assert_close(half, single.to(dtype), rtol=2 * torch.finfo(dtype).eps, atol=1e-6)


@every_loss
@pytest.mark.parametrize("soft", [False, True])
def test_gradient_is_the_derivative_and_has_one_itself(loss, soft):
    logits, y = batch(soft=soft)
    logits = logits.detach()[:3, :2].requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, y[:3, :2]), [logits])
    assert torch.autograd.gradgradcheck(lambda z: loss(z, y[:3, :2]), [logits])


@every_loss
@pytest.mark.parametrize("soft", [False, True])
def test_training_takes_the_fused_form(loss, soft):
    logits, y = batch(soft=soft)
    assert "_ElementwiseBackward" in nodes(loss(logits, y).grad_fn)
    assert "_ElementwiseBackward" not in nodes(loss(logits, y.clone().requires_grad_()).grad_fn)


@every_loss
def test_a_kept_graph_can_be_used_again(loss):
    logits, y = batch(soft=False)
    value = loss(logits, y)
    first, again = (torch.autograd.grad(value, logits, retain_graph=True)[0] for _ in range(2))
    (last,) = torch.autograd.grad(value, logits)
    assert torch.equal(first, again)
    assert torch.equal(first, last)


@every_loss
def test_memory_layout_does_not_matter(loss):
    logits, y = batch(soft=True)
    expected = value_and_gradient(loss, logits, y)
    turned = logits.detach().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    torch.testing.assert_close(value_and_gradient(loss, turned, y), expected)
    with torch.no_grad():
        torch.testing.assert_close(loss(logits, y, reduction="none"), expected[0])
