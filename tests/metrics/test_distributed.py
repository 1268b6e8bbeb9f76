"""Two processes with uneven numbers of examples, or none, compute the scores of one process with all examples."""

import json
import os
import socket
from itertools import product

import pytest
import torch
import torch.distributed as dist

from imbalance_lab.metrics import AUROC, AveragePrecision, StreamingAUROC, StreamingAveragePrecision
from tests.helpers.two_processes import run_in_two_processes

N = 23
FIRST_SIZES = (0, 5, N)
"""How many of the examples the first process has."""

CASES = list(
    product(
        (AUROC, AveragePrecision, StreamingAUROC, StreamingAveragePrecision),
        ("binary", "multiclass", "multilabel"),
        (True, False),
    )
)


def make(metric, task, from_logits):
    return metric(task, None if task == "binary" else 3, from_logits=from_logits, ignore_index=-1)


def examples(task, from_logits):
    """Scores with ties, and targets of which some are ignored."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((N,) if task == "binary" else (N, 3), generator=generator).mul(8).round()
    target = torch.randint(0, 3 if task == "multiclass" else 2, (N, 3), generator=generator)
    target = target if task == "multilabel" else target[:, 0]
    target[torch.rand(target.shape, generator=generator) < 0.1] = -1
    if from_logits:
        return logits, target
    return (logits.softmax(1) if task == "multiclass" else logits.sigmoid()), target


def results(metric, value):
    bounds = getattr(metric, "bounds", None) or ()
    return [value.item(), metric.n_defined, *(end.item() for end in bounds)]


def score_share(rank, port, folder):
    """Store the results of one of two processes."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=2)
    found = []
    for case, first in product(CASES, FIRST_SIZES):
        share = slice(0, first) if rank == 0 else slice(first, N)
        preds, target = examples(*case[1:])
        metric = make(*case)
        if len(target[share]):
            metric.update(preds[share], target[share])
        found.append(results(metric, metric.compute()))
    dist.destroy_process_group()
    (folder / f"{rank}.json").write_text(json.dumps(found))


@pytest.mark.slow
def test_two_processes_with_uneven_or_no_examples_score_like_one(tmp_path):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    run_in_two_processes(score_share, port, tmp_path)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    expected = []
    for case in CASES:
        metric = make(*case)
        expected.append(results(metric, metric(*examples(*case[1:]))))
    assert first == [each for each in expected for _ in FIRST_SIZES]
    assert not any(value != value for each in first for value in each)
