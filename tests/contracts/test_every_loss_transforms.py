"""Derivatives of every loss by every argument that can have one, backward, forward and under `torch.func`.

Exporting a loss from `imbalance_lab.losses` enrols it: it must then stand in the tables below.
"""

import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from imbalance_lab import losses

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:FutureWarning")  # torch.func's own

EXAMPLES, CLASSES = 3, 4
INDICES = torch.tensor([0, 3, 1])
ONES_AND_ZEROS = torch.tensor([[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=torch.float64)


def numbers(*values: float) -> Tensor:
    return torch.tensor(values if len(values) != 1 else values[0], dtype=torch.float64)


PER_CLASS = numbers(0.3, 1.0, 2.0, 1.5)


@dataclass
class Case:
    """A loss as a function, the arguments besides logits and target that may be tensors, and the targets it takes."""

    loss: Callable[..., Tensor]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    soft: bool = True
    constant: tuple[str, ...] = ()
    """Arguments whose gradient is by design not the derivative."""


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor | None = None, **arguments: float) -> Tensor:
    loss = losses.CrossEntropyLoss(**arguments)
    loss.register_buffer("weight", weight)
    return loss(logits, target)


CASES = {
    "auc_margin_loss": Case(
        losses.auc_margin_loss,
        {"a": PER_CLASS / 4, "b": PER_CLASS.flip(0) / 4, "alpha": PER_CLASS},
        constant=("a", "b", "alpha"),  # α ascends, and the center of a class without members is a constant
    ),
    "average_precision_loss": Case(losses.average_precision_loss, {"prior": PER_CLASS / 4}, soft=False),
    "partial_auc_loss": Case(lambda *args: losses.partial_auc_loss(*args, max_fpr=0.7), soft=False),
    "soft_partial_auc_loss": Case(losses.soft_partial_auc_loss, soft=False),
    "two_way_partial_auc_loss": Case(losses.two_way_partial_auc_loss, soft=False),
    "asymmetric_loss": Case(
        losses.asymmetric_loss,
        {
            "gamma_positive": numbers(0.5),
            "gamma_negative": numbers(3),
            "margin": numbers(0.06),
            "pos_weight": numbers(2.5),
        },
    ),
    "asymmetric_loss, no focus": Case(
        losses.asymmetric_loss,
        {"gamma_positive": numbers(0), "gamma_negative": numbers(0)},
        constant=("gamma_positive", "gamma_negative"),
    ),
    "focal_loss": Case(losses.focal_loss, {"gamma": numbers(1.5), "alpha": numbers(0.3)}),
    "focal_loss, per class": Case(
        lambda *args, **tensors: losses.focal_loss(*args, **tensors, label_smoothing=0.1, reduction="weighted_mean"),
        {"gamma": PER_CLASS, "alpha": PER_CLASS.flip(0)},
    ),
    "focal_loss, no focus": Case(
        lambda *args, **tensors: losses.focal_loss(*args, **tensors, reduction="mean_positive"),
        {"gamma": numbers(0)},
        constant=("gamma",),
    ),
    "ldam_loss": Case(
        losses.ldam_loss, {"margins": PER_CLASS / 4, "scale": numbers(3), "weight": PER_CLASS}, soft=False
    ),
    "logit_adjusted_cross_entropy": Case(
        losses.logit_adjusted_cross_entropy, {"log_prior": PER_CLASS.log(), "tau": numbers(0.7)}
    ),
    "poly_loss": Case(losses.poly_loss, {"epsilon": numbers(0.8)}),
    "seesaw_loss": Case(
        losses.seesaw_loss, {"counts": 100 * PER_CLASS}, soft=False, constant=("logits",)
    ),  # no gradient flows through the compensation
    "sigmoid_focal_loss": Case(
        losses.sigmoid_focal_loss, {"gamma": numbers(1.5), "alpha": numbers(0.3), "pos_weight": PER_CLASS}
    ),
    "sigmoid_focal_loss, positives": Case(
        lambda *args, **tensors: losses.sigmoid_focal_loss(*args, **tensors, alpha=None, reduction="mean_positive"),
        {"gamma": numbers(0)},
        constant=("gamma",),  # below 0, where differences would look, it is refused
    ),
    "vector_scaling_loss": Case(
        losses.vector_scaling_loss,
        {"delta": PER_CLASS, "iota": PER_CLASS.log(), "weight": PER_CLASS.flip(0)},
    ),
    "cross_entropy": Case(cross_entropy, {"weight": PER_CLASS}),
    "cross_entropy, smoothed": Case(lambda *args, **w: cross_entropy(*args, **w, label_smoothing=0.2)),
}

SETTLED_AT_ONCE = {"ldam_margins": "no loss"}

LEARNED: dict[str, dict[str, Tensor]] = {
    "AUCMarginLoss": {},
    "AveragePrecisionLoss": {},
    "PartialAUCLoss": {},
    "RecallAtBudgetLoss": {},
    "SoftPartialAUCLoss": {},
    "TwoWayPartialAUCLoss": {},
    "AsymmetricLoss": {
        "gamma_positive": numbers(0.5),
        "gamma_negative": numbers(3),
        "margin": numbers(0.06),
        "pos_weight": PER_CLASS,
    },
    "CrossEntropyLoss": {"weight": PER_CLASS},
    "FocalLoss": {"gamma": numbers(1.5), "alpha": PER_CLASS},
    "LDAMLoss": {"scale": numbers(3), "weight": PER_CLASS},
    "LogitAdjustedLoss": {"tau": numbers(0.7)},
    "PolyLoss": {"epsilon": numbers(0.8)},
    "SeesawLoss": {},
    "SigmoidFocalLoss": {"gamma": numbers(1.5), "alpha": numbers(0.3), "pos_weight": PER_CLASS},
    "VectorScalingLoss": {"weight": PER_CLASS},
}
"""Of each class the arguments that may be parameters."""

CASES_AND_TARGETS = [
    pytest.param(case, soft, id=f"{name}-{'soft' if soft else 'indices'}")
    for name, case in CASES.items()
    for soft in (False, True)
    if case.soft or not soft
]
every_case = pytest.mark.parametrize(("case", "soft"), CASES_AND_TARGETS)
every_module = pytest.mark.parametrize("name", LEARNED)
LEARNS_NOTHING = {
    "SeesawLoss",
    "AveragePrecisionLoss",
    "PartialAUCLoss",
    "SoftPartialAUCLoss",
    "TwoWayPartialAUCLoss",
    "RecallAtBudgetLoss",
}
every_module_that_learns = pytest.mark.parametrize("name", [name for name in LEARNED if name not in LEARNS_NOTHING])


def batch(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits and soft targets, (N, C) each."""
    generator = torch.Generator().manual_seed(seed)
    shape = (EXAMPLES, CLASSES)
    logits = 2 * torch.randn(shape, generator=generator, dtype=torch.float64)
    return logits, (2 * torch.randn(shape, generator=generator, dtype=torch.float64)).softmax(1)


def given(case: Case, soft: bool) -> tuple[Callable[..., Tensor], dict[str, Tensor]]:
    """The loss as a function of differentiable positional tensors, and these by name."""
    logits, target = batch()
    tensors = {"logits": logits, **({"target": target} if soft else {}), **case.tensors}

    def loss(*values: Tensor) -> Tensor:
        named = dict(zip(tensors, values, strict=True))
        return case.loss(named.pop("logits"), named.pop("target", INDICES), **named)

    return loss, tensors


def leaves(tensors: dict[str, Tensor]) -> list[Tensor]:
    return [value.clone().requires_grad_() for value in tensors.values()]


def make(name: str, **arguments: object) -> nn.Module:
    loss = getattr(losses, name)
    if "class_counts" in inspect.signature(loss).parameters:
        arguments["class_counts"] = torch.tensor([600, 100, 30, 7])
    return loss(**arguments).double()


def test_every_loss_is_here():
    exported = {name: getattr(losses, name) for name in losses.__all__}
    functions = {name for name, each in exported.items() if inspect.isfunction(each)}
    assert {name.split(",")[0] for name in CASES} == functions - SETTLED_AT_ONCE.keys() | {"cross_entropy"}
    assert LEARNED.keys() == {name for name, each in exported.items() if inspect.isclass(each)}


@every_case
def test_gradients_by_every_argument_are_the_derivatives(case, soft):
    loss, tensors = given(case, soft)
    inputs = [value.clone().requires_grad_(name not in case.constant) for name, value in tensors.items()]
    if any(value.requires_grad for value in inputs):
        assert torch.autograd.gradcheck(loss, inputs, check_forward_ad=True, check_batched_grad=True, fast_mode=True)
        assert torch.autograd.gradgradcheck(loss, inputs, fast_mode=True)


@every_case
def test_logits_alone_have_the_gradient_that_they_have_among_others(case, soft):
    """Alone they take the fused form, batched gradients and second derivatives included."""
    loss, tensors = given(case, soft)
    inputs = leaves(tensors)
    logits, *others = inputs
    fixed = [value.detach() for value in others]
    among = torch.autograd.grad(loss(*inputs), logits)[0]
    torch.testing.assert_close(torch.autograd.grad(loss(logits, *fixed), logits)[0], among)
    scales = numbers(1, -2, 0.5)
    batched = torch.autograd.grad(loss(logits, *fixed), logits, scales, is_grads_batched=True)[0]
    torch.testing.assert_close(batched, scales[:, None, None] * among)
    value = loss(logits, *fixed)
    pulled = torch.func.vmap(lambda v: torch.autograd.grad(value, logits, v)[0])(scales)
    torch.testing.assert_close(pulled, batched)


@every_case
def test_functional_derivatives_are_those_of_autograd(case, soft):
    loss, tensors = given(case, soft)
    inputs = leaves(tensors)
    expected = torch.autograd.grad(loss(*inputs), inputs, allow_unused=True, materialize_grads=True)
    values, every = tuple(tensors.values()), tuple(range(len(tensors)))
    for found in (
        torch.func.grad(loss, every)(*values),
        torch.func.jacrev(loss, every)(*values),
        torch.func.jacfwd(loss, every)(*values),
        *(torch.autograd.functional.jacobian(loss, values, vectorize=v) for v in (False, True)),
        torch.autograd.functional.jacobian(loss, values, vectorize=True, strategy="forward-mode"),
    ):
        torch.testing.assert_close(tuple(found), expected)


@every_case
def test_forward_mode_gives_the_directional_derivative(case, soft):
    loss, tensors = given(case, soft)
    inputs = leaves(tensors)
    gradients = torch.autograd.grad(loss(*inputs), inputs, allow_unused=True, materialize_grads=True)
    for position, (value, gradient) in enumerate(zip(tensors.values(), gradients, strict=True)):
        direction = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).view_as(value)
        values = list(tensors.values())
        with forward_ad.dual_level():
            values[position] = forward_ad.make_dual(value, direction)
            tangent = forward_ad.unpack_dual(loss(*values)).tangent
        tangent = torch.zeros_like(gradient.sum()) if tangent is None else tangent
        torch.testing.assert_close(tangent, (gradient * direction).sum())
    tangents = tuple(torch.ones_like(value) for value in tensors.values())
    pushed = torch.func.jvp(loss, tuple(tensors.values()), tangents)[1]
    torch.testing.assert_close(pushed, sum(gradient.sum() for gradient in gradients))


@every_case
def test_mixed_derivatives_at_gamma_zero_are_those_nearby(case, soft):
    loss, tensors = given(case, soft)
    focus = next((name for name in tensors if name.startswith("gamma")), None)
    if focus is None:
        pytest.skip("the loss has no γ")
    position = list(tensors).index(focus)
    mixed = []
    for gamma in (0, 1e-7):
        values = [torch.full_like(v, gamma) if name == focus else v for name, v in tensors.items()]
        mixed.append(torch.func.jacrev(torch.func.grad(loss, 0), position)(*values))
        mixed.append(torch.func.jacfwd(torch.func.grad(loss, 0), position)(*values))
    assert mixed[0].abs().max() > 0.001
    for other in mixed[1:]:
        torch.testing.assert_close(other, mixed[0], rtol=1e-5, atol=1e-6)


@every_case
def test_second_derivatives_are_those_of_autograd(case, soft):
    loss, tensors = given(case, soft)
    values, every = tuple(tensors.values()), tuple(range(len(tensors)))
    expected = torch.autograd.functional.hessian(loss, values)
    torch.testing.assert_close(torch.func.hessian(loss, every)(*values), expected)
    torch.testing.assert_close(torch.func.jacrev(torch.func.jacrev(loss, every), every)(*values), expected)


@every_case
def test_vmap_over_any_arguments_is_a_loop(case, soft):
    loss, tensors = given(case, soft)
    stacked = [torch.stack([value, 0.9 * value, 0.8 * value]) for value in tensors.values()]
    for mapped in itertools.product([False, True], repeat=len(stacked)):
        if not any(mapped):
            continue
        in_dims = tuple(0 if each else None for each in mapped)
        values = [many if each else many[0] for many, each in zip(stacked, mapped, strict=True)]
        rows = [[many[i] if each else many for many, each in zip(values, mapped, strict=True)] for i in range(3)]
        found = torch.func.vmap(loss, in_dims)(*values)
        torch.testing.assert_close(found, torch.stack([loss(*row) for row in rows]))
    each = torch.func.vmap(torch.func.grad(loss))(*stacked)
    torch.testing.assert_close(each[1], torch.func.grad(loss)(*(many[1] for many in stacked)))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("map_logits", [False, True])
def test_vmap_over_class_indices_is_a_loop(name, map_logits):
    case = CASES[name]
    targets = torch.stack([INDICES, INDICES.flip(0), torch.tensor([2, -100, 2])])
    logits = torch.stack([batch(seed)[0] for seed in range(3)]) if map_logits else batch()[0]
    found = torch.func.vmap(lambda z, y: case.loss(z, y, **case.tensors), (0 if map_logits else None, 0))(
        logits, targets
    )
    each = [case.loss(logits[i] if map_logits else logits, targets[i], **case.tensors) for i in range(3)]
    torch.testing.assert_close(found, torch.stack(each))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.soft])
def test_targets_of_zero_and_one_get_the_gradient_of_their_neighbors(name):
    """Known to be 0 or 1 they would be taken as fixed labels, which have none."""
    case = CASES[name]
    gradients = []
    for distance in (0, 1e-9):
        target = ONES_AND_ZEROS.mul(1 - 2 * distance).add(distance).requires_grad_()
        gradients += torch.autograd.grad(case.loss(batch()[0], target, **case.tensors), target)
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-7)
    assert gradients[0].abs().min() > 0


@every_module_that_learns
@pytest.mark.parametrize("soft", [False, True])
def test_parameters_of_a_module_are_its_own_and_get_their_gradient(name, soft):
    logits, target = batch()[0], batch()[1] if soft and name not in {"LDAMLoss", "SeesawLoss"} else INDICES
    given_parameters = {key: nn.Parameter(value.clone()) for key, value in LEARNED[name].items()}
    loss = make(name, **given_parameters).eval()
    for key, parameter in given_parameters.items():
        assert dict(loss.named_parameters())[key] is parameter
    assert make(name, **LEARNED[name]).eval()(logits, target).item() == pytest.approx(
        loss(logits, target).item(), rel=1e-6
    )
    repr(loss)
    free = {key: value.detach() for key, value in loss.named_parameters()}
    expected = torch.func.grad(lambda p: torch.func.functional_call(loss, p, (logits, target)))(free)
    loss(logits, target).backward()
    for key, parameter in loss.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[key])
        assert parameter.grad.abs().max() > 0
    restored = make(
        name, **{key: nn.Parameter(torch.full_like(value, 0.9)) for key, value in LEARNED[name].items()}
    ).eval()
    restored.load_state_dict(loss.state_dict())
    assert torch.equal(restored(logits, target), loss(logits, target))


@every_module_that_learns
def test_a_parameter_set_afterwards_gets_its_gradient(name):
    loss = make(name, **LEARNED[name]).eval()
    for key, value in LEARNED[name].items():
        delattr(loss, key)
        setattr(loss, key, nn.Parameter(value.clone()))
    loss(batch()[0], INDICES).backward()
    assert all(parameter.grad is not None for parameter in loss.parameters())


@every_module
def test_derivatives_through_a_module(name):
    """Per-example gradients of a network, as differential privacy and influence functions take them."""
    loss, net = make(name).eval(), nn.Linear(5, CLASSES).double()
    features = torch.randn(EXAMPLES, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    weights = {key: value.detach() for key, value in net.named_parameters()}

    def of_example(weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return loss(torch.func.functional_call(net, weights, (x[None],)), y[None])

    found = torch.func.vmap(torch.func.grad(of_example), (None, 0, 0))(weights, features, INDICES)
    for i in range(EXAMPLES):
        expected = torch.autograd.grad(loss(net(features[i : i + 1]), INDICES[i : i + 1]), net.weight)[0]
        torch.testing.assert_close(found["weight"][i], expected)


def test_counting_under_vmap_is_refused_in_one_sentence():
    loss = make("SeesawLoss")
    logits = batch()[0].expand(2, -1, -1)
    with pytest.raises(RuntimeError, match=r"^SeesawLoss counts its targets[^\n]*loss\.eval\(\)[^\n]*$"):
        torch.func.vmap(loss)(logits, INDICES.expand(2, -1))


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("VectorScalingLoss", "gamma"),
        ("VectorScalingLoss", "tau"),
        ("LDAMLoss", "max_margin"),
        ("SeesawLoss", "p"),
        ("SeesawLoss", "q"),
        ("SeesawLoss", "eps"),
        ("AUCMarginLoss", "margin"),
    ],
)
def test_a_parameter_that_would_get_no_gradient_is_refused(name, argument):
    with pytest.raises(TypeError, match=rf"^{argument} must be a number[^\n]*no gradient flows[^\n]*$"):
        make(name, **{argument: nn.Parameter(numbers(0.5))})
    make(name, **{argument: numbers(0.5)})


@pytest.mark.parametrize(("name", "argument"), [(name, key) for name, keys in LEARNED.items() for key in keys])
def test_a_parameter_out_of_bounds_is_refused_by_name(name, argument):
    value = LEARNED[name][argument]
    with pytest.raises(ValueError, match=rf"^{argument} must be a finite number[^\n]*$"):
        make(name, **{argument: nn.Parameter(torch.full_like(value, -2))})
    with pytest.raises((TypeError, ValueError), match=rf"^{argument} [^\n]*must be [^\n]*\(2, 2\)$"):
        make(name, **{argument: nn.Parameter(torch.ones(2, 2))})
