"""``--help``: the choices, and the composed configuration with the comments of its YAML files."""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from imbalance_lab.app.compose import compose_config, config_directory, extra_config_directories
from imbalance_lab.app.validate_arguments import SEVERAL
from imbalance_lab.text import visible

HEAD = """\
Train, test and evaluate a classifier of imbalanced data.

  python train.py data=fashion_mnist_lt loss.gamma=1 'loss.alpha=[0.25,0.75]'
  python train.py -m loss.gamma=0,1,2,5 seed=0,1        a sweep, with a table at its end
  python train.py -m sweep=parallel loss.gamma=0,1,2,5  the same, several runs at a time
  python train.py resume_sweep=multirun/DATE/TIME       go on with a sweep that was interrupted

Choices (GROUP=CHOICE):
"""
TAIL = (
    "--cfg job shows the configuration of a command line without running it; --hydra-help is about Hydra's own flags."
)
COLUMN = 40
"""The column of the comments, unless a line is longer."""

LINE = re.compile(r"^(?P<indent> *)(?P<key>[\w.]+):(?P<value>(?: [^#\n]*)?)(?:#\s*(?P<comment>.*))?$")


def wants_help(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for help on this program."""
    return bool({"--help", "-h"} & set(arguments))


def print_help(arguments: Sequence[str]) -> None:
    """Print the choices and the configuration of a command line; a closed pipe (``| head``) is no error."""
    overrides = [word for word in arguments if "=" in word and not word.startswith("-")]
    try:
        print(visible(help_text(overrides, extra_config_directories(arguments)), keep="\n"))
        sys.stdout.flush()
    except BrokenPipeError:
        ignore_closed_pipe()


def ignore_closed_pipe() -> None:
    """Let what is left of the output go nowhere, or Python reports the closed pipe when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def help_text(overrides: Sequence[str], extra: Sequence[Path] = ()) -> str:
    """The help for ``train.py OVERRIDES``, including the groups in ``extra`` directories."""
    composed = compose_config(overrides, extra, with_hydra=True)
    choices = {group: [choice] for group, choice in composed.hydra.runtime.choices.items() if "/" not in group}
    # Hydra does not say which were chosen where there are several, as in strategy=[drw,ema]; each has its own name.
    choices |= {group: list(composed[group]) for group in SEVERAL if group not in choices}
    folders = [config_directory(), *extra]
    comments = dict(_comments_of(config_directory() / "train.yaml", ""))
    for folder in folders:
        for group, chosen in choices.items():
            for choice in chosen:
                name, _, place = group.partition("@")  # as in augment@augment.cutout
                comments |= dict(_comments_of(folder / name / f"{choice}.yaml", place or name))
    config = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
    groups = "\n".join(f"  {group}: {', '.join(names)}" for group, names in _groups(folders).items())
    annotated = _annotated(OmegaConf.to_container(config), comments)  # type: ignore[arg-type]
    lines = "\n".join(f"  {line}" for line in annotated)
    return f"{HEAD}\n{groups}\n\nEverything can be changed (KEY=VALUE):\n\n{lines}\n\n{TAIL}"


def _groups(folders: Iterable[Path]) -> dict[str, list[str]]:
    """The choices of each group, sorted."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for group in sorted(path for path in folder.iterdir() if path.is_dir()):
            found.setdefault(group.name, set()).update(file.stem for file in group.glob("*.yaml"))
    return {group: sorted(names) for group, names in sorted(found.items())}


def _annotated(node: Mapping[str, Any], comments: Mapping[str, str], path: str = "") -> Iterator[str]:
    """The lines of ``node`` as YAML, each with the comment of its key."""
    indent = "  " * path.count(".") if path else ""
    for key, value in node.items():
        full = f"{path}{key}"
        is_block = isinstance(value, dict) and value
        text = "" if is_block else " " + yaml.safe_dump(value, default_flow_style=True, width=1000).split("\n")[0]
        line, comment = f"{indent}{key}:{text}", comments.get(full, "")
        yield f"{line.ljust(COLUMN)} # {comment}" if comment else line
        if is_block:
            yield from _annotated(value, comments, f"{full}.")


def _comments_of(file: Path, group: str) -> Iterator[tuple[str, str]]:
    """Every key of a YAML file that has a comment on its line, and a comment at the top as that of its group."""
    if not file.is_file():
        return
    text = file.read_text(encoding="utf-8")
    for base in re.findall(r"^\s*- (base/\w+)", text, re.MULTILINE):
        yield from _comments_of(file.parent / f"{base}.yaml", group)
    is_global = text.startswith("# @package _global_")
    stack: list[tuple[int, str]] = []
    top: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith("# @package") and not stack:
            top.append(line.lstrip("# "))
        match: Any = LINE.match(line)
        if not match or match["key"] == "defaults":
            continue
        key = _path(stack, len(match["indent"]), match["key"])
        if match["comment"]:
            yield key if is_global or not group else f"{group}.{key}", match["comment"].strip()
    if group and top:
        yield group, " ".join(top)


def _path(stack: list[tuple[int, str]], indent: int, key: str) -> str:
    """The full key of a line; ``stack`` has the less indented keys above it."""
    while stack and stack[-1][0] >= indent:
        stack.pop()
    stack.append((indent, key))
    return ".".join(name for _, name in stack)
