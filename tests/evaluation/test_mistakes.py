import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imbalance_lab.data import digits
from imbalance_lab.evaluation.mistakes import EACH, RAREST, read_mistakes, worst_mistakes, write_mistakes
from imbalance_lab.evaluation.predictions import Predictions

TEST = digits().test
COUNTS = torch.arange(100, 0, -10)  # 9 is the rarest


def predictions(seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(TEST), 10)).astype(np.float32)
    return Predictions.of(tuple("0123456789"), TEST.index.numpy(), TEST.targets.numpy(), logits)


def test_the_rarest_classes_come_first_and_the_surest_mistakes_of_each() -> None:
    stored = predictions()
    found = worst_mistakes(stored, COUNTS)
    assert list(dict.fromkeys(c for c, *_ in found)) == list(range(9, 9 - RAREST, -1))
    decided = stored.logits.argmax(1)
    shares = torch.from_numpy(stored.logits).softmax(1).numpy()
    for c in range(9, 9 - RAREST, -1):
        missed = [row for of, kind, row, _ in found if (of, kind) == (c, "missed")]
        rarer = np.arange(c + 1, 10)  # their lists come first, and have the false alarms of c that are surest
        listed = [row for of, _, row, _ in found if of in rarer]
        every = np.setdiff1d(np.flatnonzero((stored.target == c) & (decided != c)), listed)
        surest = sorted(every, key=lambda row: -shares[row, decided[row]])[:EACH]
        assert missed == surest
        alarms = [row for of, kind, row, _ in found if (of, kind) == (c, "false alarm")]
        assert len(alarms) == EACH
        assert all(decided[row] == c != stored.target[row] for row in alarms)


def test_no_example_is_listed_twice_also_of_two_classes() -> None:
    rows = [row for _, _, row, _ in worst_mistakes(predictions(), COUNTS)]
    assert len(rows) == len(set(rows)) == RAREST * EACH * 2
    two = predictions().target % 2
    logits = np.random.default_rng(1).normal(size=(len(two), 2)).astype(np.float32)
    binary = Predictions.of(("good", "fraud"), TEST.index.numpy(), two, logits)
    found = worst_mistakes(binary, torch.tensor([90, 10]))
    assert {c for c, *_ in found} == {binary.task.positive}
    assert len({row for _, _, row, _ in found}) == len(found) == 2 * EACH


def test_a_class_without_a_test_example_is_passed_over() -> None:
    stored = predictions()
    kept = stored.target != 9
    without = Predictions.of(stored.classes, stored.index[kept], stored.target[kept], stored.logits[kept])
    assert 9 not in {c for c, *_ in worst_mistakes(without, COUNTS)}


def test_stored_pictures_are_the_examples(tmp_path: Path) -> None:
    write_mistakes(tmp_path / "mistakes.parquet", predictions(), TEST, COUNTS)
    mistakes = read_mistakes(tmp_path / "mistakes.parquet")
    assert len(mistakes) == RAREST * EACH * 2
    position = {index: at for at, index in enumerate(TEST.index.tolist())}
    for mistake in mistakes:
        at = position[mistake.index]
        assert mistake.target == TEST.targets[at] != mistake.predicted
        assert mistake.name == f"example {mistake.index}"
        assert mistake.png is not None
        picture = np.asarray(Image.open(io.BytesIO(mistake.png)))
        assert np.array_equal(picture, TEST.inputs[at, 0].numpy())


@pytest.mark.parametrize(("channels", "mode"), [((1, 1, 1), "L"), ((1, 1, 0), "RGB")])
def test_a_picture_with_equal_channels_is_stored_in_gray(channels: tuple[int, ...], mode: str, tmp_path: Path) -> None:
    inputs = TEST.inputs * torch.tensor(channels, dtype=torch.uint8).reshape(3, 1, 1)
    write_mistakes(tmp_path / "mistakes.parquet", predictions(), replace(TEST, inputs=inputs), COUNTS)
    first = read_mistakes(tmp_path / "mistakes.parquet")[0]
    assert first.png is not None
    picture = Image.open(io.BytesIO(first.png))
    assert picture.mode == mode
    at = TEST.index.tolist().index(first.index)
    assert np.array_equal(np.asarray(picture.convert("RGB")), inputs[at].movedim(0, -1).numpy())


def test_no_mistake_is_an_empty_file(tmp_path: Path) -> None:
    logits = 9 * np.eye(10, dtype=np.float32)[TEST.targets.numpy()]
    perfect = Predictions.of(tuple("0123456789"), TEST.index.numpy(), TEST.targets.numpy(), logits)
    write_mistakes(tmp_path / "mistakes.parquet", perfect, TEST, COUNTS)
    assert read_mistakes(tmp_path / "mistakes.parquet") == []


def labelled() -> Predictions:
    rng = np.random.default_rng(0)
    target = (rng.random((len(TEST), 3)) < (0.5, 0.2, 0.1)).astype(np.int64)
    logits = (rng.normal(size=target.shape) + target - 0.5).astype(np.float32)
    return Predictions.of(("torn", "late", "lost"), TEST.index.numpy(), target, logits, "sigmoid")


def test_mistakes_on_labels_are_missed_positives_and_false_alarms_of_each(tmp_path: Path) -> None:
    stored = labelled()
    write_mistakes(tmp_path / "mistakes.parquet", stored, TEST, torch.tensor([50, 20, 10]))
    mistakes = read_mistakes(tmp_path / "mistakes.parquet")
    assert list(dict.fromkeys(each.of_class for each in mistakes)) == [2, 1, 0]
    row = {index: at for at, index in enumerate(stored.index.tolist())}
    share = torch.from_numpy(stored.logits).double().sigmoid().numpy()
    for c in range(3):
        for kind, so, wrong in (("missed", 1, 1 - share[:, c]), ("false alarm", 0, share[:, c])):
            found = [each for each in mistakes if (each.of_class, each.kind) == (c, kind)]
            every = wrong[(stored.target[:, c] == so) & (wrong > 0.5)]
            np.testing.assert_allclose([each.probability for each in found], sorted(every, reverse=True)[:EACH])
            assert all(stored.target[row[each.index], c] == so for each in found)
    assert all(each.target is None and each.predicted is None for each in mistakes)
