"""The one DataModule: any source's splits, batched, shared among processes, augmented on the device."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import lightning.pytorch as pl
from torch import Tensor
from torch.utils.data import DataLoader

from imbalance_lab.data.arrays import Batch, Source, Splits
from imbalance_lab.samplers import DistributedEpochBatchSampler, RepeatedSampler, Sampler, SequentialSampler
from imbalance_lab.termination import ignore_signals


class DataModule(pl.LightningDataModule):
    """Feeds a Trainer with ``use_distributed_sampler=False``: processes share the examples exactly, without padding.

    Args:
        splits: the examples.
        sampler: decides the order of the training split.
        batch_size: examples per training step, over all processes.
        eval_batch_size: the same for validation and test.
        augment: called with the inputs and the sample seeds of a training batch, on the device.
        num_workers: worker processes; 0 is fastest for examples in memory.
        seed: determines the order and the augmentation.

    ``tested`` is the split that a Trainer's test loop goes through; there is none for calibration.
    """

    tested: Literal["test", "calibration"] = "test"

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
        """The training split in the sampler's order; after a resume, from the checkpoint's position."""
        batches = self._batches(self.splits.train, self.sampler, self.batch_size)
        batches.resume(self._steps_done(len(batches)))
        return self._loader(self.splits.train, batches)

    def plain_train_dataloader(self) -> DataLoader[Batch]:
        """The training split, each example once, in order: for what is computed of it before training."""
        return self._eval_loader(self.splits.train)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The validation split, each example once; KeyError for data without one."""
        return self._eval_loader(self.splits.parts["val"])

    def test_dataloader(self) -> DataLoader[Batch]:
        """The split `tested`, each example once."""
        return self._eval_loader(self.splits.test) if self.tested == "test" else self.calibration_dataloader()

    def calibration_dataloader(self) -> DataLoader[Batch]:
        """The calibration split, each example once; KeyError for data without one."""
        return self._eval_loader(self.splits.parts["calibration"])

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Augment training batches."""
        if self.augment is None or self.trainer is None or not self.trainer.training:
            return batch
        return batch._replace(input=self.augment(batch.input, batch.sample_seed))

    def _steps_done(self, steps: int) -> int:
        """How many of an epoch's ``steps`` were done in a checkpoint saved within the epoch; else 0.

        Lightning restores its counters before it creates the loader. The batch counters are reset only in the next
        epoch, and ``limit_train_batches`` may end an epoch early.
        """
        if self.trainer is None:
            return 0
        progress: Any = self.trainer.fit_loop.epoch_loop.batch_progress
        done: int = progress.current.processed  # not `completed`, which lags behind by one
        is_whole = done >= steps or (progress.is_last_batch and done == progress.current.ready)
        return 0 if is_whole else done

    def _eval_loader(self, source: Source) -> DataLoader[Batch]:
        size = max(1, min(self.eval_batch_size, len(source)))
        return self._loader(source, self._batches(source, SequentialSampler(len(source)), size))

    @property
    def epoch_length(self) -> int:
        """How many training examples an epoch has: of a `RepeatedSampler`, those of several passes."""
        passes = self.sampler.passes if isinstance(self.sampler, RepeatedSampler) else 1
        return len(self.splits.train) * passes

    def _batches(self, source: Source, sampler: Sampler, batch_size: int) -> DistributedEpochBatchSampler:
        rank, world_size = (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
        length = self.epoch_length if sampler is self.sampler else len(source)
        return DistributedEpochBatchSampler(
            sampler, length, batch_size, rank=rank, world_size=world_size, seed=self.seed
        )

    def _loader(self, source: Source, batches: DistributedEpochBatchSampler) -> DataLoader[Batch]:
        return _LazyDataLoader(
            source,  # type: ignore[arg-type]  # anything with __getitems__ will do
            batch_sampler=batches,  # type: ignore[arg-type]  # a dataset with __getitems__ takes what this yields
            collate_fn=_identity,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            worker_init_fn=ignore_signals,  # one that a signal ends would be an error here
        )


class _LazyDataLoader(DataLoader[Batch]):
    """Asks its sampler for the order when the first batch is requested, also with workers.

    Workers fetch ahead: torch draws the first batches as soon as there is an iterator. Lightning makes one before it
    sets the epoch of a resumed run; without workers the order is drawn after that.
    """

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]  # torch promises its own class of iterator
        yield from super().__iter__()


def _identity(batch: Any) -> Any:
    return batch  # a source hands out whole batches
