"""The exponential moving average: by hand, in validation, in checkpoints, and after a resume."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from imbalance_lab.losses import CrossEntropyLoss
from imbalance_lab.samplers import RandomSampler, SampledIndices
from imbalance_lab.training.strategies import EMA, SWA, DeferredResampling, DeferredReweighting, MaxNorm, Strategy
from tests.helpers.tiny import COUNTS, SPLITS, STEPS, Record, fit, net_of


def by_hand(record: Record, decay: float, *, warmup: bool = False) -> dict[str, Tensor]:
    average = record.weights[0]
    for step, weights in enumerate(record.weights[1:], 1):
        d = min(decay, (1 + step) / (10 + step)) if warmup else decay
        average = {k: d * a + (1 - d) * weights[k] if a.is_floating_point() else weights[k] for k, a in average.items()}
    return average


@pytest.mark.parametrize("warmup", [False, True])
def test_it_is_the_average_by_hand_and_leaves_the_training_alone(warmup: bool, tmp_path: Path) -> None:
    model, record = fit(tmp_path, EMA(0.9, warmup=warmup), width=4, epochs=2)
    _, plain = fit(tmp_path / "plain", width=4, epochs=2)
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    average = by_hand(record, 0.9, warmup=warmup)
    assert any("running_var" in name for name in average)
    for name, expected in average.items():
        assert torch.equal(record.weights[-1][name], plain.weights[-1][name]), name
        torch.testing.assert_close(checkpoint["state_dict"][name], expected, rtol=1e-4, atol=1e-6, msg=name)
        assert torch.equal(checkpoint["raw_weights"][name], record.weights[-1][name])
        assert torch.equal(model.state_dict()[name], checkpoint["state_dict"][name])
    assert not torch.equal(average["head.weight"], record.weights[-1]["head.weight"])


def test_validation_is_of_the_average(tmp_path: Path) -> None:
    model, record = fit(tmp_path, EMA(0.9), epochs=2)
    positions = torch.arange(len(SPLITS.val))
    batch = SPLITS.val.__getitems__(SampledIndices(positions, positions))
    with torch.no_grad():
        torch.testing.assert_close(record.logits[-1], model.eval()(batch.input))  # it has the average after training


def strategies(name: str, loss: CrossEntropyLoss) -> list[Strategy]:
    sampler = RandomSampler(targets=SPLITS.train.targets, seed=3)
    made: dict[str, list[Strategy]] = {
        "drw, drs, ema": [
            DeferredReweighting(loss, COUNTS, 3, start=0.4),
            DeferredResampling(SPLITS.task, sampler, SPLITS.train.targets, COUNTS, loss, 3, seed=3, start=0.4),
            EMA(0.9),
        ],
        "swa, max_norm": [SWA(3, start=0.3), MaxNorm(torch.nn.Linear(16, 10), SPLITS.task, 0.7)],
    }
    return made[name]


@pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended before the epoch ended")
@pytest.mark.parametrize("name", ["drw, drs, ema", "swa, max_norm"])
@pytest.mark.parametrize("stop", [STEPS + 3, 2 * STEPS, 2 * STEPS + 3])
def test_a_resumed_run_ends_as_an_uninterrupted_one(name: str, stop: int, tmp_path: Path) -> None:
    ends = []
    for run, stops in (("whole", [-1]), ("parts", [stop, -1])):
        for at in stops:
            loss, path = CrossEntropyLoss(), tmp_path / run
            resume = path / "last.ckpt" if len(stops) == 2 and at == -1 else None
            model, _ = fit(path, *strategies(name, loss), loss=loss, width=16, stop=at, resume=resume)
        ends.append((torch.load(tmp_path / run / "last.ckpt", weights_only=True), model.history))
    (whole, history), (parts, resumed) = ends
    assert history == resumed
    assert whole["callbacks"].keys() == parts["callbacks"].keys()
    for key in ("state_dict", "raw_weights"):
        for weight in net_of(whole[key]):
            assert torch.equal(whole[key][weight], parts[key][weight]), (key, weight)


def test_an_average_can_begin_with_the_weights_of_a_plain_run(tmp_path: Path) -> None:
    fit(tmp_path, epochs=1)
    _, record = fit(tmp_path, EMA(0.5), epochs=2, resume=tmp_path / "last.ckpt")
    average = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]["head.weight"]
    torch.testing.assert_close(average, by_hand(record, 0.5, warmup=True)["head.weight"])
