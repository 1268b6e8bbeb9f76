"""TabM is the authors' model with the same weights; what it adds is the protocol of backbones."""

from typing import Any

import pytest
import tabm
import torch
from torch import nn

from imbalance_lab.backbones import TabM
from imbalance_lab.backbones.member_layers import MemberLinear
from imbalance_lab.backbones.members import build_head

SMALL: dict[str, Any] = {"k": 4, "n_blocks": 2, "d_block": 8}


@pytest.mark.parametrize("arch_type", ["tabm", "tabm-mini"])
def test_it_is_the_model_of_the_package(arch_type: str) -> None:
    torch.manual_seed(0)
    ours, head = TabM((5,), arch_type=arch_type, **SMALL), build_head(lambda: nn.Linear(8, 3), 4)
    theirs = tabm.TabM.make(n_num_features=5, d_out=3, arch_type=arch_type, **SMALL)
    theirs.backbone.load_state_dict(ours.blocks.state_dict())
    assert isinstance(head, MemberLinear)
    theirs.output.load_state_dict(head.state_dict())
    rows = torch.randn(6, 5)
    assert torch.allclose(head(ours.eval()(rows)), theirs.eval()(rows), atol=1e-6)


def test_its_defaults_are_those_of_the_package() -> None:
    torch.manual_seed(3)
    theirs = tabm.TabM.make(n_num_features=5, d_out=None)
    torch.manual_seed(3)
    ours = TabM((5,))  # the same draws: nothing else draws
    assert ours.num_members == theirs.k == 32
    expected = theirs.backbone.state_dict()
    assert ours.blocks.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in ours.blocks.state_dict().items())
    assert [each.p for each in ours.modules() if isinstance(each, nn.Dropout)] == [0.1] * 3


def test_the_features_of_a_category_begin_with_one_sign() -> None:
    net = TabM((3,), cardinalities=(4, 60), one_hot=10, **SMALL)
    signs = net.blocks.blocks[0][0].r
    assert signs.shape == (4, 1 + 4 + 30)
    one_hot, vector = signs[:, 1:5], signs[:, 5:]
    assert (one_hot == one_hot[:, :1]).all()
    assert (vector == vector[:, :1]).all()
    assert set(signs.flatten().tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"k": 1}, r"k must be an integer in \[2, 1024\], got 1"),
        ({"n_blocks": 0}, "n_blocks must be an integer ≥ 1, got 0"),
        ({"d_block": 2.5}, "d_block must be an integer ≥ 1, got 2.5"),
        ({"dropout": 1}, r"dropout must be a finite number in \[0, 1\), got 1"),
        ({"arch_type": "tabm-packed"}, "arch_type must be one of tabm, tabm-mini, got 'tabm-packed'"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        TabM((4,), **arguments)
