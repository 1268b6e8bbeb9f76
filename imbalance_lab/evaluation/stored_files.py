"""Reading what a run left, when it may be damaged: every fault is one sentence with the file and what to do."""

import hashlib
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imbalance_lab.class_counts import ShotLimits
from imbalance_lab.errors import UsageError
from imbalance_lab.text import visible
from imbalance_lab.validation import check_bool, check_choice, check_integer, check_list, check_number

SEAL = "sha256"
"""The key of the digest in a file that `sealed` made."""

BASELINES = {
    "class_prior": "class prior",
    "logistic_regression": "logistic regression",
    "gradient_boosting": "gradient boosting",
}
"""The baselines of a table by key, and what they are called."""

_HEX = re.compile("[0-9a-f]{64}")

MAX_REASON = 160
"""Characters of a foreign error that a sentence repeats."""


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Make of whatever goes wrong while ``path`` is read one sentence; ``remedy`` says what to do.

    Raises:
        UsageError: "PATH is missing: …" or "PATH is damaged (…): …".
    """
    try:
        yield
    except UsageError:
        raise
    except FileNotFoundError as error:
        raise UsageError(f"{path} is missing: {remedy}") from error
    except PermissionError as error:
        raise UsageError(f"{path} may not be read: change its permissions") from error
    except Exception as error:  # a damaged file may raise anything in the library that reads it
        reason = visible(" ".join(f"{error}".split()) or type(error).__name__)
        short = reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 1] + "…"
        raise UsageError(f"{path} is damaged ({short}): {remedy}") from error


def read_parquet(path: Path, schemas: Collection[pa.Schema] = ()) -> pa.Table:
    """A table whose pages are verified; a ValueError if its schema is none of ``schemas``, where there are any."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read()
    if schemas and table.schema not in schemas:
        raise ValueError(f"its columns are {', '.join(table.schema.names)}")
    return table


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values with a digest of them, which `read_json` verifies."""
    plain: dict[str, Any] = json.loads(json.dumps({**content}, allow_nan=False))
    return plain | {SEAL: _digest(plain)}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, verified if it was `sealed`; NaN and infinity are errors, as the standard has it.

    Raises:
        ValueError, TypeError, OSError: see `reading`.
    """
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        raise ValueError("it is empty")
    content = json.loads(text, parse_constant=_refuse_constant)
    found = _mapping("its content", content)
    seal = found.pop(SEAL, None)
    if seal is None and any(isinstance(each, str) and _HEX.fullmatch(each) for each in found.values()):
        raise ValueError(f"its digest is not under the key {SEAL}")
    if seal is not None and seal != _digest(found):
        raise ValueError(f"its content is not what was written: the digest {SEAL} differs")
    return found


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_scores(content: dict[str, Any]) -> dict[str, Any]:
    """The content of `metrics.json`.

    Raises:
        ValueError, TypeError: naming the entry that is wrong.
    """
    for split in ("val", "test"):
        if split == "val" and "val" in content and content["val"] is None:
            continue  # a run without a validation split
        scores = _mapping(split, _entry(content, split))
        _check_score(f"{split}.auroc", _entry(scores, "auroc", split))
        for name in ("average_precision", "balanced_accuracy", "accuracy"):
            if name in scores:
                _check_score(f"{split}.{name}", scores[name])
        if "n" in scores:
            check_integer(f"{split}.n", scores["n"], minimum=1)
        for place, each in enumerate(check_list(f"{split}.classes", scores.get("classes", []))):
            _check_class(f"{split}.classes[{place}]", each)
    return content


def check_metadata(content: dict[str, Any]) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        ValueError, TypeError: naming the entry that is wrong.
    """
    for name in ("command", "checkpoint"):
        _text(name, _entry(content, name))
    check_integer("seed", _entry(content, "seed"), minimum=0)
    for count in check_list("train_counts", _entry(content, "train_counts")):
        check_integer("train_counts", count, minimum=0)
    if content.get("train_prior") is not None:
        shares = check_list("train_prior", content["train_prior"], len(content["train_counts"]))
        total = math.fsum(check_number("train_prior", share, minimum=0, maximum=1) for share in shares)
        if not math.isclose(total, 1, abs_tol=1e-3):
            raise ValueError(f"train_prior sums to {total:g}, not to 1")
    limits = _mapping("shot_limits", content.get("shot_limits", {}))
    if limits:
        ShotLimits.checked(_entry(limits, "many", "shot_limits"), _entry(limits, "few", "shot_limits"))
    check_bool("has_validation", content.get("has_validation", True))
    for name, version in _mapping("versions", _entry(content, "versions")).items():
        _text(f"versions.{name}", version)
    _entry(content["versions"], "imbalance-lab", "versions")
    if content.get("stage_1") is not None:
        check_integer("stage_1.epoch", _entry(_mapping("stage_1", content["stage_1"]), "epoch", "stage_1"), minimum=1)
    for place, each in enumerate(check_list("baselines", content.get("baselines") or [])):
        _check_baseline(f"baselines[{place}]", each)
    return content


def _check_baseline(place: str, content: Any) -> None:
    """A baseline that was trained, or the reason why it was not."""
    entries = _mapping(place, content)
    check_choice(f"{place}.key", _entry(entries, "key", place), BASELINES)
    name = "left_out" if "left_out" in entries else "about"
    _text(f"{place}.{name}", _entry(entries, name, place))


def check_override_list(content: Any) -> list[str]:
    """The content of `overrides.yaml`; an empty file is no list, but damage.

    Raises:
        TypeError: naming the entry that is wrong.
    """
    return [_text("an override", each) for each in check_list("its content", content)]


def _check_class(place: str, content: Any) -> None:
    scores = _mapping(place, content)
    _text(f"{place}.name", _entry(scores, "name", place))
    for name in ("train_count", "n_positive"):
        check_integer(f"{place}.{name}", _entry(scores, name, place), minimum=0)


def _check_score(place: str, content: Any) -> None:
    """``{"value": …, "ci95": [low, high]}``, each null if undefined."""
    score = _mapping(place, content)
    value, ends = _entry(score, "value", place), _entry(score, "ci95", place)
    if value is not None:
        check_number(f"{place}.value", value, minimum=0, maximum=1)
    if ends is not None:
        low, high = (check_number(f"{place}.ci95", end) for end in check_list(f"{place}.ci95", ends, 2))
        if low > high:
            raise ValueError(f"{place}.ci95 ends before it begins: {ends}")


def _entry(content: Mapping[str, Any], name: str, place: str = "") -> Any:
    if name not in content:
        raise ValueError(f"it has no {f'{place}.' if place else ''}{name}")
    return content[name]


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be an object with named entries, got {type(value).__name__}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, got {value!r}")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
