"""What every backbone must satisfy."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.testing.modules import check_moves, check_state_dict, check_tensors_are_registered

MakeBackbone = Callable[..., nn.Module]


def check_backbone(make: MakeBackbone, input_shape: Sequence[int], cardinalities: Sequence[int] = ()) -> None:
    """Check a backbone on random inputs (N, *input_shape).

    Args:
        make: builds the backbone; is given ``input_shape``, and ``cardinalities`` if it takes them.
        input_shape: of one example.
        cardinalities: codes of each of the last columns of a table, which are categories.

    Raises:
        AssertionError: saying what does not hold.
    """
    shape = tuple(input_shape)

    def build() -> nn.Module:
        return make(**accepted_arguments(make, {"input_shape": shape, "cardinalities": tuple(cardinalities)}))

    backbone = build()
    assert isinstance(backbone, nn.Module), f"a backbone is an nn.Module, got {type(backbone).__name__}"
    width = getattr(backbone, "num_features", None)
    is_integer = isinstance(width, int) and not isinstance(width, bool)
    assert is_integer, f"a backbone needs the integer attribute num_features, got {width!r}"
    inputs = _inputs(shape, cardinalities)
    with torch.no_grad():
        features = backbone.eval()(inputs)
    members = getattr(backbone, "num_members", 1)
    own: tuple[object, ...] = (members, width) if members > 1 else (width,)
    name, expected = "(N, num_members, num_features)" if members > 1 else "(N, num_features)", (len(inputs), *own)
    assert features.shape == expected, f"features must be {name}, {expected}, got {tuple(features.shape)}"
    assert bool(features.isfinite().all()), "the features of ordinary inputs are not finite"
    check_tensors_are_registered(backbone)
    check_moves(backbone)
    _check_batch_independence(backbone, inputs, features)
    _check_gradients(backbone, inputs)
    check_state_dict(backbone, build())


def _inputs(shape: tuple[int, ...], cardinalities: Sequence[int]) -> Tensor:
    inputs = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    for place, codes in enumerate(reversed(cardinalities), 1):
        inputs[..., -place] = torch.arange(6) % codes
    return inputs


def _check_batch_independence(backbone: nn.Module, inputs: Tensor, features: Tensor) -> None:
    with torch.no_grad():
        alone = torch.cat([backbone(inputs[i : i + 1]) for i in range(len(inputs))])
    same = torch.allclose(alone, features, rtol=1e-4, atol=1e-5)
    assert same, "in evaluation mode the features of an example depend on the other examples of its batch"


def _check_gradients(backbone: nn.Module, inputs: Tensor) -> None:
    trained = {name: each for name, each in backbone.named_parameters() if each.requires_grad}
    if not trained:
        return  # a frozen backbone
    backbone.train()(inputs).square().sum().backward()
    for name, parameter in trained.items():
        assert parameter.grad is not None, f"no gradient reaches the parameter {name}"
    backbone.zero_grad()
