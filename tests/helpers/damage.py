"""Ways in which a file can be damaged, and a whole run directory to damage."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from omegaconf import OmegaConf

from tests.conftest import composed

OVERRIDES = ["max_epochs=3", "loss.alpha=effective"]

Damage = Callable[[bytes, random.Random], bytes]


def cut(content: bytes, rng: random.Random) -> bytes:
    """Only the beginning is left."""
    return content[: rng.randrange(len(content))]


def flip(content: bytes, rng: random.Random) -> bytes:
    """One bit differs."""
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def zero(content: bytes, rng: random.Random) -> bytes:
    """A block was never written."""
    start = rng.randrange(len(content))
    return content[:start] + bytes(min(4096, len(content) - start)) + content[start + 4096 :]


RANDOM: dict[str, Damage] = {"cut": cut, "flip": flip, "zero": zero}
FIXED: dict[str, bytes] = {
    "empty": b"",
    "zeros": bytes(100),
    "noise": bytes(range(256)) * 8,
    "text": b"hello\n",
    "object": b"{}",
    "list": b"[]",
    "null": b"null",
    "number": b"5",
    "NaN": b"NaN",
    "unclosed": b'{"val": [',
    "deep": b"[" * 20000,
    "page": b"<!doctype html><p>404",
    "not UTF-8": b"\xff\xfe\xff",
}


def confusions(content: object) -> Iterator[tuple[str, object]]:
    """JSON values in each of which one entry has another type, is absent, or is not finite; with what was done."""
    entries = list(content.items()) if isinstance(content, dict) else []
    for key, value in entries:
        assert isinstance(content, dict)
        wrong: list[object] = [None, "0.5", [1], {"a": 1}, True, float("nan"), float("inf"), -1e300, 10**400]
        yield f"-{key}", {name: each for name, each in content.items() if name != key}
        for each in wrong:
            if each != value:
                yield f"{key}={str(each)[:20]}", content | {key: each}
        for done, nested in confusions(value[0] if isinstance(value, list) and value else value):
            yield f"{key}.{done}", content | {key: [nested, *value[1:]] if isinstance(value, list) else nested}


def whole_run(finished_run: Path, to: Path) -> Path:
    """A copy of a run with everything that Hydra and the status leave."""
    shutil.copytree(finished_run, to)
    hidden = to / ".hydra"
    hidden.mkdir()
    OmegaConf.save(composed(*OVERRIDES), hidden / "config.yaml")
    OmegaConf.save(OVERRIDES, hidden / "overrides.yaml")
    sources = [{"path": "/nowhere", "schema": "file", "provider": "command-line"}]
    OmegaConf.save({"hydra": {"runtime": {"config_sources": sources}}}, hidden / "hydra.yaml")
    status = {"state": "finished", "started": "2026-01-01T00:00:00+00:00", "seconds": 3.0}
    (to / "status.json").write_text(json.dumps(status, indent=2) + "\n")
    return to
