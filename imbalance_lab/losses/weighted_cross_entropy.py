"""What the losses share that are a cross-entropy on adjusted logits: their logits, class weights and mean."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imbalance_lab.class_counts import validate_counts
from imbalance_lab.losses.checks import Reduction, in_full_precision, reduce
from imbalance_lab.losses.targets import checked_classes, example_weights, fitted, number_kept, without
from imbalance_lab.losses.weights import Counts, listed_weights


def weighted_cross_entropy(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Tensor:
    """−w_y log softmax(z)_y as torch's `cross_entropy` has it, but 0, not NaN, where all is ignored.

    Weights beside smoothing or distributions weigh the *example* (torch weighs each class's term): with t the target
    as a distribution, the loss is w̄ Σ_c s_c (−log p_c), w̄ = Σ_c t_c w_c, s = (1 − ε) t + ε / C. So p = s is where
    it is least, whatever the weights.

    Args:
        logits: z, (N, C, …), float32 or float64.
        target: class numbers (N, …), or one distribution an example (N, C, …).
        weight: w, (C,); None weighs every class 1.
        label_smoothing: ε, share of the target spread over all classes.
        ignore_index: a class number that adds neither loss nor gradient.
        reduction: "none", "sum" or "mean": Σ loss / Σ w_y over the class numbers, / N over distributions.

    >>> weighted_cross_entropy(torch.zeros(2, 4), torch.tensor([3, -100]))
    tensor(1.3863)
    """
    logits, target, ignored = fitted(logits, target, ignore_index=ignore_index)
    mixed = target.is_floating_point()
    weight = None if weight is None else weight.to(logits)
    target = target.to(logits) if mixed else target
    loss = cross_entropies(
        logits,
        target,
        ignored,
        weight,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        summed=reduction != "none",
    )
    if mixed or weight is None:
        return reduce(loss, reduction, number_kept(target[:, 0] if mixed else target, ignored))
    return reduce(loss, reduction, without(weight[without(target, ignored)], ignored).sum())


def cross_entropies(
    logits: Tensor,
    target: Tensor,
    ignored: Tensor | None,
    weight: Tensor | None,
    *,
    label_smoothing: float,
    ignore_index: int,
    summed: bool,
) -> Tensor:
    """The losses of `weighted_cross_entropy` for what `fitted` has checked, (N, …), 0 where ignored; or their sum.

    They are torch's to the last bit where it has the same formula; there ``summed`` lets it sum them at once.
    """
    scale = None
    if weight is not None and (target.is_floating_point() or label_smoothing > 0):
        scale, weight = example_weights(without(target, ignored), weight), None
    loss = F.cross_entropy(
        logits,
        target,
        weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        reduction="sum" if summed and scale is None else "none",
    )
    return loss if scale is None else loss * scale


def class_logits(logits: Tensor, num_classes: int) -> Tensor:
    """Return the logits in float32 at least, or refuse what is not (N, ``num_classes``)."""
    if logits.dim() != 2 or logits.shape[1] != num_classes:
        raise ValueError(f"logits must be (N, {num_classes}), one column a class, got {tuple(logits.shape)}")
    return in_full_precision(logits)


def class_numbers(loss: str, target: Tensor, num_classes: int, ignore_index: int) -> Tensor:
    """Return the target if it is class numbers (N,), or say that ``loss`` takes no mixed ones."""
    if target.dim() != 1 or target.is_floating_point():
        raise ValueError(f"{loss} needs class numbers (N,) as target, got {target.dtype} {tuple(target.shape)}")
    numbers, _ = checked_classes(target, num_classes, ignore_index)
    return numbers


def required_counts(loss: str, class_counts: Counts | None) -> Tensor:
    """Return the counts as float64 (C,), or say that ``loss`` cannot do without them."""
    if class_counts is None:
        raise ValueError(f"{loss} is computed from the training counts: give class_counts")
    return validate_counts(class_counts)


def weight_of_each_class(weight: object, counts: Tensor) -> Tensor:
    """The weight of each class, (C,): ones for None, from the ``counts`` for a name, else as given."""
    return torch.ones(len(counts)) if weight is None else listed_weights(weight, counts)
