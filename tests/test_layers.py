"""The one-way order of imports (DESIGN): a module uses only what stands on a lower layer, or in its own package."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "imbalance_lab"

LAYERS = [
    {"errors"},
    {
        "arguments",
        "validation",
        "seeding",
        "files",
        "class_counts",
        "tags",
        "task",
        "termination",
        "progress",
        "text",
    },
    {"checkpoint_file", "trusted"},
    {"losses", "samplers", "metrics", "backbones"},
    {"posthoc"},
    {"data", "shift"},
    {"training"},
    {"evaluation"},
    {"report"},
    {"model"},
    {"deployment"},
    {"app", "testing"},
    {"__main__"},
]
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer}


@cache
def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def imported_parts(file):
    """The parts of the package that a file imports, wherever in it."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "imbalance_lab":
            modules = [f"imbalance_lab.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        yield from (name.split(".")[1] for name in modules if name.startswith("imbalance_lab."))


def edges():
    """Every (part, imported part) of the package with a file that shows it."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        if file == PACKAGE / "__init__.py":
            continue  # it only exports, on first use
        part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found |= {(part, other): file for other in imported_parts(file) if other != part}
    return found


def test_every_part_has_a_layer():
    parts = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert parts - {"__init__", "__pycache__"} == set(LAYER)


def test_imports_run_one_way():
    assert ("training", "metrics") in edges()
    upward = {
        f"{part} imports {other} in {file.relative_to(ROOT)}"
        for (part, other), file in edges().items()
        if LAYER[other] >= LAYER[part]
    }
    assert not upward


def test_the_package_itself_imports_only_what_it_exports():
    assert set(imported_parts(PACKAGE / "__init__.py")) == {"deployment", "model"}
    assert loaded_by("imbalance_lab") <= loaded_by("typing") | {"imbalance_lab"}


def test_only_the_applications_know_hydra():
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(
            module.partition(".")[0] in ("hydra", "omegaconf")
            for node in ast.walk(parsed(path))
            for module in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        )
    }
    assert users == {"app"}


RUN_FILES = re.compile(
    r"^(\.hydra.*|(status|trial|run|metrics|operating_point|data_summary|resumed_from)\.json|metrics\.csv|curves\.csv|(roc|pr)\.png|"
    r"report\.html|watch\.(json|html)|(best|last|stage_1)\.ckpt|predictions(/.*)?|mistakes\.parquet|checkpoints(/.*)?)$"
)
"""What only `RunDirectory` may call by name."""


def test_only_the_run_directory_knows_its_files_by_name():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        tree = parsed(path)
        documentation = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in documentation and RUN_FILES.match(node.value):
                found.add((str(path.relative_to(PACKAGE)), node.value))
    assert {file for file, _ in found} == {"evaluation/run_files.py"}


def test_modules_and_functions_are_short():
    """At most 250 lines a module, and 40 lines of code in the body of a function."""
    long = []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if len(lines) > 250:
            long.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                body = [line.strip() for line in lines[first.lineno - 1 : node.end_lineno]]
                n_lines = sum(bool(line) and not line.startswith("#") for line in body)
                if n_lines > 40:
                    long.append(f"{path.relative_to(ROOT)}, {node.name}: {n_lines} lines")
    assert not long


def loaded_by(modules):
    """Top-level modules that a fresh interpreter has after an import."""
    code = f"import {modules}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_the_command_line_answers_without_the_heavy_libraries():
    loaded = loaded_by("imbalance_lab.app.cli")
    assert "hydra" in loaded
    assert not loaded & {"torch", "numpy", "scipy", "sklearn", "lightning", "torchmetrics", "matplotlib", "rich"}


def test_what_checks_the_config_does_not_wait_for_lightning():
    loaded = loaded_by("imbalance_lab.losses, imbalance_lab.data, imbalance_lab.app.train")
    assert "torch" in loaded
    assert not loaded & {"lightning", "pytorch_lightning", "torchvision", "matplotlib"}
