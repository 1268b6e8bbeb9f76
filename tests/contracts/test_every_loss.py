"""What every loss must satisfy. Exporting a loss from `imbalance_lab.losses` enrols it; the tables say the rest."""

import copy
import inspect
import io
import math
import pickle
from pathlib import Path

import pytest
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf
from torch.nn import functional as F

from imbalance_lab import losses
from imbalance_lab.losses.members import MemberLosses, loss_of_members, mean_member_loss

CONFIGS = Path(__file__).parents[2] / "configs" / "loss"

COUNTS = (600, 100, 30, 7)
"""Training examples of each class, unequal on purpose: equal counts would hide arguments without effect."""

EVERY_LOSS = [
    loss
    for name in losses.__all__
    if inspect.isclass(loss := getattr(losses, name)) and issubclass(loss, torch.nn.Module)
]

COMPUTED_FROM_COUNTS = {
    "CrossEntropyLoss": {"weight": "effective"},
    "FocalLoss": {"alpha": "effective"},
    "LDAMLoss": {},
    "LogitAdjustedLoss": {},
    "SeesawLoss": {},
    "VectorScalingLoss": {},
}
"""The losses that the training counts change, and the arguments with which they do."""

CROSS_ENTROPY_AT_EQUAL_COUNTS = {
    "FocalLoss": {"gamma": 0},
    "LDAMLoss": {"scale": 1, "max_margin": 0},  # with a margin: cross-entropy with one margin, see test_ldam
    "SeesawLoss": {"q": 0},
}
"""Arguments that turn off what else distinguishes these from cross-entropy."""

RANKING = {"AveragePrecisionLoss", "PartialAUCLoss", "RecallAtBudgetLoss", "SoftPartialAUCLoss", "TwoWayPartialAUCLoss"}
"""Losses of pairs, which keep something of each example; see tests/losses/test_ranking_loss.py."""

MULTILABEL = {"AUCMarginLoss", "AsymmetricLoss", "SigmoidFocalLoss"} | RANKING
"""Multilabel losses; all others are softmax losses."""

BREAKS_SHIFTS = {"VectorScalingLoss"}  # Δ scales the added constant class by class
"""Softmax losses that change when a constant is added to all logits."""


OWN_STATE = {"AUCMarginLoss", "SeesawLoss"} | RANKING
"""Losses that learn or count, so that each of several nets has a copy."""


def given_counts(loss, counts=COUNTS):
    return {"class_counts": torch.tensor(counts)} if takes(loss, "class_counts") else {}


def make(loss, *, counts=COUNTS, **arguments):
    return loss(**given_counts(loss, counts), **{**COMPUTED_FROM_COUNTS.get(loss.__name__, {}), **arguments})


def batch(dtype=torch.float32, size=9, seed=0):
    """Logits (N, C) and class indices (N,), every class among them, frequent ones more often."""
    logits = 2 * torch.randn(size, len(COUNTS), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return logits.to(dtype), torch.tensor([0, 1, 2, 3, 0, 0, 1, 0, 2])[:size]


def takes(loss, argument):
    return argument in inspect.signature(loss).parameters


def numeric_arguments(loss):
    """All but those that need the index of each example to have an effect."""
    names = _numeric_arguments(loss)
    return [name for name in names if name not in ("decay", "step_size")] if loss.__name__ in RANKING else names


def _numeric_arguments(loss):
    return [name for name, p in inspect.signature(loss).parameters.items() if isinstance(p.default, float)]


def named(classes):
    return [pytest.param(c, id=c.__name__) for c in classes]


every_loss = pytest.mark.parametrize("loss", named(EVERY_LOSS))
every_softmax_loss = pytest.mark.parametrize(
    "loss", named([loss for loss in EVERY_LOSS if loss.__name__ not in MULTILABEL])
)
every_count_based_loss = pytest.mark.parametrize(
    "loss", named([loss for loss in EVERY_LOSS if loss.__name__ in COMPUTED_FROM_COUNTS])
)
every_multilabel_loss = pytest.mark.parametrize(
    "loss", named([loss for loss in EVERY_LOSS if loss.__name__ in MULTILABEL])
)
every_numeric_argument = pytest.mark.parametrize(
    ("loss", "name"),
    [pytest.param(loss, name, id=f"{loss.__name__}-{name}") for loss in EVERY_LOSS for name in numeric_arguments(loss)],
)


def test_the_tables_name_losses_that_exist():
    names = {loss.__name__ for loss in EVERY_LOSS}
    assert names >= COMPUTED_FROM_COUNTS.keys() | CROSS_ENTROPY_AT_EQUAL_COUNTS.keys() | BREAKS_SHIFTS
    assert len(names) >= 9


@pytest.mark.parametrize("choice", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_choice_of_the_command_line_shows_the_defaults_of_its_class(choice):
    config = OmegaConf.to_container(OmegaConf.load(choice), resolve=True)
    config = config.get("loss", config)  # one that also chooses a head is packaged a level higher
    loss = get_class(config.pop("_target_"))
    assert loss in EVERY_LOSS
    if choice.stem == "class_balanced":
        assert config.pop("weight") == "effective"
    parameters = inspect.signature(loss).parameters
    assert config == {name: parameters[name].default for name in config}


@every_loss
def test_owns_no_tensor_outside_parameters_and_buffers(loss):
    module = make(loss)
    module(*batch())
    hidden = [name for name, value in vars(module).items() if isinstance(value, torch.Tensor)]
    assert not hidden


@every_loss
def test_mixes_no_devices(loss):
    """A device without values: whatever stayed on the CPU does not go together with what is there."""
    logits, target = (tensor.to("meta") for tensor in batch())
    module = make(loss).to("meta")
    value = module(logits.requires_grad_(), target)
    gradients = torch.autograd.grad(value, [logits, *module.parameters()])
    assert {tensor.device.type for tensor in (value, *gradients, *module.state_dict().values())} == {"meta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.filterwarnings("ignore:TensorFloat32")  # the compiler's own
def test_a_gpu_computes_what_the_cpu_does(loss, dtype, compiled):
    torch.compiler.reset()
    logits, target = batch()
    logits, target = logits.to(dtype).repeat(100, 1), target.repeat(100)
    here, there = make(loss), make(loss).cuda()
    results = []
    for module, device in ((here, "cpu"), (torch.compile(there, fullgraph=True) if compiled else there, "cuda")):
        z = logits.to(device).requires_grad_()
        value = module(z, target.to(device))
        gradients = torch.autograd.grad(value, [z, *module.parameters()])
        results.append([tensor.cpu().float() for tensor in (value, *gradients)])
    rounding = torch.finfo(dtype).eps
    torch.testing.assert_close(results[1], results[0], rtol=4 * max(rounding, 1e-6), atol=max(rounding / 100, 1e-6))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every_loss
def test_nothing_waits_for_a_gpu(loss):
    """A loss that looks at a value stops the queue of work at every step."""
    module = make(loss).cuda()
    logits, target = (tensor.cuda() for tensor in batch())
    module(logits.requires_grad_(), target).backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        module(logits, target).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_loss_and_gradient_are_finite_at_extreme_logits(loss, dtype):
    module = make(loss)
    corners = torch.cartesian_prod(*[torch.tensor([-1e4, 0.0, 1e4])] * len(COUNTS)).to(dtype).requires_grad_()
    for target in range(len(COUNTS)):
        value = module(corners, torch.full((len(corners),), target))
        (gradient,) = torch.autograd.grad(value, corners)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()


@every_loss
def test_permuting_classes_with_counts_and_targets_changes_nothing(loss):
    logits, target = batch(torch.float64)
    order = torch.tensor([2, 0, 3, 1])
    permuted = make(loss, counts=[COUNTS[c] for c in order])
    expected = make(loss).double()(logits, target)
    torch.testing.assert_close(permuted.double()(logits[:, order], order.argsort()[target]), expected)


@every_softmax_loss
def test_adding_a_constant_to_all_logits_of_an_example_changes_nothing(loss):
    logits, target = batch(torch.float64)
    shifted = logits + torch.linspace(-50, 50, len(logits), dtype=torch.float64)[:, None]
    same = torch.allclose(make(loss).double()(shifted, target), make(loss).double()(logits, target), rtol=1e-9)
    assert same == (loss.__name__ not in BREAKS_SHIFTS)


@every_count_based_loss
def test_a_rarer_target_never_costs_less(loss):
    module = make(loss, reduction="none")
    if loss.__name__ == "SeesawLoss":  # it counts what it sees
        module(
            torch.zeros(sum(COUNTS), len(COUNTS)),
            torch.arange(len(COUNTS)).repeat_interleave(torch.tensor(COUNTS)),
        )
        module.eval()
    cost = module(torch.zeros(len(COUNTS), len(COUNTS)), torch.arange(len(COUNTS)))  # the counts fall with the class
    assert (cost.diff() >= 0).all()
    assert cost[-1] > cost[0]


@every_count_based_loss
def test_equal_counts_make_it_cross_entropy(loss):
    logits, target = batch(torch.float64, size=4)  # one example a class: Seesaw has then seen equal counts
    arguments = CROSS_ENTROPY_AT_EQUAL_COUNTS.get(loss.__name__, {})
    value = make(loss, counts=[50] * len(COUNTS), reduction="none", **arguments).double()(logits, target)
    torch.testing.assert_close(value, F.cross_entropy(logits, target, reduction="none"), rtol=1e-6, atol=1e-9)


@every_count_based_loss
def test_a_class_without_an_example_is_refused_by_index(loss):
    with pytest.raises(ValueError, match="class 2 has none"):
        make(loss, counts=[5, 4, 0, 3])


@every_count_based_loss
def test_missing_counts_are_refused(loss):
    with pytest.raises(ValueError, match="training counts: give class_counts"):
        loss(**COMPUTED_FROM_COUNTS[loss.__name__])


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_ignored_targets_add_neither_loss_nor_gradient(loss, reduction):
    arguments = {"reduction": reduction} if takes(loss, "reduction") else {}
    logits, target = batch(torch.float64)
    ignored = torch.tensor([1, 4, 5])
    kept = torch.tensor([i for i in range(len(target)) if i not in ignored])
    logits[ignored] = 1e4
    logits.requires_grad_()
    value = make(loss, **arguments).double()(logits, target.index_fill(0, ignored, -100))
    (gradient,) = torch.autograd.grad(value, logits)
    expected = make(loss, **arguments).double()(logits[kept], target[kept])
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, logits)[0])
    assert (gradient[ignored] == 0).all()


@every_multilabel_loss
def test_single_labels_are_ignored_too(loss):
    logits, target = batch(torch.float64)
    labels = F.one_hot(target, len(COUNTS)).double()
    unknown = torch.rand(labels.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    values = []
    for disturbance in (0, 50):
        z = (logits + disturbance * unknown).requires_grad_()
        value = make(loss).double()(z, labels.masked_fill(unknown, -100))
        assert (torch.autograd.grad(value, z)[0][unknown] == 0).all()
        values.append(value.detach())
    assert torch.equal(*values)
    assert values[0] != make(loss).double()(logits, labels)


@every_loss
def test_all_ignored_is_a_loss_of_zero_with_a_gradient_of_zero(loss):
    logits = batch()[0].requires_grad_()
    value = make(loss)(logits, torch.full((len(logits),), -100))
    assert value == 0 or not takes(loss, "reduction")  # AUC-margin, no sum over examples, then falls back on a and b
    assert (torch.autograd.grad(value, logits)[0] == 0).all()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("with_gradient", [False, True])
def test_an_empty_batch_has_a_loss_of_zero(loss, dtype, with_gradient):
    logits = torch.zeros(0, len(COUNTS), dtype=dtype, requires_grad=with_gradient)
    value = make(loss)(logits, torch.zeros(0, dtype=torch.int64))
    assert value == 0 or (not takes(loss, "reduction") and value.isfinite())
    if with_gradient:
        assert torch.autograd.grad(value, logits)[0].shape == logits.shape


@every_loss
def test_reductions_agree(loss):
    if not takes(loss, "reduction"):
        pytest.skip("the loss is no sum over examples")
    logits, target = batch(torch.float64)
    none, total, mean = (
        loss(**given_counts(loss), reduction=r).double()(logits, target) for r in ("none", "sum", "mean")
    )
    torch.testing.assert_close(none.sum(), total)
    torch.testing.assert_close(none.mean(), mean)


@every_loss
def test_state_dict_carries_all_that_the_counts_and_the_training_changed(loss):
    trained, fresh = make(loss), make(loss, counts=COUNTS[::-1])
    for p in trained.parameters():
        p.data += 0.25
    trained(*batch())
    file = io.BytesIO()
    torch.save(trained.state_dict(), file)
    file.seek(0)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(fresh.eval()(*batch()), trained.eval()(*batch()), rtol=0, atol=0)


@every_loss
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))], ids=["deepcopy", "pickle"]
)
def test_a_copy_gives_the_same_value(loss, copied):
    module = make(loss).eval()
    torch.testing.assert_close(copied(module)(*batch()), module(*batch()), rtol=0, atol=0)


@every_loss
def test_calling_twice_gives_the_same_value(loss):
    module = make(loss).train(loss.__name__ != "SeesawLoss")  # Seesaw counts the targets it trains on
    assert module(*batch()) == module(*batch())


@every_loss
def test_to_float64_computes_in_float64(loss):
    module = make(loss).to(torch.float64)
    assert all(t.dtype == torch.float64 for t in module.state_dict().values() if t.is_floating_point())
    value = module(*batch(torch.float64))
    assert value.dtype == torch.float64
    torch.testing.assert_close(value.float(), make(loss)(*batch()))


@every_loss
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_loses_no_more_than_the_rounding_of_the_logits(loss, dtype):
    logits, target = batch()
    rounded = logits.to(dtype)
    value, expected = make(loss)(rounded, target), make(loss)(rounded.float(), target)
    assert value.dtype == dtype  # as torch's own losses have it
    torch.testing.assert_close(value.float(), expected, rtol=torch.finfo(dtype).eps, atol=1e-6)


@every_loss
def test_autocast_changes_nothing(loss):
    logits, target = batch()
    for z in (logits, logits.bfloat16()):
        expected = make(loss)(z.float(), target)
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(make(loss)(z, target), expected)


@every_loss
@pytest.mark.parametrize("targets", ["some", "some ignored", "all ignored"])
def test_the_loss_of_several_nets_is_the_mean_of_their_losses(loss, targets):
    """In one call where the loss says so, else with a copy for each; value and gradient."""
    logits, target = torch.stack([batch(torch.float64, seed=seed)[0] for seed in range(3)], 1), batch()[1]
    ignored = {"some": [], "some ignored": [1, 4], "all ignored": list(range(len(target)))}[targets]
    target[ignored] = -100
    logits.requires_grad_()
    module = loss_of_members(make(loss).double(), 3)
    assert isinstance(module, MemberLosses) == (loss.__name__ in OWN_STATE)
    value = mean_member_loss(module, logits, target)
    expected = torch.stack([make(loss).double()(logits[:, k], target) for k in range(3)]).mean()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(torch.autograd.grad(value, logits), torch.autograd.grad(expected, logits))


@every_numeric_argument
def test_changing_an_argument_changes_the_result(loss, name):
    default = inspect.signature(loss).parameters[name].default
    moved = make(loss, **{name: default / 2 + 0.1})
    assert not torch.isclose(moved(*batch()), make(loss)(*batch()), rtol=1e-3)


@every_numeric_argument
@pytest.mark.parametrize("nonsense", ["a lot", True, math.nan, math.inf, -2.0])
def test_an_invalid_argument_is_refused_in_one_sentence_that_names_it(loss, name, nonsense):
    with pytest.raises((TypeError, ValueError), match=rf"^{name}\b[^\n]*$"):
        make(loss, **{name: nonsense})


@every_loss
@pytest.mark.parametrize("stray", [4, -1, 255])
def test_a_target_that_is_not_a_class_is_refused_by_its_index(loss, stray):
    logits, target = batch()
    with pytest.raises(ValueError, match=rf"^target {stray} is none of the 4 classes[^\n]*$"):
        make(loss)(logits, target.index_fill(0, torch.tensor([2]), stray))


@every_multilabel_loss
@pytest.mark.parametrize("stray", [2.0, -1.0, math.nan])
def test_a_label_that_is_not_between_0_and_1_is_refused(loss, stray):
    logits, target = batch()
    labels = F.one_hot(target, len(COUNTS)).float()
    labels[2, 1] = stray
    with pytest.raises(ValueError, match=rf"^targets must lie in \[0, 1\], got [^\n]*{stray:g}"):
        make(loss)(logits, labels)


@every_loss
def test_an_unknown_argument_is_refused(loss):
    with pytest.raises(TypeError, match="gama"):
        make(loss, gama=2)
    if takes(loss, "reduction"):
        with pytest.raises(ValueError, match="average"):
            make(loss, reduction="average")(*batch())


@every_loss
def test_gradient_is_the_derivative_and_has_one_itself(loss):
    # Seesaw's compensation is a constant to the gradient, as its authors have it.
    arguments = {"q": 0} if loss.__name__ == "SeesawLoss" else {}
    logits, target = batch(torch.float64)
    module = make(loss, **arguments).double().eval()
    assert torch.autograd.gradcheck(module, (logits.requires_grad_(), target))
    assert torch.autograd.gradgradcheck(module, (logits, target))


@pytest.mark.exhaustive
@every_loss
def test_compiles_into_one_graph(loss):
    """Generating C++ is slow: tests/losses/test_compiled.py does it for each kind of kernel."""
    logits, target = batch()
    logits.requires_grad_()
    torch.compiler.reset()
    eager, compiled = make(loss), torch.compile(make(loss), fullgraph=True, backend="aot_eager")
    expected, value = eager(logits, target), compiled(logits, target)
    torch.testing.assert_close(value, expected)
    gradients = (torch.autograd.grad(v, logits)[0] for v in (value, expected))
    torch.testing.assert_close(*gradients)
    torch.testing.assert_close(compiled.state_dict(), {f"_orig_mod.{k}": v for k, v in eager.state_dict().items()})


@pytest.mark.exhaustive
@every_loss
def test_exports(loss):
    module = make(loss).eval()
    exported = torch.export.export(module, batch(size=6)).module()
    torch.testing.assert_close(exported(*batch(size=6, seed=1)), module(*batch(size=6, seed=1)))
