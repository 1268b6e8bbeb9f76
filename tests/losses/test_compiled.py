"""The losses under `torch.compile`, `torch.export` and autocast."""

import pytest
import torch
from torch import Tensor, nn

from imbalance_lab.losses import CrossEntropyLoss, FocalLoss, SigmoidFocalLoss

WEIGHTS = [0.1, 0.5, 1.0, 4.0]
LOSSES = {
    "focal": FocalLoss(),
    "focal, γ and α of each class": FocalLoss([0.5, 1, 2, 3], WEIGHTS, reduction="weighted_mean"),
    "focal, one number": FocalLoss(0.5, 0.25, reduction="mean_positive"),
    "focal, smoothed": FocalLoss(alpha=WEIGHTS, label_smoothing=0.1),
    "focal, γ = 0": FocalLoss(0, WEIGHTS, label_smoothing=0.1),
    "sigmoid focal": SigmoidFocalLoss(),
    "cross-entropy": CrossEntropyLoss(WEIGHTS, label_smoothing=0.1),
}
VARIANTS = (
    *("focal, γ and α of each class", "focal, one number", "focal, smoothed", "focal, γ = 0"),
    "sigmoid focal",  # Inductor takes long for its graph
)
GENERATED = ("focal, γ and α of each class", "focal, smoothed", "sigmoid focal")

of_each_kind = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.exhaustive] * (name in VARIANTS)) for name in LOSSES]
)


def batch(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = (torch.randn(shape, generator=generator) * 4).to(dtype).requires_grad_()
    target = torch.randint(shape[1], (shape[0], *shape[2:]), generator=generator)
    target.view(-1)[::5] = -100
    return logits, target


def value_and_gradient(loss: nn.Module, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    value = loss(logits, target)
    return value.detach(), torch.autograd.grad(value, logits)[0]


@pytest.fixture
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@of_each_kind
def test_compiles_as_one_graph(name):
    """Every layout and dtype as one graph; generating C++ is slow, so Inductor gets one of each kind of kernel."""
    loss = LOSSES[name]
    for shape, dtype, backend in [
        ((6, 4), torch.float32, "aot_eager"),
        ((6, 4), torch.bfloat16, "aot_eager"),
        ((2, 4, 3, 5), torch.float32, "aot_eager"),
        ((2, 4, 3, 5), torch.bfloat16, "inductor" if name in GENERATED else "aot_eager"),
    ]:
        logits, target = batch(*shape, dtype=dtype)
        expected = value_and_gradient(loss, logits, target)
        found = value_and_gradient(torch.compile(loss, fullgraph=True, backend=backend), logits, target)
        digits = 2e-6 if dtype == torch.float32 else 0.01
        torch.testing.assert_close(found, expected, rtol=digits, atol=digits / 100)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore")
def test_compiled_focal_keeps_its_digits():
    """Inductor computes expm1 as exp − 1 on a CPU; the compiled loss must not depend on it."""
    rows = [[0.25, gap, -1.5] for gap in (-200.0, -50.0, -1.0, 14.0, 20.0, 30.0)]
    target = torch.ones(len(rows), dtype=torch.long)
    loss = FocalLoss(1.5, reduction="sum")
    precise = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    for row in range(len(rows)):
        logits = torch.tensor(rows, requires_grad=True)
        found = value_and_gradient(torch.compile(loss, fullgraph=True), logits[row : row + 1], target[:1])
        expected = value_and_gradient(loss, precise[row : row + 1], target[:1])
        torch.testing.assert_close(found, expected, rtol=2e-6, atol=1e-37, check_dtype=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@of_each_kind
def test_exports(name):
    loss = LOSSES[name]
    rows = torch.export.Dim("rows", min=2)
    logits, target = batch(6, 4)
    program = torch.export.export(loss, (logits, target), dynamic_shapes=({0: rows}, {0: rows}))
    logits, target = batch(9, 4)
    torch.testing.assert_close(program.module()(logits, target), loss(logits, target))


@pytest.mark.parametrize("name", LOSSES)
def test_autocast_keeps_full_precision(name):
    """Under autocast the logits arrive in bfloat16; the loss is computed and returned in float32."""
    loss = LOSSES[name]
    logits, target = batch(6, 4, dtype=torch.bfloat16)
    expected = loss(logits.float(), target)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(logits, target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["FocalLoss", "SigmoidFocalLoss"])
def test_compiled_parameters_get_their_gradient_and_transforms_compile(name):
    """Traced without a look at who learns, the fused form would leave γ and α without a gradient, silently."""
    kinds = {"FocalLoss": FocalLoss, "SigmoidFocalLoss": SigmoidFocalLoss}
    loss = kinds[name](nn.Parameter(torch.tensor(1.5)), nn.Parameter(torch.tensor(0.3)))
    logits, target = batch(6, 4)
    found, expected = (
        torch.autograd.grad(each(logits, target), [logits, *loss.parameters()])
        for each in (torch.compile(loss, fullgraph=True, backend="aot_eager"), loss)
    )
    torch.testing.assert_close(found, expected)
    transformed = torch.func.vmap(torch.func.grad(kinds[name]()), in_dims=(0, 0))
    values = logits.detach().view(2, 3, 4), target.view(2, 3)
    compiled = torch.compile(transformed, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*values), transformed(*values))
