"""``--help``: the choices, and the composed configuration with the comments of the YAML files that it comes from."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

HEAD = """\
Train, test and evaluate a classifier of imbalanced data.

  python train.py data=fashion_mnist_lt loss.gamma=1 'loss.alpha=[0.25,0.75]'
  python train.py -m loss.gamma=0,1,2,5 seed=0,1        a sweep, with a table at its end

Choices (GROUP=CHOICE):
"""
TAIL = (
    "--cfg job shows the configuration of a command line without running it; --hydra-help is about Hydra's own flags."
)
COLUMN = 40
"""Where comments begin, if the line is not longer."""

LINE = re.compile(r"^(?P<indent> *)(?P<key>[\w.]+):(?P<value>(?: [^#\n]*)?)(?:#\s*(?P<comment>.*))?$")


def wants_help(arguments: Iterable[str]) -> bool:
    """Whether a command line asks for help on this program."""
    return bool({"--help", "-h"} & set(arguments))


def print_help(configs: Path, arguments: Iterable[str]) -> None:
    """Print the choices and the configuration of a command line; a missing reader (``| head``) ends it quietly."""
    words = [word for word in arguments if word not in ("--help", "-h", "-m", "--multirun")]
    flags = [place for place, word in enumerate(words) if word in ("--config-dir", "-cd")]
    extra = [words[place + 1] for place in flags if place + 1 < len(words)]
    overrides = [word for word in words if "=" in word and not word.startswith("--")]
    try:
        print(help_text(configs, overrides, [Path(each) for each in extra]))
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # or Python complains about standard output when it exits


def help_text(configs: Path, overrides: list[str], extra: Iterable[Path] = ()) -> str:
    """The help for ``train.py OVERRIDES``, with the groups in ``extra`` folders as well."""
    folders = [configs, *extra]
    GlobalHydra.instance().clear()
    search = [f"hydra.searchpath=[{','.join(f'file://{each.absolute()}' for each in extra)}]"] if extra else []
    with initialize_config_dir(str(configs.absolute()), version_base="1.3"):
        composed = compose("train", [*search, *overrides], return_hydra_config=True)
    choices = {group: str(choice) for group, choice in composed.hydra.runtime.choices.items() if "/" not in group}
    comments = dict(_comments_of(configs / "train.yaml", ""))
    for folder in folders:
        for group, choice in choices.items():
            comments |= dict(_comments_of(folder / group / f"{choice}.yaml", group))
    config = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
    groups = "\n".join(f"  {group}: {', '.join(names)}" for group, names in _groups(folders).items())
    lines = "\n".join(f"  {line}" for line in _annotated(OmegaConf.to_container(config), comments))  # type: ignore[arg-type]
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
        shown = "" if is_block else " " + yaml.safe_dump(value, default_flow_style=True, width=1000).split("\n")[0]
        line, comment = f"{indent}{key}:{shown}", comments.get(full, "")
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
    """The full key of a line, by the lines that are less indented; ``stack`` holds them."""
    while stack and stack[-1][0] >= indent:
        stack.pop()
    stack.append((indent, key))
    return ".".join(name for _, name in stack)
