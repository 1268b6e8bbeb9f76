"""Which fits are due, and their measurement: peers in this process, ours through the program's own entry."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from measurements.json_lines import append_line, read_lines
from numpy.typing import NDArray

from table_benchmark.peers import PEERS, Pair, Peer
from table_benchmark.prepared import PreparedTable, prepare
from table_benchmark.results import Result
from table_benchmark.scoring import score
from table_benchmark.sources import Source
from table_benchmark.splits import read_table, write_table

Targets = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        sources: the tables, in the order of measurement.
        split_seeds: seeds of the splits.
        seeds: of the methods; those without randomness take the first alone.
        cache: the folder of the tables.
        results: the file that results are appended to.
        deadline: of `time.monotonic`, after which no other fit begins.
    """

    sources: Sequence[Source]
    split_seeds: Sequence[int]
    seeds: Sequence[int]
    cache: Path
    results: Path
    deadline: float = float("inf")

    def jobs(self, method: str, version: str, *, is_random: bool) -> Iterator[tuple[Source, int, int]]:
        """The tables, splits and seeds that have no result yet, until the deadline."""
        done = {result.key for result in read_lines([self.results], Result)}
        for seed in self.seeds if is_random else self.seeds[:1]:
            for source in self.sources:
                for split_seed in self.split_seeds:
                    if time.monotonic() > self.deadline:
                        return
                    if (source.name, split_seed, seed, method, version) not in done:
                        yield source, split_seed, seed

    def measure(
        self,
        source: Source,
        split_seed: int,
        seed: int,
        method: str,
        version: str,
        fit: Callable[[], tuple[Pair, Targets]],
    ) -> Result:
        """Run ``fit``, score what it gives, and append the result."""
        started = time.process_time()
        (val, test), target = fit()
        seconds = round(time.process_time() - started, 3)
        scores = score(val, target["val"], test, target["test"])
        result = Result(source.name, split_seed, seed, method, version, **asdict(scores), fit_seconds=seconds)
        append_line(self.results, result)
        print(f"{source.name:32} split {split_seed} seed {seed}  {method:22} AUROC {result.auroc:.4f}", flush=True)
        return result


def measure_peers(plan: Plan, peers: Sequence[Peer] = PEERS) -> None:
    """All fits of the peers that are due, one method after the other."""
    tables: dict[tuple[str, int], PreparedTable] = {}
    for peer in peers:
        for source, split_seed, seed in plan.jobs(peer.name, peer.version, is_random=peer.is_random):
            key = source.name, split_seed
            if key not in tables:
                tables[key] = prepare(read_table(write_table(source, split_seed, plan.cache)))
            table = tables[key]

            def fit(peer: Peer = peer, table: PreparedTable = table, seed: int = seed) -> tuple[Pair, Targets]:
                return peer.fit(table, seed), table.target

            plan.measure(source, split_seed, seed, peer.name, peer.version, fit)
