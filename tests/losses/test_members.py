"""The loss of several members is the mean of the losses that they would have alone."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from imbalance_lab.losses import AUCMarginLoss, CrossEntropyLoss, FocalLoss, SeesawLoss, SoftPartialAUCLoss
from imbalance_lab.losses.members import MemberLosses, loss_of_members, mean_member_loss, serves_all

K = 3


def test_what_learns_counts_or_sums_has_a_copy_for_each_member() -> None:
    assert serves_all(CrossEntropyLoss())
    assert serves_all(FocalLoss(reduction="weighted_mean"))
    for loss in (
        AUCMarginLoss(),
        SeesawLoss(class_counts=[9, 1]),
        FocalLoss(gamma=nn.Parameter(torch.tensor(2.0))),
        FocalLoss(reduction="sum"),
        FocalLoss(reduction="mean_positive"),  # of no positives it is a sum
        nn.CrossEntropyLoss(),  # a loss that does not say what it is
    ):
        assert not serves_all(loss)
        copies = loss_of_members(loss, K)
        assert isinstance(copies, MemberLosses)
        assert copies.copies[0] is loss
        assert len({id(each) for each in copies.copies}) == K
        assert loss_of_members(loss, 1) is loss


def test_each_copy_keeps_a_state_of_its_own() -> None:
    loss: Any = loss_of_members(SeesawLoss(class_counts=[9, 1]), K)
    mean_member_loss(loss, torch.randn(4, K, 2), torch.tensor([0, 0, 0, 1]))
    assert [each.seen.tolist() for each in loss.copies] == [[3, 1]] * K
    learned: Any = loss_of_members(AUCMarginLoss(), 2)
    logits = torch.tensor([[[0.0, 2.0], [0.0, -2.0]], [[0.0, 1.0], [0.0, -1.0]]])
    mean_member_loss(learned, logits, torch.tensor([1, 0])).backward()
    slopes = [each.a.grad.item() for each in learned.copies]
    assert slopes[0] != slopes[1]


def test_the_average_of_members_is_judged_by_every_copy() -> None:
    loss: Any = loss_of_members(AUCMarginLoss(), 2)
    loss.copies[1].a.data += 0.25
    logits, target = torch.randn(6, 2), torch.tensor([0, 1] * 3)
    expected = torch.stack([each(logits, target) for each in loss.copies]).mean()
    torch.testing.assert_close(loss(logits, target), expected)


def test_each_copy_remembers_the_examples_of_its_member() -> None:
    loss: Any = loss_of_members(SoftPartialAUCLoss(num_indices=9), 2)
    logits, target, index = torch.randn(6, 2, 2), torch.tensor([0, 1] * 3), torch.tensor([8, 1, 2, 3, 4, 5])
    mean_member_loss(loss, logits, target, index)
    remembered = [each.estimates[:, 0, 0] for each in loss.copies]
    for estimates in remembered:
        assert (estimates >= 0).nonzero().flatten().tolist() == [1, 3, 5]
    assert not torch.equal(*remembered)


@pytest.mark.parametrize("multilabel", [False, True])
def test_targets_go_with_the_logits_of_their_example(multilabel: bool) -> None:
    class First(nn.Module):
        is_mean_over_examples = True

        def forward(self, logits: Tensor, target: Tensor) -> Tensor:
            assert torch.equal(logits[:, 0].long(), target if target.ndim == 1 else target[:, 0])
            return logits.mean()

    target = torch.arange(5)
    logits = target[:, None, None].expand(5, K, 2).float()
    labels = target[:, None].expand(5, 2)
    torch.testing.assert_close(mean_member_loss(First(), logits, labels if multilabel else target), logits.mean())
