"""Real servers of a table's, an images' and a multilabel model, asked over HTTP."""

import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from imbalance_lab.checkpoint_file import stored_digest
from imbalance_lab.model import ModelOutput
from tests.conftest import composed, of_labels
from tests.helpers.images import tree
from tests.helpers.server import JSON, Reply, Served, begin, end, listening
from tests.test_model import patients

FORM = "multipart/form-data; boundary=limit"


def trained(directory: Path, *overrides: str) -> Path:
    from imbalance_lab.app.instantiate import instantiate_experiment
    from imbalance_lab.app.train import train
    from imbalance_lab.evaluation.run_directory import RunDirectory

    config = composed(*overrides, "max_epochs=2", "logger=none", "num_workers=0")
    train(config, instantiate_experiment(config, overrides), RunDirectory(directory))
    return directory


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, wine_labels: Path) -> Iterator[dict[str, Served]]:
    """A server of each kind of model; they start at the same time."""
    root = tmp_path_factory.mktemp("serve")
    table = ("data=table", f"data.path='{patients(root)}'", "data.target=target", "backbone=mlp")
    images = (
        "data=image_folder",
        f"data.root='{tree(root / 'images', each=12)}'",
        "data.image_size=8",
        "backbone=convnet",
        "batch_size=8",
    )
    overrides = {
        "table": table,
        "images": images,
        "labels": of_labels(wine_labels, "loss=sigmoid_focal", "batch_size=16"),
    }
    begun = {}
    try:
        for kind, words in overrides.items():
            begun[kind] = begin(trained(root / f"run_{kind}", *words), root / "work" / kind)
        yield {kind: listening(served) for kind, served in begun.items()}
    finally:
        for served in begun.values():
            end(served)


@pytest.fixture(scope="module")
def table(servers: dict[str, Served]) -> Served:
    return servers["table"]


@pytest.fixture(scope="module")
def images(servers: dict[str, Served]) -> Served:
    return servers["images"]


@pytest.fixture(scope="module")
def frame(table: Served) -> pd.DataFrame:
    return pd.read_csv(table.run.parent / "patients.csv").drop(columns="target")


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """With null for what is missing."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows


def form(files: dict[str, bytes], field: str = "files") -> bytes:
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files.items()
    ]
    return b"".join(parts) + b"--limit--\r\n"


def png(size: tuple[int, int] = (8, 8), mode: str = "L") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()


def assert_answers(reply: Reply, output: ModelOutput, atol: float = 1e-12) -> None:
    """The reply says what the output says."""
    assert reply.status == 200, reply.content
    predictions = reply.content["results"]
    assert all(list(each["probabilities"]) == list(each["flags"]) == list(output.classes) for each in predictions)
    p = [list(each["probabilities"].values()) for each in predictions]
    np.testing.assert_allclose(p, output.probabilities, rtol=0, atol=atol)
    np.testing.assert_array_equal([list(each["flags"].values()) for each in predictions], output.flags)
    if output.predicted is None:
        assert not any("predicted" in each for each in predictions)
    else:
        assert [each["predicted"] for each in predictions] == output.predicted.tolist()


def test_rows_are_answered_as_the_model_does(table: Served, frame: pd.DataFrame) -> None:
    some = frame.iloc[:150, ::-1]
    assert some["mean texture"].isna().any()
    reply = table.rows(as_rows(some))
    assert_answers(reply, table.model.predict(some))
    assert reply.content["warnings"] == []


def test_labels_are_flagged_each_by_itself(servers: dict[str, Served], wine_labels: Path) -> None:
    wines = pd.read_csv(wine_labels).drop(columns=["strong", "dark"])
    assert_answers(servers["labels"].rows(as_rows(wines)), servers["labels"].model.predict(wines))


def test_images_are_answered_as_the_model_does(images: Served) -> None:
    files = sorted((images.run.parent / "images").rglob("*.png"))[::7]
    reply = images.send(form({file.name: file.read_bytes() for file in files}), FORM)
    assert_answers(reply, images.model.predict(files))
    photo = io.BytesIO()
    Image.open(files[0]).resize((300, 200)).convert("RGB").save(photo, "JPEG")
    (images.run.parent / "photo.jpg").write_bytes(photo.getvalue())
    expected = images.model.predict(images.run.parent / "photo.jpg")
    assert_answers(images.send(photo.getvalue(), "image/jpeg"), expected)


def test_unknown_categories_and_other_columns_are_told(table: Served, frame: pd.DataFrame) -> None:
    row = as_rows(frame[:1])[0]
    reply = table.rows([row | {"size": "xxl", "remark": 1}, row])
    assert reply.status == 200
    assert reply.content["warnings"] == [
        "column 'size': 1 of 2 values are not among the training categories ('xxl' 1): treated as unknown",
        "ignored, because the model does not take them: 'remark'",
    ]
    missing = table.rows([row | {"size": None}, row])
    assert missing.content == {"results": reply.content["results"], "warnings": []}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mean radius": "big"}, "row 2, column 'mean radius': 'big' is not a number: send one, or null"),
        ({"mean radius": 10**400}, "row 2, column 'mean radius': an integer of 1329 bits is infinite, or too large"),
        ({"mean radius": -1e39}, "row 2, column 'mean radius': -1e+39 is infinite, or too large for float32"),
        ({"mean radius": [1]}, "row 2, column 'mean radius': a list is not a number"),
        ({"size": 3}, "row 2, column 'size': 3 is not text, as it was in training: convert it, or send null"),
        ({"size": {}}, "row 2, column 'size': an object is not text"),
        ({"mean radius": None, "mean-radius": 3, "drop": "mean radius"}, "row 2 has no column 'mean radius', which"),
    ],
)
def test_a_wrong_row_is_refused_with_a_sentence(
    table: Served, frame: pd.DataFrame, change: dict[str, Any], sentence: str
) -> None:
    row = as_rows(frame[:1])[0]
    wrong = row | change
    if dropped := wrong.pop("drop", None):
        del wrong[dropped]
    reply = table.rows([row, wrong])
    assert reply.status == 422
    assert reply.content["detail"].startswith(sentence)
    if dropped:
        assert reply.content["detail"].endswith("; did you mean 'mean-radius'?")


HOSTILE = [
    *(b"", b" ", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"\xc3", b"null", b"3", b'"rows"', b"[]", b"{}", b"{"),
    *(
        b'{"rows"',
        b'{"rows": }',
        b'{"rows": null}',
        b'{"rows": []}',
        b'{"rows": {}}',
        b'{"rows": 1}',
        b'{"rows": ["a"]}',
    ),
    *(b'{"rows": [null]}', b'{"rows": [[]]}', b'{"rows": [{}]}', b'{"rows": [{}], "rows": [{}]}', b'{"row": [{}]}'),
    *(b'{"rows": [{"a": 1, "a": 2}]}', b'{"rows": [{"a": NaN}]}', b'{"rows": [{"a": -Infinity}]}', b"[" * 100_000),
    *(b'{"rows": ' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a":' * 5000 + b"1" + b"}" * 5000, b"1" * 100_000),
    *(b'{"rows": [{"a": ' + b"9" * 5000 + b"}]}", b'{"inputs": [[1]]}', b'{"rows": [{"\\ud800": "\\udfff"}]}'),
    *(
        b'{"rows": [{"size": "\\u0000\\u001b[2J"}]}',
        b"<html>",
        b"\x00" * 50,
        b'{"rows": [{}]} {}',
        b"'rows'",
        b"{'rows': []}",
    ),
    *(b'{"__proto__": {"rows": []}}', b'{"rows": [{"mean radius": {"$gt": 0}}]}', b'{"rows": [{"": ""}]}'),
]


def test_no_body_is_a_fault_of_the_server(table: Served, frame: pd.DataFrame) -> None:
    good = json.dumps({"rows": as_rows(frame[:2])}).encode()
    rng = np.random.default_rng(0)
    cut = [good[: rng.integers(len(good))] for _ in range(20)]
    flipped = [bytes(byte ^ (rng.random() < 0.02) * rng.integers(256) for byte in good) for _ in range(40)]
    for body in [*HOSTILE, *cut]:
        reply = table.send(body)
        assert reply.status == 422, body[:80]
        assert "\n" not in reply.content["detail"]
        assert len(reply.content["detail"]) < 300
    assert {table.send(body).status for body in flipped} <= {200, 422}
    assert table.send(good).status == 200


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "image/png", FORM, "a" * 9000]
)
def test_another_content_type_is_refused(table: Served, content_type: str) -> None:
    reply = table.send(b'{"rows": [{}]}', content_type)
    assert reply.status == 415
    assert reply.content["detail"].endswith("send application/json")


def test_images_that_are_none_are_refused(images: Served) -> None:
    broken = bytearray(png((64, 64), "RGB"))
    at = broken.index(b"IDAT") + 6
    broken[at : at + 12] = bytes(12)
    cases: dict[str, bytes] = {
        "x.png is not a readable image": b"not an image",
        "y.png is broken or truncated": bytes(broken),
        "z.png has 301 × 300 pixels, more than": png((301, 300)),
        "e.eps is not a readable image": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "f.gif is not a readable image": b"GIF89a\x01\x00\x01\x00\x80\x00\x00",
        "\\x1b[2J.png is not a readable image": b"",
        "g.png has 16 bits": png((8, 8), "I;16"),
    }
    for sentence, content in cases.items():
        name = sentence.split(" ")[0].replace("\\x1b", "\x1b")
        reply = images.send(form({"good.png": png(), name: content}), FORM)
        assert reply.status == 422, sentence
        assert reply.content["detail"].startswith(sentence), reply.content
    assert images.send(b"", "image/png").content["detail"].startswith("the image is not a readable image")


def test_forms_that_are_none_are_refused(images: Served) -> None:
    assert (
        images.send(form({"a.png": png()}, "file"), FORM).content["detail"].startswith("the form has the field 'file'")
    )
    assert images.send(form({}), FORM).content["detail"] == "the request has no images: send at least one"
    for body in (b"", b"--limit", b"--limit\r\n\r\n", form({"a": png()})[:90], b"\x00" * 99):
        assert images.send(body, FORM).status == 422, body
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xe9"):
        assert images.send(form({"a": png()}), content_type).status == 422
    assert images.send(b'{"rows": []}').status == 415


def test_sizes_are_limited(table: Served, images: Served, frame: pd.DataFrame) -> None:
    reply = table.rows(as_rows(frame[:201]))
    assert reply == (422, {"detail": "the request has 201 rows, more than --max-rows=200: send several"})
    large = b'{"rows": "' + b"a" * 200_000 + b'"}'
    assert table.send(large).status == 413
    connection = http.client.HTTPConnection("127.0.0.1", table.port, timeout=20)
    connection.request("POST", "/predict", iter([large[:150_000], large[150_000:]]), {"Content-Type": JSON})  # chunked
    assert connection.getresponse().status == 413
    connection.close()
    assert images.send(form({f"{n}.png": png() for n in range(201)}), FORM).status == 422
    assert table.rows(as_rows(frame[:200])).status == 200


def test_a_wrong_request_does_not_spoil_those_beside_it(table: Served, frame: pd.DataFrame) -> None:
    expected = table.model.predict(frame[:100])

    def ask(number: int) -> Reply:
        row = as_rows(frame[number : number + 1])[0]
        return table.rows([row | {"mean radius": [row["mean radius"], "x", -1e39][number % 3]}])

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(ask, range(100)))
    for number, reply in enumerate(replies):
        if number % 3:
            assert reply.status == 422
        else:
            only = ModelOutput(
                *(each[number : number + 1] if isinstance(each, np.ndarray) else each for each in expected)
            )
            assert_answers(reply, only, atol=1e-6)  # another batch adds in another order


def test_addresses(table: Served) -> None:
    digest = stored_digest(table.run / "checkpoints" / "best.ckpt")
    assert table.get("/health") == (200, {"status": "ok", "model": digest})
    for path in ("/", "/info", "/docs", "/redoc", "/openapi.json", "/mcp/", "/shutdown", "/predict/../x", "/%00"):
        assert table.get(path).status == 404, path
    assert table.get("/predict").status == 405
    assert table.send(b"", path="/health").status == 405
    assert os.listdir(table.directory) == []


def test_the_schema_describes_the_model(table: Served, images: Served) -> None:
    import jsonschema_rs

    document = table.get("/schema").content
    post = document["paths"]["/predict"]["post"]
    body = post["requestBody"]["content"]["application/json"]
    columns = body["schema"]["properties"]["rows"]["items"]
    assert columns["required"] == [column.name for column in table.model.schema.columns]  # type: ignore[attr-defined]
    assert columns["properties"]["size"]["examples"] == ["l", "m", "s", "xl"]
    assert columns["properties"]["mean radius"]["type"] == ["number", "boolean", "null"]
    jsonschema_rs.validate(body["schema"], body["example"])
    reply = table.send(json.dumps(body["example"]))
    for status, answer in (("200", reply), ("422", table.send(b""))):
        jsonschema_rs.validate(post["responses"][status]["content"][JSON]["schema"], answer.content)
    assert document["info"]["version"] == table.get("/health").content["model"]
    assert "image/png" in images.get("/schema").content["paths"]["/predict"]["post"]["requestBody"]["content"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is absent")
@pytest.mark.parametrize("kind", ["table", "images", "labels"])
def test_the_command_line_that_is_told_works(servers: dict[str, Served], kind: str) -> None:
    command = servers[kind].said[2].removeprefix("for example: ")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["results"]) == 1


def test_a_body_that_does_not_come_is_not_waited_for(table: Served) -> None:
    with socket.create_connection(("127.0.0.1", table.port), 10) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection(("127.0.0.1", table.port), 10) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
    assert table.get("/health").status == 200


def children_of(pid: int) -> list[int]:
    return [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]


def are_gone(pids: list[int], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while (alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("kind", "action", "code", "said"),
    [
        ("labels", signal.SIGTERM, 143, "stopped by SIGTERM\n"),
        ("images", signal.SIGKILL, -9, None),
        ("table", "worker", 1, "error: a worker process died, perhaps for want of memory: start the server again\n"),
    ],
)
def test_nothing_is_left_of_a_server_that_is_stopped(
    servers: dict[str, Served], kind: str, action: Any, code: int, said: str | None
) -> None:
    process = servers[kind].process
    children = children_of(process.pid)
    assert len(children) >= 3
    if action == "worker":
        worker = next(pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(worker, signal.SIGKILL)
    else:
        process.send_signal(action)
    assert process.wait(30) == code
    assert process.stderr is not None
    assert are_gone(children)
    assert said is None or process.stderr.read() == said
