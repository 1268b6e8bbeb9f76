"""What every sampler of a training split must satisfy."""

import pickle
from collections.abc import Callable

import torch
from torch import Tensor

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.samplers import DistributedEpochBatchSampler, SampledIndices, Sampler

MakeSampler = Callable[..., Sampler]


def check_sampler(make: MakeSampler, targets: Tensor | None = None) -> None:
    """Check a sampler: one order per seed and epoch, within the split, exactly shared by any number of processes.

    Args:
        make: builds the sampler; is given ``targets``, ``seed``, ``batch_size`` and ``max_epochs`` if it takes them.
        targets: class indices (N,), or 0/1 labels (N, C); three classes of very different size if not given.

    Raises:
        AssertionError: saying what does not hold.
    """
    given = torch.arange(3).repeat_interleave(torch.tensor([90, 24, 6])) if targets is None else targets

    def build(seed: int = 0) -> Sampler:
        available = {"targets": given.clone(), "seed": seed, "batch_size": 16, "max_epochs": 4}
        return make(**accepted_arguments(make, available))

    _check_order(build, len(given))
    _check_keys(build)
    _check_global_state(build)
    _check_sharing(build, len(given))
    _check_class_priors(build, given)


def _check_order(build: Callable[..., Sampler], n: int) -> None:
    order = build().order(1)
    assert order.dtype == torch.int64, f"order returns int64 positions, got {order.dtype}"
    assert order.shape == (n,), f"an epoch has as many draws as the split has examples, {n}, got {tuple(order.shape)}"
    inside = bool(((order >= 0) & (order < n)).all())
    assert inside, f"positions lie in [0, {n}), got {int(order.min())} to {int(order.max())}"


def _check_keys(build: Callable[..., Sampler]) -> None:
    sampler = build(5)
    asked = {epoch: sampler.order(epoch).tolist() for epoch in (3, 0, 1)}
    again = build(5)
    same = {epoch: again.order(epoch).tolist() for epoch in (0, 1, 3)} == asked
    assert same, "the order of an epoch depends on more than seed and epoch"
    copied = pickle.loads(pickle.dumps(sampler))
    assert copied.order(3).tolist() == asked[3], "the order changes when the sampler is pickled for a worker"
    assert asked[0] != asked[1], "two epochs have the same order"
    assert asked[0] != build(6).order(0).tolist(), "two seeds give the same order"


def _check_global_state(build: Callable[..., Sampler]) -> None:
    before = torch.get_rng_state()
    build().order(2)
    assert torch.equal(torch.get_rng_state(), before), "the sampler draws from torch's global generator"


def _check_sharing(build: Callable[..., Sampler], n: int) -> None:
    whole = list(_batches(build, n, 0, 1))
    for world_size in (2, 3):
        shares = [list(_batches(build, n, rank, world_size)) for rank in range(world_size)]
        for step, batch in enumerate(whole):
            together = torch.cat([share[step].positions for share in shares])
            same = torch.equal(together.sort().values, batch.positions.sort().values)
            assert same, f"{world_size} processes do not share the batch of step {step} exactly"
    resumed = _batches(build, n, 0, 1)
    resumed.resume(2)
    same = all(torch.equal(a.positions, b.positions) for a, b in zip(resumed, whole[2:], strict=True))
    assert same, "a resumed epoch does not continue with the examples that come next"


def _batches(build: Callable[..., Sampler], n: int, rank: int, world_size: int) -> DistributedEpochBatchSampler:
    batches = DistributedEpochBatchSampler(build(), n, 16, rank=rank, world_size=world_size)
    batches.set_epoch(1)
    first = next(iter(batches))
    assert isinstance(first, SampledIndices)
    return batches


def _check_class_priors(build: Callable[..., Sampler], targets: Tensor) -> None:
    """Drawn frequencies over many epochs lie within 5 standard errors of what the sampler claims."""
    claimed = getattr(build(), "class_priors", None)
    if claimed is None or targets.ndim != 1:
        return
    counts = targets.bincount()
    prior = claimed(counts).double()
    assert prior.shape == counts.shape, f"class_priors returns (C,), got {tuple(prior.shape)} for {len(counts)} classes"
    prior = prior / prior.sum()
    drawn = torch.cat([targets[build().order(epoch)] for epoch in range(40)])
    share = drawn.bincount(minlength=len(counts)) / len(drawn)
    error = (prior * (1 - prior) / len(drawn)).sqrt()
    close = bool(((share - prior).abs() <= 5 * error + 1e-9).all())
    assert close, f"class_priors claims {prior.tolist()}, but classes are drawn with {share.tolist()}"
