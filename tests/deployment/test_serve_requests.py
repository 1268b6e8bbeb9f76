"""What a server does with requests, without a server."""

import argparse
import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from imbalance_lab import load_model
from imbalance_lab.app.serve_command import add_arguments, run
from imbalance_lab.data.columns import Column, fit_column
from imbalance_lab.data.encode_columns import encode_columns
from imbalance_lab.data.image_bytes import ImageBytes
from imbalance_lab.data.image_decoder import ImageDecoder
from imbalance_lab.data.read_table import as_table
from imbalance_lab.data.schema import ArraySchema
from imbalance_lab.deployment.serve.decoding import Decoder, Inputs, read_json
from imbalance_lab.deployment.serve.json_rows import RowEncoder
from imbalance_lab.deployment.serve.limits import Limits, RequestError
from imbalance_lab.deployment.serve.openapi import describe, example
from imbalance_lab.deployment.serve.predictions import Options, PredictAPI
from imbalance_lab.errors import UsageError
from tests.helpers.images import digit


def random_table(seed: int, n: int) -> pd.DataFrame:
    """Numbers of all sizes, and categories that are text, integers, fractions and truths; some missing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "wide": rng.normal(size=n) * 10.0 ** rng.integers(-30, 30, n),
            "count": rng.integers(-(2**40), 2**40, n),
            "gaps": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
            "yes": rng.random(n) < 0.5,
            "text": rng.choice(["a", "b", "07", "7", "ü", " "], n),
            "code": rng.choice([3, 5, 2**40], n),
            "half": rng.choice([0.5, 1.0, -2.25], n),
        }
    )
    frame.loc[rng.random(n) < 0.2, "text"] = None
    return frame


def as_json(value: Any) -> Any:
    """A cell of a DataFrame as JSON has it."""
    return None if pd.isna(value) else getattr(value, "item", lambda: value)()


def columns_of(frame: pd.DataFrame, training: int) -> list[Column]:
    table = as_table(frame[:training])
    kinds = {name: "category" if name in ("text", "code", "half") else "number" for name in frame}
    fitted = [fit_column(name, kinds[name], table[name]) for name in frame]  # type: ignore[arg-type]
    return sorted(fitted, key=lambda column: column.kind == "category")


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_encoded_as_columns_are(seed: int) -> None:
    frame = random_table(seed, 60)
    columns = columns_of(frame, 5)  # some categories are unknown
    expected, unknown = encode_columns(columns, as_table(frame))
    rows = [dict(zip(frame, map(as_json, row), strict=True)) for row in frame.itertuples(index=False)]
    inputs, counted = RowEncoder(columns).encode(rows)
    np.testing.assert_array_equal(inputs, expected)
    assert {name: sum(counts.values()) for name, counts in counted.items()} == {
        name: sum(counts.values()) for name, counts in unknown.items()
    }


def test_text_from_a_request_is_shown_without_control_characters() -> None:
    with pytest.raises(RequestError) as error:
        RowEncoder([Column("a\x1b", "number")]).encode([{"a\x1b": "\u202e\ud800\n" + "x" * 1000}])
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([[1.0, 2.0], [3.0]], "inputs do not all have the same shape"),
        ([["a", "b"]], "inputs must be nested lists of numbers"),
        ([[None, 1]], "inputs must be nested lists of numbers"),
        ([[10**400, 1]], "inputs must be nested lists of numbers"),
        ([[1e39, 1]], "inputs must be finite float32, and one is too large"),
        ([[1, 2, 3]], r"inputs must have the shape \(N, 2\), got \(1, 3\)"),
        ([1, 2], r"inputs must have the shape \(N, 2\), got \(2,\)"),
        ([], "the request has no inputs"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(given: Any, sentence: str) -> None:
    decoder = Decoder(ArraySchema(("a", "b"), (2,), "float32"), Limits())
    with pytest.raises(RequestError, match=sentence):
        decoder.decode(json.dumps({"inputs": given}).encode())
    assert decoder.decode(b'{"inputs": [[1, 2.5]]}').inputs.tolist() == [[1, 2.5]]


def test_bytes_are_not_rounded() -> None:
    decoder = Decoder(ArraySchema(("a", "b"), (2,), "uint8"), Limits())
    assert decoder.decode(b'{"inputs": [[0, 255]]}').inputs.dtype == torch.uint8
    for wrong in ("[[0, 256]]", "[[0, 0.5]]", "[[-1, 0]]"):
        with pytest.raises(RequestError, match="inputs must be uint8, as in training"):
            decoder.decode(f'{{"inputs": {wrong}}}'.encode())


def test_a_request_that_fails_stays_alone(finished_run: Path) -> None:
    from imbalance_lab.data import digits

    api = PredictAPI(Options(finished_run, ""))
    api.use(load_model(finished_run))
    images = digits().test.inputs[:7]
    whole = Inputs(images, [])
    answers = api.predict(
        [whole, RequestError("wrong"), Inputs(images.repeat(1, 3, 1, 1), []), Inputs(images[2:3], ["told"])]
    )
    assert [answer.status for answer in answers] == [200, 422, 500, 200]
    expected = api.model.predict(images).probabilities
    for answer, rows in ((answers[0], expected), (answers[3], expected[2:3])):
        p = [list(each["probabilities"].values()) for each in json.loads(answer.body)["results"]]
        np.testing.assert_allclose(p, rows, rtol=0, atol=1e-6)
    assert json.loads(answers[3].body)["warnings"] == ["told"]
    assert json.loads(answers[1].body) == {"detail": "wrong"}


def test_an_output_that_is_not_finite_is_refused(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = PredictAPI(Options(finished_run, ""))
    api.use(load_model(finished_run))
    logits = np.zeros((5, 10), np.float32)
    logits[3, 2] = np.nan
    monkeypatch.setattr(api.model, "logits_of", lambda inputs: logits)
    rows = torch.zeros(5, 1, 8, 8, dtype=torch.uint8)
    good, bad = api.predict([Inputs(rows[:2], []), Inputs(rows[2:], [])])
    assert (good.status, bad.status) == (200, 422)
    assert json.loads(bad.body)["detail"].startswith("row 2: the model's output is not finite")


def test_a_request_that_waited_too_long_is_not_answered(finished_run: Path) -> None:
    api = PredictAPI(Options(finished_run, "", limits=Limits(timeout=7)))
    late = api.decode_request(b"", is_late=True)
    assert isinstance(late, RequestError)
    assert (late.status, str(late)) == (504, "the request waited 7 s for a worker: try again later")


def test_the_description_of_an_array_model(finished_run: Path) -> None:
    model = load_model(finished_run)
    content = describe(model, Limits(max_rows=9), "d" * 64)["paths"]["/predict"]["post"]["requestBody"]["content"]
    inputs = content["application/json"]["schema"]["properties"]["inputs"]
    assert (inputs["maxItems"], inputs["items"]["minItems"], inputs["items"]["items"]["maxItems"]) == (9, 1, 8)
    assert inputs["items"]["items"]["items"]["items"] == {"type": "integer", "minimum": 0, "maximum": 255}
    command = example(model, "http://127.0.0.1:1")
    body = command.partition(" -d '")[2].partition("'")[0]
    assert Decoder(model.schema, Limits()).decode(body.encode()).inputs.shape == (1, 1, 8, 8)


def test_an_image_in_memory_is_the_file(tmp_path: Path) -> None:
    decoder = ImageDecoder(8, 1, False, 10**6)
    for kind in ("png", "jpeg", "bmp", "tiff", "webp"):
        path = tmp_path / f"x.{kind}"
        digit(3).resize((40, 30)).save(path)
        np.testing.assert_array_equal(decoder.read(ImageBytes(path.read_bytes(), "x")), decoder.read(path))


def test_a_key_twice_is_refused_wherever_it_is() -> None:
    with pytest.raises(RequestError, match="the key 'a' is twice in one object: send it once"):
        read_json(b'{"b": [1, {"a": 1, "c": 2, "a": 1}]}')


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["RUN", "--host", "localhost"], "--host must be one of 127.0.0.1, 0.0.0.0, ::, got 'localhost'"),
        (["RUN", "--port", "80"], r"--port must be an integer in \[1024, 65535\], got 80"),
        (["RUN", "--max-rows", "0"], "--max-rows must be an integer ≥ 1, got 0"),
        (["RUN", "--batch-timeout", "-1"], r"--batch-timeout must be a finite number in \[0, 30\), got -1"),
        (["/nothing/there"], "there is no checkpoint /nothing/there"),
        (["LAST"], "last.ckpt has no post-processing: run imbalance-lab evaluate"),
        (["RUN", "--port", "TAKEN"], "cannot listen on 127.0.0.1, port .* in use.*: choose another --port"),
    ],
)
def test_what_cannot_be_served_is_told_before_anything_starts(
    finished_run: Path, words: list[str], sentence: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        known = {"RUN": finished_run, "LAST": finished_run / "checkpoints/last.ckpt", "TAKEN": taken.getsockname()[1]}
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        with pytest.raises(UsageError, match=sentence):
            run(parser.parse_args([str(known.get(word, word)) for word in words]))
