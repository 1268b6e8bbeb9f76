"""The one DataModule: any source's splits, batched, shared among processes, augmented on the device."""

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor
from torch.utils.data import DataLoader

from imbalance_lab.data.arrays import Batch, Source, Splits
from imbalance_lab.samplers import DistributedEpochBatchSampler, Sampler, Sequential


class DataModule(pl.LightningDataModule):
    """Feeds a Trainer that has ``use_distributed_sampler=False``: shares are exact here, without padding.

    Args:
        splits: the examples.
        sampler: decides the order of the training split.
        batch_size: examples a training step, over all processes together.
        eval_batch_size: the same for validation and test.
        augment: called with a training batch's inputs and keys, on the device.
        num_workers: processes that load; 0 is fastest for examples in memory.
        seed: decides the keys of the draws.
    """

    def __init__(
        self,
        splits: Splits,
        sampler: Sampler,
        *,
        batch_size: int = 128,
        eval_batch_size: int = 1024,
        augment: Callable[[Tensor, Tensor], Tensor] | None = None,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.splits = splits
        self.sampler = sampler
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.augment = augment
        self.num_workers = num_workers
        self.seed = seed

    def train_dataloader(self) -> DataLoader[Batch]:
        """The training split in the sampler's order; after a resume, from where the checkpoint left off."""
        batches = self._batches(self.splits.train, self.sampler, self.batch_size)
        batches.resume(*self._progress(len(batches)))
        return self._loader(self.splits.train, batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The validation split, each example once."""
        return self._eval_loader(self.splits.val)

    def test_dataloader(self) -> DataLoader[Batch]:
        """The test split, each example once."""
        return self._eval_loader(self.splits.test)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Augment training batches."""
        if self.augment is None or self.trainer is None or not self.trainer.training:
            return batch
        return batch._replace(input=self.augment(batch.input, batch.sample_seed))

    def _progress(self, steps: int) -> tuple[int, int]:
        """The epoch and the step to begin with: not (0, 0) when a checkpoint is being resumed.

        Lightning restores its counters before it asks for the loader, but starts the iterator before ``set_epoch``.
        """
        if self.trainer is None:
            return 0, 0
        loop: Any = self.trainer.fit_loop
        done: int = loop.epoch_loop.batch_progress.current.processed  # not `completed`, which lags behind by one
        if done < steps:
            return self.trainer.current_epoch, done
        # A checkpoint from the end of an epoch: Lightning counts it as over only after it has asked for the loader, and
        # workers draw their first batches at once, before ``set_epoch``.
        return self.trainer.current_epoch + int(loop.restarting), 0

    def _eval_loader(self, source: Source) -> DataLoader[Batch]:
        size = max(1, min(self.eval_batch_size, len(source)))
        return self._loader(source, self._batches(source, Sequential(len(source)), size))

    def _batches(self, source: Source, sampler: Sampler, batch_size: int) -> DistributedEpochBatchSampler:
        rank, world_size = (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
        return DistributedEpochBatchSampler(
            sampler, len(source), batch_size, rank=rank, world_size=world_size, seed=self.seed
        )

    def _loader(self, source: Source, batches: DistributedEpochBatchSampler) -> DataLoader[Batch]:
        return DataLoader(
            source,  # type: ignore[arg-type]  # anything with __getitems__ will do
            batch_sampler=batches,  # type: ignore[arg-type]  # a dataset with __getitems__ takes what this yields
            collate_fn=_as_it_is,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )


def _as_it_is(batch: Any) -> Any:
    return batch  # a source hands out whole batches
